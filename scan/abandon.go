package scan

import (
	"fmt"
	"net/netip"
)

// abandon reports the pairs under way when the sweep was stopped: what is
// silent so far might yet have answered.
func (s *sweep) abandon(cause error) {
	for i := range s.probes {
		p := &s.probes[i]
		if !p.used {
			continue
		}
		if p.spoke != none {
			s.wire.drop(int32(i))
			s.unask(int32(i))
			s.dismiss(p.host)
		}
		h, q := p.host, p.unsettled(s.now)
		control := p.control
		s.vacate(int32(i))
		if !control {
			s.leave(h, q, cause)
		}
	}
	for _, h := range s.hosts.hosts {
		lists := [][]unsettled{h.unproven}
		if u := h.up; u != nil {
			lists = append(lists, u.held, u.late, u.again)
		}
		for _, list := range lists {
			for _, q := range list {
				s.leave(h, q, cause)
			}
		}
	}
}

// leave reports a pair that is no longer asked, if it ever was.
func (s *sweep) leave(h *host, q unsettled, cause error) {
	if q.attempts+q.earlier == 0 && !s.late() {
		return
	}
	q.ended, q.from = s.now, netip.Addr{}
	s.yield(h, q, Result{State: StateUnknown, Reason: ReasonUnknown, Err: fmt.Errorf("asking %v port %d: %w", h.addr, q.port, cause)})
}
