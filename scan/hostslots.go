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

// releaseHostSlot returns a slot of acquireHostSlot.
func (s *sweep) releaseHostSlot(h *host) {
	if s.cfg.Slots != nil {
		s.cfg.Slots.ReleaseProbe(h.addr)
	}
}

// handOver gives a connection to the consumer, with its host slot. It returns nil if
// the connection no longer exists, or if dialogues have no slot left.
func (s *sweep) handOver(slot int32, h *host) net.Conn {
	l := s.cfg.Slots
	if l == nil {
		return s.dialer.Take(slot)
	}
	if !l.Transfer(h.addr) {
		s.dialer.Reset(slot)
		l.ReleaseProbe(h.addr)
		return nil
	}
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
