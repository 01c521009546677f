package scan

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// A HostLimit bounds how many connections to each address are open at once,
// those of a sweep and those of the dialogues on what it found together. It may
// be used by several goroutines, but by one sweep at a time.
type HostLimit struct {
	each, total int

	mu    sync.Mutex
	hosts map[netip.Addr]*guests
	freed func(netip.Addr) // tells the sweep of a place that it had lacked
}

// guests are the connections to one address.
type guests struct {
	probes, talks int
	waiting       []chan struct{} // dialogues, the first comes first
	lacked        bool            // the sweep was refused a place
}

// NewHostLimit returns a limit of each probes of a sweep and of as many
// connections of dialogues to one address: of both, a quarter more than that
// together, and one more at least, so that neither keeps the other out. Less
// than one counts as 8, which are 10 together.
func NewHostLimit(each int) *HostLimit {
	if each < 1 {
		each = 8
	}
	return &HostLimit{each: each, total: each + max(1, each/4), hosts: make(map[netip.Addr]*guests)}
}

// Enter waits until a dialogue may open one more connection to a. Who enters
// must [HostLimit.Leave]. The error is the cause of ctx.
func (l *HostLimit) Enter(ctx context.Context, a netip.Addr) error {
	l.mu.Lock()
	g := l.guests(a)
	if len(g.waiting) == 0 && l.room(g) {
		g.talks++
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(g.waiting, turn); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	} else {
		g.talks-- // its turn came at the same time
	}
	l.pass(a, g)
	return context.Cause(ctx)
}

// Leave gives back what Enter took.
func (l *HostLimit) Leave(a netip.Addr) { l.give(a, func(g *guests) { g.talks-- }) }

// give changes what an address has taken, and passes on what became free.
func (l *HostLimit) give(a netip.Addr, change func(*guests)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.hosts[a]
	change(g)
	l.pass(a, g)
}

// Talks returns how many connections of dialogues to a are open.
func (l *HostLimit) Talks(a netip.Addr) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.hosts[a]; g != nil {
		return g.talks
	}
	return 0
}

// tell sets who is told of places that a sweep had lacked; nil for nobody.
func (l *HostLimit) tell(freed func(netip.Addr)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.freed = freed
}

// guests returns those of a. The caller holds the lock.
func (l *HostLimit) guests(a netip.Addr) *guests {
	g := l.hosts[a]
	if g == nil {
		g = &guests{}
		l.hosts[a] = g
	}
	return g
}

// room reports whether a dialogue has a place.
func (l *HostLimit) room(g *guests) bool {
	return g.talks < l.each && g.probes+g.talks < l.total
}

// probe takes a place for a probe of a sweep, if there is one. Where dialogues
// wait, the sweep keeps no more than the places that are not for them.
func (l *HostLimit) probe(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.guests(a)
	most := l.each
	if len(g.waiting) > 0 {
		most = l.total - l.each
	}
	if g.probes >= most || g.probes+g.talks >= l.total {
		g.lacked = true
		return false
	}
	g.probes++
	return true
}

// probed gives back what probe took.
func (l *HostLimit) probed(a netip.Addr) { l.give(a, func(g *guests) { g.probes-- }) }

// keep makes the place of a probe that of a dialogue, if it may have one more.
func (l *HostLimit) keep(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.hosts[a]
	if g.talks >= l.each || len(g.waiting) > 0 {
		return false
	}
	g.probes--
	g.talks++
	l.pass(a, g)
	return true
}

// Hold returns a connection that leaves when it is closed. The place must have
// been taken.
func (l *HostLimit) Hold(a netip.Addr, c net.Conn) net.Conn {
	return &guest{Conn: c, leave: sync.OnceFunc(func() { l.Leave(a) })}
}

// Release gives back the place of a connection that Hold returned, which stays
// open; c may be that connection or one on top of it. Any other is left alone.
func (l *HostLimit) Release(c net.Conn) {
	for {
		if g, ok := c.(*guest); ok {
			g.leave()
			return
		}
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return
		}
		c = inner.NetConn()
	}
}

// pass gives free places to who waits. The caller holds the lock.
func (l *HostLimit) pass(a netip.Addr, g *guests) {
	for len(g.waiting) > 0 && l.room(g) {
		close(g.waiting[0])
		g.waiting = g.waiting[1:]
		g.talks++
	}
	if g.lacked && l.freed != nil {
		g.lacked = false
		l.freed(a)
	}
	if g.probes == 0 && g.talks == 0 && len(g.waiting) == 0 {
		delete(l.hosts, a)
	}
}

// A guest is a connection that has a place until it is closed.
type guest struct {
	net.Conn
	leave func()
}

// NetConn is the connection itself, as [crypto/tls.Conn.NetConn] is that below
// TLS.
func (g *guest) NetConn() net.Conn { return g.Conn }

// Close implements [net.Conn].
func (g *guest) Close() error {
	err := g.Conn.Close()
	g.leave()
	return err
}
