package scan

import (
	"container/heap"
	"slices"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// begin starts the time of a host whose first probe is sent.
func (s *sweep) begin(h *host) {
	if s.cfg.Clock == nil || h.timed {
		return
	}
	h.timed = true
	// By address, because the sweep may forget the host earlier.
	heap.Push(&s.alarms, alarm{at: s.cfg.Clock.Begin(h.addr).Sub(s.start), ends: h.addr})
}

// overtime reports whether the time of a host is over of which a pair was drawn; the
// pair then has a result. A blocked host keeps its own reason.
func (s *sweep) overtime(h *host, port uint16) bool {
	if s.cfg.Clock == nil || h.up != nil && h.up.phase == blocked || !s.cfg.Clock.Refuses(h.addr) {
		return false
	}
	s.yieldOver(h, unsettled{port: port, as: dialer.Silent})
	if !h.pinned() {
		s.hosts.setIdle(h)
	}
	return true
}

// endTimes ends the hosts whose time is over.
func (s *sweep) endTimes(hosts []*host) {
	for _, h := range hosts {
		if h != nil && len(h.unproven) > 0 {
			s.letGoOf(h) // it was silent all the time
		}
	}
	// The pairs under way are searched once for all of these hosts.
	hosts = slices.DeleteFunc(hosts, func(h *host) bool { return h == nil || !h.pinned() || !s.cfg.Clock.Refuses(h.addr) })
	if len(hosts) == 0 {
		return
	}
	for _, h := range hosts {
		h.over = true
	}
	for i := range s.probes {
		if p := &s.probes[i]; p.used && p.host.over {
			if h, q, ok := s.takeBack(int32(i)); ok {
				s.yieldOver(h, q)
			}
		}
	}
	for _, h := range hosts {
		h.over, h.head, h.tail = false, none, none
		s.endTime(h)
	}
}

// endTime reports the pairs of a host that have no slot.
func (s *sweep) endTime(h *host) {
	var lists [][]unsettled
	if u := h.up; u != nil {
		for _, q := range u.late {
			s.unsettled--
			s.yieldProven(h, q)
		}
		lists = append(lists, u.held, u.parked, u.again)
		u.held, u.parked, u.late, u.again = nil, nil, nil, nil
		if u.phase != blocked {
			u.phase, u.failed = trusted, false // no control is to be probed
		}
	}
	for _, list := range lists {
		for _, q := range list {
			s.unsettled--
			s.yieldOver(h, q)
		}
	}
	s.hosts.setIdle(h)
}

// yieldOver reports a pair of a host whose time is over.
func (s *sweep) yieldOver(h *host, q unsettled) {
	if q.ended == 0 {
		q.ended = s.now // never probed
	}
	s.yield(h, q, Result{State: result.StateUnknown, Reason: result.ReasonHostTimeout, Err: s.cfg.Clock.Err()})
}
