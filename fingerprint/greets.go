package fingerprint

import (
	"context"
	"net"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// Greets reports whether an open port says something of its own accord within wait,
// counted from when it is connected to. It takes over r.Conn and closes it; without
// one it connects. Nothing is sent. A port that cannot be connected to, or that may
// not be, does not greet.
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
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	if conn.SetReadDeadline(time.Now().Add(wait)) != nil || ctx.Err() != nil {
		return false
	}
	n, _ := conn.Read(make([]byte, 1))
	return n > 0
}

// connectPaced opens a connection of its own to a port, when its pace and the limit
// of its host let it. It has its place at the host until it is closed.
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
