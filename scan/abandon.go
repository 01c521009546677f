package scan

import (
	"fmt"
	"net/netip"

	"github.com/mxsweep/mxsweep/result"
)

// abandon reports the pairs under way when the sweep was stopped as unknown: a pair
// that is silent so far may still have answered.
func (s *sweep) abandon(cause error) {
	for i := range s.probes {
		if !s.probes[i].used {
			continue
		}
		if h, q, ok := s.takeBack(int32(i)); ok {
			s.leave(h, q, cause)
		}
	}
	for _, h := range s.hosts.hosts {
		lists := [][]unsettled{h.unproven, h.waiting}
		s.stats.Done -= uint64(len(h.unproven))
		if u := h.up; u != nil {
			lists = append(lists, u.held, u.parked, u.late, u.again)
		}
		for _, list := range lists {
			for _, q := range list {
				s.leave(h, q, cause)
			}
		}
	}
}

// takeBack ends a probe under way and frees its slot. It returns the pair, which then
// has no result; it reports false for a control.
func (s *sweep) takeBack(i int32) (h *host, q unsettled, ok bool) {
	p := &s.probes[i]
	h = p.host
	if p.spoke != none {
		s.dialer.Drop(i)
		s.releaseProbe(i)
		s.releaseHostSlot(p)
	}
	q, ok = p.unsettled(s.now), !p.control
	if p.control {
		h.up.flying = false
	}
	s.vacate(i)
	return h, q, ok
}

// leave reports a pair that is no longer probed, if it was probed at all.
func (s *sweep) leave(h *host, q unsettled, cause error) {
	if q.attempts+q.earlier == 0 && !s.late() {
		return
	}
	q.ended, q.from = s.now, netip.Addr{}
	s.yield(h, q, Result{State: result.StateUnknown, Reason: result.ReasonUnknown, Err: fmt.Errorf("probing %v port %d: %w", h.addr, q.port, cause)})
}
