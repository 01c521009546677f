package scan

import "sync"

// An outbox carries results from the sweep to the consumer, which may be slow. It
// holds a bounded number of results and of open connections.
type outbox struct {
	mu      sync.Mutex
	queue   []Result
	conns   int // open connections in queue or being yielded
	closed  bool
	arrived chan struct{} // something is in queue, or closed
	drained func()        // called after queue was emptied
}

// maxQueued is how many results may wait before the sweep pauses for the consumer.
const maxQueued = 1 << 14

func newOutbox(drained func()) *outbox {
	return &outbox{arrived: make(chan struct{}, 1), drained: drained}
}

// put adds results. It reports whether there is room for more.
func (o *outbox) put(batch []Result) bool {
	o.mu.Lock()
	o.queue = append(o.queue, batch...)
	room := len(o.queue) < maxQueued
	o.mu.Unlock()
	if len(batch) > 0 {
		o.signal()
	}
	return room
}

// reserve reserves room for one more open connection, of at most limit.
func (o *outbox) reserve(limit int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conns >= limit {
		return false
	}
	o.conns++
	return true
}

// finish records that nothing more will be put.
func (o *outbox) finish() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.arrived <- struct{}{}:
	default:
	}
}

// take waits for results and returns all there are. It keeps the empty slice spare for
// the next ones. It returns none at the end.
func (o *outbox) take(spare []Result) []Result {
	for {
		o.mu.Lock()
		batch, closed := o.queue, o.closed
		if len(batch) > 0 {
			o.queue = spare[:0]
		}
		o.mu.Unlock()
		if len(batch) > 0 {
			if len(batch) >= maxQueued && !closed {
				o.drained()
			}
			return batch
		}
		if closed {
			return nil
		}
		<-o.arrived
	}
}

// yielded records that the connection of a taken result belongs to the consumer.
func (o *outbox) yielded() {
	o.mu.Lock()
	o.conns--
	o.mu.Unlock()
}
