package scan

import (
	"net"
	"net/netip"
	"sync"
)

// freed are the addresses at which a dialogue has left a place that the sweep
// had lacked.
type freed struct {
	mu    sync.Mutex
	addrs []netip.Addr
}

// admit takes a place for a probe at a host, where places are counted. A host
// without one is heard of again by roomAt.
func (s *sweep) admit(h *host) bool {
	return s.cfg.Limit == nil || s.cfg.Limit.probe(h.addr)
}

// dismiss gives back what admit took.
func (s *sweep) dismiss(h *host) {
	if s.cfg.Limit != nil {
		s.cfg.Limit.probed(h.addr)
	}
}

// handOn gives a connection away, with its place. It returns nil if there is
// no longer one, or no place for it among the dialogues.
func (s *sweep) handOn(slot int32, h *host) net.Conn {
	l := s.cfg.Limit
	if l == nil {
		return s.wire.hand(slot)
	}
	if !l.keep(h.addr) {
		s.wire.reset(slot)
		l.probed(h.addr)
		return nil
	}
	conn := s.wire.hand(slot)
	if conn == nil {
		l.Leave(h.addr)
		return nil
	}
	return l.Hold(h.addr, conn)
}

// roomAt is told of a place that the sweep had lacked. Any goroutine may call
// it.
func (s *sweep) roomAt(a netip.Addr) {
	s.freed.mu.Lock()
	defer s.freed.mu.Unlock()
	s.freed.addrs = append(s.freed.addrs, a)
	if len(s.freed.addrs) == 1 {
		s.wire.wake()
	}
}

// retake lets the hosts at which there is a place again have their turn.
func (s *sweep) retake() {
	if s.cfg.Limit == nil {
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
