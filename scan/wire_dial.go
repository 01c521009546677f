package scan

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// A DialFunc opens a TCP connection to an address and port. It returns soon
// after ctx is done.
type DialFunc func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

// A dialWire connects with a goroutine for each connection. It serves where
// there is no epoll, and in tests.
type dialWire struct {
	dial  DialFunc
	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup
	woken chan struct{}

	mu    sync.Mutex
	calls map[int32]*call
	ended []ending
}

// A call is one dial.
type call struct {
	cancel context.CancelFunc
	conn   net.Conn      // once it is there
	done   chan struct{} // closed when dial has returned
}

// newDialWire returns a wire that uses dial, or if that is nil a net.Dialer.
func newDialWire(dial DialFunc) *dialWire {
	if dial == nil {
		var d net.Dialer
		d.KeepAlive = -1
		dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", to.String())
		}
	}
	w := &dialWire{dial: dial, woken: make(chan struct{}, 1), calls: map[int32]*call{}}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

func (w *dialWire) begin(slot int32, to netip.AddrPort) (ending, bool) {
	ctx, cancel := context.WithCancel(w.ctx)
	c := &call{cancel: cancel, done: make(chan struct{})}
	w.mu.Lock()
	w.calls[slot] = c
	w.mu.Unlock()
	w.tasks.Go(func() {
		conn, err := w.dial(ctx, to)
		cancel()
		w.end(slot, c, to, conn, err)
		close(c.done)
	})
	return ending{}, false
}

// end notes how a call ended, unless it was dropped meanwhile.
func (w *dialWire) end(slot int32, c *call, to netip.AddrPort, conn net.Conn, err error) {
	e := ending{slot: slot, err: err}
	if err != nil {
		e.as = outcomeOf(err)
	} else if conn.LocalAddr() != nil && conn.LocalAddr().String() == to.String() {
		e.as = looped
	}
	w.mu.Lock()
	current := w.calls[slot] == c
	if current {
		w.ended = append(w.ended, e)
		if e.as == connected {
			c.conn = conn
		} else {
			delete(w.calls, slot)
		}
	}
	w.mu.Unlock()
	if conn != nil && (!current || e.as != connected) {
		abort(conn)
	}
	w.wake()
}

func (w *dialWire) wait(list []ending, d time.Duration) []ending {
	var expired <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		expired = t.C
	}
	for {
		w.mu.Lock()
		got := len(w.ended) > 0
		list = append(list, w.ended...)
		w.ended = w.ended[:0]
		w.mu.Unlock()
		if got || d == 0 {
			return list
		}
		select {
		case <-w.woken:
			d = 0 // look once more, then go
		case <-expired:
			d = 0
		}
	}
}

// take forgets a slot and returns its call.
func (w *dialWire) take(slot int32) *call {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.calls[slot]
	delete(w.calls, slot)
	// An end that came between the last wait and now is no longer wanted.
	for i, e := range w.ended {
		if e.slot == slot {
			w.ended = append(w.ended[:i], w.ended[i+1:]...)
			break
		}
	}
	return c
}

func (w *dialWire) drop(slot int32) {
	if c := w.take(slot); c != nil {
		c.cancel()
		<-c.done // or two connections would be under way in its place
		if c.conn != nil {
			abort(c.conn)
		}
	}
}

func (w *dialWire) hand(slot int32) net.Conn {
	if c := w.take(slot); c != nil {
		return c.conn
	}
	return nil
}

func (w *dialWire) reset(slot int32) { w.drop(slot) }

func (w *dialWire) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

func (w *dialWire) close() {
	w.stop()
	w.tasks.Wait()
	for _, c := range w.calls {
		if c.conn != nil {
			abort(c.conn)
		}
	}
}

// abort closes a connection with a RST where that can be done.
func abort(conn net.Conn) {
	raw := conn
	if outer, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = outer.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		tcp.SetLinger(0) // best effort: a plain close is only less tidy
	}
	conn.Close()
}

// outcomeOf says what an error of a dial means.
func outcomeOf(err error) outcome {
	if os.IsTimeout(err) {
		return silent
	}
	if o, ok := errnoOutcome(err); ok {
		return o
	}
	return impossible
}
