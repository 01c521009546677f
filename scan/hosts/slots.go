// Package hosts bounds what one host is asked at a time: the connections to it,
// and the time for it.
package hosts

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Slots bounds how many connections to each address are open at once: each takes
// a slot of the address, be it a probe of a sweep or a dialogue on what the sweep
// found. It may be used by several goroutines, but by one sweep at a time.
type Slots struct {
	each, total int

	mu     sync.Mutex
	hosts  map[netip.Addr]*hostSlots
	onFree func(netip.Addr) // see OnFree; nil for nobody
}

// hostSlots are the slots of one address.
type hostSlots struct {
	probes, dialogues int
	waiting           []chan struct{} // dialogues, the first comes first
	sweepWaits        bool            // the sweep was refused a slot, and none became free since
}

// NewSlots gives each address so many slots for probes and as many for dialogues,
// but a quarter more than that together, one more at least, so that neither keeps
// the other out. Less than one counts as 8, which are 10 together.
func NewSlots(each int) *Slots {
	if each < 1 {
		each = 8
	}
	return &Slots{each: each, total: each + max(1, each/4), hosts: make(map[netip.Addr]*hostSlots)}
}

// Each is how many slots of an address there are for dialogues, and for probes.
func (s *Slots) Each() int { return s.each }

// Acquire takes a slot of a for a dialogue, and waits for one if there is none.
// Who has it must [Slots.Release] it. The error is the cause of ctx.
func (s *Slots) Acquire(ctx context.Context, a netip.Addr) error {
	s.mu.Lock()
	h := s.of(a)
	if len(h.waiting) == 0 && s.room(h) {
		h.dialogues++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	h.waiting = append(h.waiting, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(h.waiting, turn); i >= 0 {
		h.waiting = slices.Delete(h.waiting, i, i+1)
	} else {
		h.dialogues-- // its turn came at the same time
	}
	s.grant(a, h)
	return context.Cause(ctx)
}

// Release gives back what Acquire took.
func (s *Slots) Release(a netip.Addr) { s.give(a, func(h *hostSlots) { h.dialogues-- }) }

// give changes what an address has taken, and grants what became free.
func (s *Slots) give(a netip.Addr, change func(*hostSlots)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[a]
	change(h)
	s.grant(a, h)
}

// InUse returns how many slots of a are taken, by probes of a sweep and by
// dialogues.
func (s *Slots) InUse(a netip.Addr) (probes, dialogues int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[a]; h != nil {
		return h.probes, h.dialogues
	}
	return 0, 0
}

// OnFree sets what is called when an address that [Slots.AcquireProbe] had no slot
// of has one again; nil for nothing. It must not call back into s.
func (s *Slots) OnFree(freed func(netip.Addr)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onFree = freed
}

// of returns those of a. The caller holds the lock.
func (s *Slots) of(a netip.Addr) *hostSlots {
	h := s.hosts[a]
	if h == nil {
		h = &hostSlots{}
		s.hosts[a] = h
	}
	return h
}

// room reports whether there is a slot for a dialogue.
func (s *Slots) room(h *hostSlots) bool {
	return h.dialogues < s.each && h.probes+h.dialogues < s.total
}

// AcquireProbe takes a slot of a for a probe of a sweep; it reports false if there
// is none. Where dialogues wait, the sweep keeps no more than the slots that are
// not for them.
func (s *Slots) AcquireProbe(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.of(a)
	most := s.each
	if len(h.waiting) > 0 {
		most = s.total - s.each
	}
	if h.probes >= most || h.probes+h.dialogues >= s.total {
		h.sweepWaits = true
		return false
	}
	h.probes++
	return true
}

// ReleaseProbe gives back what AcquireProbe took.
func (s *Slots) ReleaseProbe(a netip.Addr) { s.give(a, func(h *hostSlots) { h.probes-- }) }

// Transfer makes the slot of a probe that of a dialogue. It reports false, and the
// probe keeps it, if dialogues may not have one more.
func (s *Slots) Transfer(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[a]
	if h.dialogues >= s.each || len(h.waiting) > 0 {
		return false
	}
	h.probes--
	h.dialogues++
	s.grant(a, h)
	return true
}

// Wrap returns a connection that releases its slot, which a dialogue must have
// acquired, when it is closed.
func (s *Slots) Wrap(a netip.Addr, c net.Conn) net.Conn {
	return &slotConn{Conn: c, release: sync.OnceFunc(func() { s.Release(a) })}
}

// Detach releases the slot of a connection that Wrap returned, which stays open; c
// may be that connection or one on top of it. Any other is left alone.
func (s *Slots) Detach(c net.Conn) {
	for {
		if own, ok := c.(*slotConn); ok {
			own.release()
			return
		}
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return
		}
		c = inner.NetConn()
	}
}

// grant gives free slots to who waits. The caller holds the lock.
func (s *Slots) grant(a netip.Addr, h *hostSlots) {
	for len(h.waiting) > 0 && s.room(h) {
		close(h.waiting[0])
		h.waiting = h.waiting[1:]
		h.dialogues++
	}
	if h.sweepWaits && s.onFree != nil {
		h.sweepWaits = false
		s.onFree(a)
	}
	if h.probes == 0 && h.dialogues == 0 && len(h.waiting) == 0 {
		delete(s.hosts, a)
	}
}

// A slotConn is a connection that has a slot until it is closed.
type slotConn struct {
	net.Conn
	release func()
}

// NetConn is the connection itself, as [crypto/tls.Conn.NetConn] is that below
// TLS.
func (c *slotConn) NetConn() net.Conn { return c.Conn }

// Close implements [net.Conn].
func (c *slotConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
