package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// A lastConn is a connection on which nothing is sent after a moment: then it
// is reset, so that the kernel repeats nothing that was not acknowledged.
type lastConn struct {
	net.Conn
	notAfter time.Time
	timer    *time.Timer
	ended    atomic.Bool // the moment came: what reads fail with is our own doing

	mu sync.Mutex // held while something is sent
}

// bounded gives a connection an end; without one it stays as it is.
func bounded(conn net.Conn, notAfter time.Time) net.Conn {
	if conn == nil || notAfter.IsZero() {
		return conn
	}
	c := &lastConn{Conn: conn, notAfter: notAfter}
	c.timer = time.AfterFunc(time.Until(notAfter), c.reset)
	return c
}

// NetConn is the connection that is watched over.
func (c *lastConn) NetConn() net.Conn { return c.Conn }

// Read implements [net.Conn]. A connection that was reset here was not closed by
// the other side, which may have had more to say.
func (c *lastConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && c.ended.Load() {
		err = &scan.ExpiredError{NotAfter: c.notAfter}
	}
	return n, err
}

// Write implements [net.Conn].
func (c *lastConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !time.Now().Before(c.notAfter) {
		return 0, &scan.ExpiredError{NotAfter: c.notAfter}
	}
	return c.Conn.Write(p)
}

// Close implements [net.Conn].
func (c *lastConn) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}

// reset ends the connection by RST (RFC 9293, Section 3.10.7) where that can
// be asked for.
func (c *lastConn) reset() {
	c.ended.Store(true)
	c.Conn.SetDeadline(time.Unix(1, 0)) // a write under way ends
	c.mu.Lock()
	defer c.mu.Unlock()
	if l, ok := underlying(c.Conn).(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0) // best effort: closing ends it too
	}
	c.Conn.Close()
}

// underlying is the connection below those that only watch over one.
func underlying(conn net.Conn) net.Conn {
	for {
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = inner.NetConn()
	}
}

// dialUntil opens a connection that ends with the authorization. One that does
// not come about until then is given up: the kernel would repeat its SYN.
func (id *Identifier) dialUntil(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	if id.NotAfter.IsZero() {
		return id.dial(ctx, target)
	}
	over := &scan.ExpiredError{NotAfter: id.NotAfter}
	ctx, cancel := context.WithDeadlineCause(ctx, id.NotAfter, over)
	defer cancel()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	conn, err := id.dial(ctx, target)
	if err != nil {
		return nil, err
	}
	return bounded(conn, id.NotAfter), nil
}
