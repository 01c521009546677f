package scan

import (
	"container/heap"
	"slices"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// begin starts the time of a host whose first probe leaves.
func (s *sweep) begin(h *host) {
	if s.cfg.Clock == nil || h.timed {
		return
	}
	h.timed = true
	// By address: the sweep may forget the host before.
	heap.Push(&s.alarms, alarm{at: s.cfg.Clock.Begin(h.addr).Sub(s.start), ends: h.addr})
}

// overtime reports whether the time of a host of which a pair was drawn is over.
// The pair then has a result. A host that is blocked has its own reason.
func (s *sweep) overtime(h *host, port uint16) bool {
	if s.cfg.Clock == nil || h.up != nil && h.up.phase == blocked || !s.cfg.Clock.Refuses(h.addr) {
		return false
	}
	s.yieldOver(h, unsettled{port: port, as: dialer.Silent})
	if !h.pinned() {
		s.hosts.rest(h)
	}
	return true
}

// endTimes ends the asking of hosts whose time is over.
func (s *sweep) endTimes(hosts []*host) {
	for _, h := range hosts {
		if h != nil && len(h.unproven) > 0 {
			s.letGoOf(h) // it was silent all its time
		}
	}
	// What is under way is looked for once for all of them.
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

// endTime gives those pairs of a host a result that have no slot.
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
			u.phase, u.failed = trusted, false // no control is to be asked
		}
	}
	for _, list := range lists {
		for _, q := range list {
			s.unsettled--
			s.yieldOver(h, q)
		}
	}
	s.hosts.rest(h)
}

// yieldOver reports a pair of a host whose time is over.
func (s *sweep) yieldOver(h *host, q unsettled) {
	if q.ended == 0 {
		q.ended = s.now // never asked
	}
	s.yield(h, q, Result{State: result.StateUnknown, Reason: result.ReasonHostTimeout, Err: s.cfg.Clock.Err()})
}
