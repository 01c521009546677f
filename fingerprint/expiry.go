package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
)

// A lastConn is a connection that is reset at a given time, so that nothing is sent
// afterwards, not even repetitions by the kernel.
type lastConn struct {
	net.Conn
	notAfter time.Time
	timer    *time.Timer
	ended    atomic.Bool // the time came: read errors are caused by the reset

	mu sync.Mutex // held while something is sent
}

// bounded gives a connection an end; if there is none it is unchanged.
func bounded(conn net.Conn, notAfter time.Time) net.Conn {
	if conn == nil || notAfter.IsZero() {
		return conn
	}
	c := &lastConn{Conn: conn, notAfter: notAfter}
	c.timer = time.AfterFunc(time.Until(notAfter), c.reset)
	return c
}

// NetConn returns the underlying connection.
func (c *lastConn) NetConn() net.Conn { return c.Conn }

// Read implements [net.Conn]. A connection that was reset here counts as not closed by
// the peer, which may have had more to send.
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

// sendBelow sends something that is no data, or no ordinary data, on the connection below
// wrappers, unless the time of one of them has come. It reports whether it was sent.
func sendBelow(conn net.Conn, send func(net.Conn) bool) bool {
	switch c := conn.(type) {
	case *lastConn:
		c.mu.Lock()
		defer c.mu.Unlock()
		return time.Now().Before(c.notAfter) && sendBelow(c.Conn, send)
	case interface{ NetConn() net.Conn }:
		return sendBelow(c.NetConn(), send)
	}
	return send(conn)
}

// Close implements [net.Conn].
func (c *lastConn) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}

// reset ends the connection by RST (RFC 9293, Section 3.10.7) where possible.
func (c *lastConn) reset() {
	c.ended.Store(true)
	c.Conn.SetDeadline(time.Unix(1, 0)) // ends a write under way
	c.mu.Lock()
	defer c.mu.Unlock()
	raw := hosts.Base(c.Conn)
	if l, ok := raw.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0) // best effort: closing ends it too
	}
	raw.Close() // before a wrapper ends it in order
	c.Conn.Close()
}

// dialUntil opens a connection that ends with the authorization. One that is not open
// by then is given up, because the kernel would repeat its SYN.
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
