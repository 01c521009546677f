package dialer

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// A Func opens a TCP connection to an address and port. It returns soon after ctx is
// done.
type Func func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

// A funcDialer connects with one goroutine per connection. It is used where there is
// no epoll, and in tests.
type funcDialer struct {
	dial  Func
	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup
	woken chan struct{}

	mu    sync.Mutex
	calls map[int32]*call
	ended []Ending
}

// A call is one dial.
type call struct {
	cancel context.CancelFunc
	conn   net.Conn      // set once it is open
	done   chan struct{} // closed when dial has returned
}

// NewFunc returns a Dialer that uses dial, or a [net.Dialer] if that is nil.
func NewFunc(dial Func) Dialer {
	if dial == nil {
		var std net.Dialer
		std.KeepAlive = -1
		dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return std.DialContext(ctx, "tcp", to.String())
		}
	}
	d := &funcDialer{dial: dial, woken: make(chan struct{}, 1), calls: map[int32]*call{}}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d
}

func (d *funcDialer) Begin(slot int32, to netip.AddrPort) (Ending, bool) {
	ctx, cancel := context.WithCancel(d.ctx)
	c := &call{cancel: cancel, done: make(chan struct{})}
	d.mu.Lock()
	d.calls[slot] = c
	d.mu.Unlock()
	d.tasks.Go(func() {
		conn, err := d.dial(ctx, to)
		cancel()
		d.end(slot, c, to, conn, err)
		close(c.done)
	})
	return Ending{}, false
}

// end records how a call ended, unless it was dropped meanwhile.
func (d *funcDialer) end(slot int32, c *call, to netip.AddrPort, conn net.Conn, err error) {
	e := Ending{Slot: slot, Err: err}
	if err != nil {
		e.As = OutcomeOf(err)
	} else if conn.LocalAddr() != nil && conn.LocalAddr().String() == to.String() {
		e.As = SelfConnect
	}
	d.mu.Lock()
	current := d.calls[slot] == c
	if current {
		d.ended = append(d.ended, e)
		if e.As == Connected {
			c.conn = conn
		} else {
			delete(d.calls, slot)
		}
	}
	d.mu.Unlock()
	if conn != nil && (!current || e.As != Connected) {
		Abort(conn)
	}
	d.Wake()
}

func (d *funcDialer) Wait(list []Ending, wait time.Duration) []Ending {
	var expired <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		expired = t.C
	}
	for {
		d.mu.Lock()
		got := len(d.ended) > 0
		list = append(list, d.ended...)
		d.ended = d.ended[:0]
		d.mu.Unlock()
		if got || wait == 0 {
			return list
		}
		select {
		case <-d.woken:
			wait = 0 // poll once more, then return
		case <-expired:
			wait = 0
		}
	}
}

// remove forgets a slot and returns its call.
func (d *funcDialer) remove(slot int32) *call {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.calls[slot]
	delete(d.calls, slot)
	// An ending that came between the last wait and now is dropped.
	for i, e := range d.ended {
		if e.Slot == slot {
			d.ended = append(d.ended[:i], d.ended[i+1:]...)
			break
		}
	}
	return c
}

func (d *funcDialer) Drop(slot int32) {
	if c := d.remove(slot); c != nil {
		c.cancel()
		<-c.done // else two connections would be under way in its place
		if c.conn != nil {
			Abort(c.conn)
		}
	}
}

func (d *funcDialer) Take(slot int32) net.Conn {
	if c := d.remove(slot); c != nil {
		return c.conn
	}
	return nil
}

func (d *funcDialer) Reset(slot int32) { d.Drop(slot) }

func (d *funcDialer) Trim(int) {} // it keeps nothing

func (d *funcDialer) Wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

func (d *funcDialer) Close() {
	d.stop()
	d.tasks.Wait()
	for _, c := range d.calls {
		if c.conn != nil {
			Abort(c.conn)
		}
	}
}

// Abort closes a connection with a RST where possible.
func Abort(conn net.Conn) {
	raw := conn
	if outer, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = outer.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		tcp.SetLinger(0) // best effort: a plain close works as well
		tcp.Close()      // before a wrapper ends it in order
	}
	conn.Close()
}

// OutcomeOf returns what an error of a dial means.
func OutcomeOf(err error) Outcome {
	if os.IsTimeout(err) {
		return Silent
	}
	if o, ok := errnoOutcome(err); ok {
		return o
	}
	return LocalFailure
}
