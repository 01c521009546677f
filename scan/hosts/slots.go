// Package hosts limits the load on one host: the connections to it, and the time for
// it.
package hosts

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Slots limits how many connections to each address are open at once: each takes a
// slot of the address, for a probe of a sweep or for a dialogue on an open port. It
// may be used by several goroutines, but by one sweep at a time.
type Slots struct {
	// NotAfter is when the connections that [Slots.HangUp] ended are reset, so that
	// nothing is sent afterwards, not even repetitions by the kernel; the zero Time is
	// never. It must not change once a connection is open.
	NotAfter time.Time

	// Ending is how many connections [Slots.HangUp] listens to at once after their end.
	// Each takes a file; further ones are closed at once. Less than one, and more than
	// 256, count as 256. It must not change once a connection is open.
	Ending int

	each, total int

	mu     sync.Mutex
	hosts  map[netip.Addr]*hostSlots
	onFree func(netip.Addr) // see OnFree; may be nil

	ending ending
}

// hostSlots are the slots of one address.
type hostSlots struct {
	probes, dialogues int
	waiting           []chan struct{} // dialogues, first come, first served
	sweepWaits        bool            // the sweep was refused a slot, and none has become free since
}

// NewSlots gives each address this many slots for probes and as many for dialogues,
// but only a quarter more than that for both together (at least one more), so that
// neither excludes the other. Less than one counts as 8, which gives 10 together.
func NewSlots(each int) *Slots {
	if each < 1 {
		each = 8
	}
	return &Slots{each: each, total: each + max(1, each/4), hosts: make(map[netip.Addr]*hostSlots)}
}

// Each returns how many slots an address has for dialogues, and for probes.
func (s *Slots) Each() int { return s.each }

// Acquire takes a slot of a for a dialogue, and waits for one if there is none. The
// caller must [Slots.Release] it. The error is the cause of ctx.
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
		h.dialogues-- // the slot was granted at the same time
	}
	s.grant(a, h)
	return context.Cause(ctx)
}

// Release returns a slot of Acquire.
func (s *Slots) Release(a netip.Addr) { s.give(a, func(h *hostSlots) { h.dialogues-- }) }

// give changes the counts of an address, and grants the slots that became free.
func (s *Slots) give(a netip.Addr, change func(*hostSlots)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[a]
	change(h)
	s.grant(a, h)
}

// InUse returns how many slots of a are in use, by probes of a sweep and by dialogues.
func (s *Slots) InUse(a netip.Addr) (probes, dialogues int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[a]; h != nil {
		return h.probes, h.dialogues
	}
	return 0, 0
}

// OnFree sets the function that is called when an address for which
// [Slots.AcquireProbe] had no slot has one again; nil for none. It must not call
// methods of s.
func (s *Slots) OnFree(freed func(netip.Addr)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onFree = freed
}

// of returns the slots of a. The caller holds the lock.
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

// AcquireProbe takes a slot of a for a probe of a sweep; it reports false if there is
// none. While dialogues wait, the sweep only gets the slots that are not reserved for
// them.
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

// ReleaseProbe returns a slot of AcquireProbe.
func (s *Slots) ReleaseProbe(a netip.Addr) { s.give(a, func(h *hostSlots) { h.probes-- }) }

// Transfer turns the slot of a probe into one of a dialogue. It reports false, and the
// probe keeps the slot, if dialogues may not have one more.
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
// acquired, when it is closed, and that is closed in order ([Slots.HangUp]).
func (s *Slots) Wrap(a netip.Addr, c net.Conn) net.Conn {
	return &slotConn{Conn: c, slots: s, release: sync.OnceFunc(func() { s.Release(a) })}
}

// Detach releases the slot of a connection that Wrap returned, which stays open; c may
// be that connection or one that wraps it. Other connections are not changed.
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

// grant gives free slots to the dialogues that wait. The caller holds the lock.
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
	slots   *Slots
	release func()
}

// NetConn returns the wrapped connection, as [crypto/tls.Conn.NetConn] does.
func (c *slotConn) NetConn() net.Conn { return c.Conn }

// Close implements [net.Conn].
func (c *slotConn) Close() error {
	err := c.slots.HangUp(c.Conn)
	c.release()
	return err
}
