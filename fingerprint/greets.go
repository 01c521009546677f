package fingerprint

import (
	"context"
	"net"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// lateLook is how much longer a busy machine waits to see whether a port greets.
const lateLook = 4

// Greets reports whether an open port sends something unprompted within wait, counted
// from its connection. It takes ownership of r.Conn and closes it; without one it
// connects. Nothing is sent, so that the connection soon gives its slot back. A port
// that cannot or must not be connected to does not greet. Where this machine was late
// to read something, the wait is lateLook times as long.
func (id *Identifier) Greets(ctx context.Context, r scan.Result, wait time.Duration) bool {
	conn := bounded(r.Conn, id.NotAfter)
	over := !id.NotAfter.IsZero() && !time.Now().Before(id.NotAfter)
	if over || !id.allows(r.Target.Addr()) || ctx.Err() != nil {
		closeQuietly(conn)
		return false
	}
	if conn == nil {
		var err error
		if conn, err = id.connectPaced(ctx, r); err != nil {
			return false
		}
	}
	defer conn.Close()
	if h := id.host(r.Target.Addr()); h.detach(conn) {
		defer h.endDetached()
	}
	if id.late.Load() {
		wait *= lateLook
	}
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	if conn.SetReadDeadline(time.Now().Add(wait)) != nil || ctx.Err() != nil {
		return false
	}
	n, _ := conn.Read(make([]byte, 1))
	return n > 0
}

// connectPaced opens its own connection to a port, when the rate and the limit of its
// host allow it. It has a host slot until it is closed.
func (id *Identifier) connectPaced(ctx context.Context, r scan.Result) (net.Conn, error) {
	if id.Pace != nil {
		if err := id.Pace(ctx); err != nil {
			return nil, err
		}
	}
	h := id.host(r.Target.Addr())
	if err := h.enter(ctx); err != nil {
		return nil, err
	}
	conn, err := id.connect(ctx, r.Target)
	if err != nil {
		h.leave()
		return nil, err
	}
	return h.limit.Wrap(r.Target.Addr(), conn), nil
}
