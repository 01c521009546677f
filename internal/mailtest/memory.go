package mailtest

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is the maximum number of unread bytes of an in-memory connection.
const window = 64 << 10

// A halfConn is one direction of an in-memory connection.
type halfConn struct {
	link *sync.Mutex   // of both directions; guards following
	wake chan struct{} // closed and replaced at each change
	buf  []byte
	fin  bool // no more data follows
	rst  bool // the writer reset the connection
	gone bool // there is no reader any more

	stops    bool // an urgent byte stops the reader, as with splice(2) of Linux
	stopped  bool // it has
	ordinary bool // urgent bytes arrive as ordinary ones
}

// changed wakes all goroutines that wait for the halfConn.
func (s *halfConn) changed() {
	close(s.wake)
	s.wake = make(chan struct{})
}

// A memoryConn is one end of an in-memory connection. It ends like a TCP
// connection: a close with unread bytes sends a RST, and so does a write to an
// end that was closed.
type memoryConn struct {
	local, remote    netip.AddrPort
	in, out          *halfConn
	read, write      limit
	closed, abortive bool // guarded by the link
}

// A limit is a deadline with a channel that is closed when it changes.
type limit struct {
	at   time.Time
	wake chan struct{}
}

func memoryPipe(client, server netip.AddrPort) (ours, theirs *memoryConn) {
	link := new(sync.Mutex)
	to := &halfConn{link: link, wake: make(chan struct{})}
	from := &halfConn{link: link, wake: make(chan struct{})}
	end := func(local, remote netip.AddrPort, in, out *halfConn) *memoryConn {
		return &memoryConn{local: local, remote: remote, in: in, out: out,
			read: limit{wake: make(chan struct{})}, write: limit{wake: make(chan struct{})}}
	}
	return end(client, server, from, to), end(server, client, to, from)
}

// Read returns all received data before it reports how the stream ended.
func (c *memoryConn) Read(p []byte) (n int, err error) {
	err = c.await("read", c.in, &c.read, func() (bool, error) {
		switch {
		case len(c.in.buf) > 0 && !c.in.stopped || len(p) == 0:
			n = copy(p, c.in.buf)
			c.in.buf = c.in.buf[n:]
			c.in.changed()
			return true, nil
		case c.in.fin:
			return true, io.EOF
		case c.in.rst:
			return true, syscall.ECONNRESET
		}
		return false, nil
	})
	return n, err
}

// Write returns when all of p is in the window.
func (c *memoryConn) Write(p []byte) (n int, err error) {
	err = c.await("write", c.out, &c.write, func() (bool, error) {
		switch {
		case c.out.fin || c.in.rst:
			return true, syscall.EPIPE
		case c.out.gone:
			// The data is sent and answered with a RST.
			c.in.rst = true
			c.in.changed()
			n = len(p)
			return true, nil
		}
		k := min(len(p)-n, window-len(c.out.buf))
		if k > 0 {
			c.out.buf = append(c.out.buf, p[n:n+k]...)
			c.out.changed()
			n += k
		}
		return n == len(p), nil
	})
	return n, err
}

// Urgent sets what becomes of urgent bytes that the connection receives: they stop its
// reader, as with splice(2) of Linux, or arrive as ordinary ones; else it passes over them.
func (c *memoryConn) Urgent(stops, ordinary bool) {
	c.in.link.Lock()
	defer c.in.link.Unlock()
	c.in.stops, c.in.ordinary = stops, ordinary
}

// SendUrgent sends one byte of urgent data.
func (c *memoryConn) SendUrgent(b byte) bool {
	c.in.link.Lock()
	defer c.in.link.Unlock()
	switch {
	case c.closed || c.out.fin || c.in.rst:
		return false
	case c.out.gone:
		c.in.rst = true
		c.in.changed()
	case c.out.ordinary:
		c.out.buf = append(c.out.buf, b)
		c.out.changed()
	default:
		c.out.stopped = c.out.stops
	}
	return true
}

// await calls try until it returns true, the connection is closed or the deadline
// passes.
func (c *memoryConn) await(op string, s *halfConn, l *limit, try func() (bool, error)) error {
	for {
		s.link.Lock()
		if c.closed {
			s.link.Unlock()
			return c.failed(op, net.ErrClosed)
		}
		if !l.at.IsZero() && !time.Now().Before(l.at) {
			s.link.Unlock()
			return c.failed(op, os.ErrDeadlineExceeded)
		}
		done, err := try()
		wake, moved, at := s.wake, l.wake, l.at
		s.link.Unlock()
		if done {
			return c.failed(op, err)
		}
		c.wait(wake, moved, at)
	}
}

// wait waits for a change of the halfConn, a change of the deadline, or the
// deadline.
func (c *memoryConn) wait(wake, moved chan struct{}, at time.Time) {
	var over <-chan time.Time
	if !at.IsZero() {
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
		over = t.C
	}
	select {
	case <-wake:
	case <-moved:
	case <-over:
	}
}

// failed wraps errors other than the end of the stream.
func (c *memoryConn) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// CloseWrite ends the sending direction; the other side can still send.
func (c *memoryConn) CloseWrite() error {
	c.in.link.Lock()
	defer c.in.link.Unlock()
	if c.closed {
		return c.failed("close", net.ErrClosed)
	}
	c.out.fin = true
	c.out.changed()
	return nil
}

// Ended reports whether the other side sends nothing more, and whether it has reset
// the connection, as the kernel does for a TCP connection.
func (c *memoryConn) Ended() (hungUp, reset bool) {
	c.in.link.Lock()
	defer c.in.link.Unlock()
	return c.in.fin || c.in.rst, c.in.rst
}

// SetLinger with zero makes Close send a RST.
func (c *memoryConn) SetLinger(sec int) error {
	c.in.link.Lock()
	defer c.in.link.Unlock()
	c.abortive = sec == 0
	return nil
}

// Close ends both directions.
func (c *memoryConn) Close() error {
	c.in.link.Lock()
	defer c.in.link.Unlock()
	if c.closed {
		return c.failed("close", net.ErrClosed)
	}
	c.closed = true
	if c.abortive || len(c.in.buf) > 0 {
		c.out.rst = true
	} else {
		c.out.fin = true
	}
	c.in.gone = true
	c.in.changed()
	c.out.changed()
	return nil
}

// LocalAddr returns a *net.TCPAddr.
func (c *memoryConn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr returns a *net.TCPAddr.
func (c *memoryConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline sets both deadlines.
func (c *memoryConn) SetDeadline(t time.Time) error {
	c.set(&c.read, t)
	c.set(&c.write, t)
	return nil
}

// SetReadDeadline ends reads at t, including pending ones; zero means never.
func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.set(&c.read, t)
	return nil
}

// SetWriteDeadline ends writes at t, including pending ones; zero means never.
func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.set(&c.write, t)
	return nil
}

func (c *memoryConn) set(l *limit, t time.Time) {
	c.in.link.Lock()
	defer c.in.link.Unlock()
	l.at = t
	close(l.wake)
	l.wake = make(chan struct{})
}
