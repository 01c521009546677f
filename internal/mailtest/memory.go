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

// window is how many bytes wait on a connection in memory to be read.
const window = 64 << 10

// A stretch is one direction of a connection in memory.
type stretch struct {
	link *sync.Mutex   // of both directions; guards following
	wake chan struct{} // closed and made anew at each change
	buf  []byte
	fin  bool // nothing follows
	rst  bool // the connection was reset by the side that writes
	gone bool // nobody reads any more
}

// changed wakes all who wait for the stretch.
func (s *stretch) changed() {
	close(s.wake)
	s.wake = make(chan struct{})
}

// A memoryConn is one end of a connection in memory. It ends as one of TCP
// does: a close over unread bytes is a RST, as is a write to who has closed.
type memoryConn struct {
	local, remote    netip.AddrPort
	in, out          *stretch
	read, write      limit
	closed, abortive bool // guarded by the link
}

// A limit is a deadline and a channel that is closed when it is set anew.
type limit struct {
	at   time.Time
	wake chan struct{}
}

func memoryPipe(client, server netip.AddrPort) (ours, theirs *memoryConn) {
	link := new(sync.Mutex)
	to := &stretch{link: link, wake: make(chan struct{})}
	from := &stretch{link: link, wake: make(chan struct{})}
	end := func(local, remote netip.AddrPort, in, out *stretch) *memoryConn {
		return &memoryConn{local: local, remote: remote, in: in, out: out,
			read: limit{wake: make(chan struct{})}, write: limit{wake: make(chan struct{})}}
	}
	return end(client, server, from, to), end(server, client, to, from)
}

// Read returns what has come before it tells how the stream ended.
func (c *memoryConn) Read(p []byte) (n int, err error) {
	err = c.await("read", c.in, &c.read, func() (bool, error) {
		switch {
		case len(c.in.buf) > 0 || len(p) == 0:
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

// Write returns when all of p waits to be read.
func (c *memoryConn) Write(p []byte) (n int, err error) {
	err = c.await("write", c.out, &c.write, func() (bool, error) {
		switch {
		case c.out.fin || c.in.rst:
			return true, syscall.EPIPE
		case c.out.gone:
			// Sent, and answered with a RST.
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

// await calls try, which says whether it is done, until it is, the connection
// is closed or the deadline passes.
func (c *memoryConn) await(op string, s *stretch, l *limit, try func() (bool, error)) error {
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

// wait waits for a change, for another deadline or for the deadline.
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

// failed wraps what is no end of the stream.
func (c *memoryConn) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// CloseWrite ends what is sent, and lets the other side speak on.
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

// Ended reports whether the other side sends nothing more, and whether it has reset the
// connection: what the kernel tells of one of TCP.
func (c *memoryConn) Ended() (hungUp, reset bool) {
	c.in.link.Lock()
	defer c.in.link.Unlock()
	return c.in.fin || c.in.rst, c.in.rst
}

// SetLinger makes Close a RST if it is zero.
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

// SetDeadline is both of the following.
func (c *memoryConn) SetDeadline(t time.Time) error {
	c.set(&c.read, t)
	c.set(&c.write, t)
	return nil
}

// SetReadDeadline ends reads at t, one that waits too; zero means never.
func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.set(&c.read, t)
	return nil
}

// SetWriteDeadline ends writes at t, one that waits too; zero means never.
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
