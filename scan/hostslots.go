package scan

import (
	"net"
	"net/netip"
	"sync"
)

// freedHosts are the addresses that have a free slot again after the sweep was refused
// one.
type freedHosts struct {
	mu    sync.Mutex
	addrs []netip.Addr
}

// acquireHostSlot takes one of the host's slots for a probe, if slots are counted. It
// reports false if there is none; onHostSlotFree is called when there is one again.
func (s *sweep) acquireHostSlot(h *host) bool {
	return s.cfg.Slots == nil || s.cfg.Slots.AcquireProbe(h.addr)
}

// releaseHostSlot gives back what acquireHostSlot took for a probe, if it did.
func (s *sweep) releaseHostSlot(p *probe) {
	if p.slotted && s.cfg.Slots != nil {
		s.cfg.Slots.ReleaseProbe(p.host.addr)
	}
	p.slotted = false
}

// hangUp ends a connection on which nothing was said, in order if the connections to
// hosts are counted, and by RST if there are too many such: the daemon may have begun to
// greet, and logs a reset as an error.
func (s *sweep) hangUp(slot int32) {
	l := s.cfg.Slots
	if l == nil || !l.CanHangUp() {
		s.dialer.Reset(slot)
		return
	}
	if conn := s.dialer.Take(slot); conn != nil {
		_ = l.HangUp(conn) // nothing was sent
	}
}

// handOver gives a connection away, with its host slot. It returns nil if there is
// no longer one, or no slot for it: it was answered late, and other connections have
// them all, or there is none among those of dialogues.
func (s *sweep) handOver(slot int32) net.Conn {
	p, l := &s.probes[slot], s.cfg.Slots
	if l == nil {
		return s.dialer.Take(slot)
	}
	h := p.host
	if p.slotted = p.slotted || s.acquireHostSlot(h); !p.slotted || !l.Transfer(h.addr) {
		s.hangUp(slot)
		s.releaseHostSlot(p)
		return nil
	}
	p.slotted = false
	conn := s.dialer.Take(slot)
	if conn == nil {
		l.Release(h.addr)
		return nil
	}
	return l.Wrap(h.addr, conn)
}

// onHostSlotFree records that a host has a slot again. Any goroutine may call it.
func (s *sweep) onHostSlotFree(a netip.Addr) {
	s.freed.mu.Lock()
	defer s.freed.mu.Unlock()
	s.freed.addrs = append(s.freed.addrs, a)
	if len(s.freed.addrs) == 1 {
		s.dialer.Wake()
	}
}

// requeueFreed queues the hosts that have a slot again.
func (s *sweep) requeueFreed() {
	if s.cfg.Slots == nil {
		return
	}
	s.freed.mu.Lock()
	addrs := s.freed.addrs
	s.freed.addrs = nil
	s.freed.mu.Unlock()
	for _, a := range addrs {
		if h := s.hosts.hosts[a]; h != nil {
			s.turn(h)
		}
	}
}
