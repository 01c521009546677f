package scan

import "time"

// A host that sent nothing may be vacant, or the path to it may have been down. Each
// of its pairs is probed once, and its further tries wait for a second round: until
// every pair has been probed, and a host near by has answered a later probe. Then no
// single outage can hide both rounds. It costs no probe: the tries are the same, only
// later.

// rounds reports whether the further tries of hosts that are not known to be up wait
// for a second round. All of these pairs must be kept, and with a time limit per host
// it would be over by then.
func (s *sweep) rounds() bool {
	return s.cfg.Retries >= 0 && s.cfg.Clock == nil && s.space.Len() <= maxUnproven
}

// postpone lets the further tries of a pair wait for the second round. It reports
// false if they need not.
func (s *sweep) postpone(i int32) bool {
	p := &s.probes[i]
	h := p.host
	if h.up != nil || p.attempts > 1 || !s.rounds() {
		return false
	}
	q := p.unsettled(s.now)
	s.vacate(i)
	if len(h.waiting) == 0 {
		s.waiters = append(s.waiters, h)
	}
	h.waiting = append(h.waiting, q)
	h.net.asked = max(h.net.asked, q.sent)
	s.unsettled++
	return true
}

// beginRound begins the second round once the first is over: in each net when a probe
// was answered that was sent after all of the first round there.
func (s *sweep) beginRound() {
	if !s.drawn || s.notUp > 0 || len(s.waiters) == 0 {
		return
	}
	for _, h := range s.waiters {
		if len(h.waiting) == 0 {
			continue // the host is up
		}
		n := h.net
		if len(n.waiters) == 0 && n.proof <= n.asked {
			s.guard(n)
		}
		if n.guard == nil {
			s.askAgain(h)
			continue
		}
		n.waiters = append(n.waiters, h)
	}
	s.waiters = nil
	for _, h := range s.guards {
		s.scheduleControl(h)
	}
	s.guards = nil
}

// guard lets a net wait for the answer of a host that is up, in the net itself if
// there is one. If there is none, the net does not wait.
func (s *sweep) guard(n *subnet) {
	if n.guard != nil {
		return
	}
	a := n.up
	if !a.IsValid() {
		a = s.lastUp
	}
	if !a.IsValid() {
		return
	}
	h := s.hosts.find(a)
	if h.up == nil || h.up.phase == blocked {
		return // nor for one that has stopped answering
	}
	if len(h.guarded) == 0 {
		s.guards = append(s.guards, h)
	}
	n.guard = h
	h.guarded = append(h.guarded, n)
}

// resumeNets resumes the nets that wait for an answer of a host, if a probe was
// answered that was sent at sent.
func (s *sweep) resumeNets(h *host, sent time.Duration) {
	keep := h.guarded[:0]
	for _, n := range h.guarded {
		if sent <= n.asked {
			keep = append(keep, n)
			continue
		}
		n.guard = nil
		for _, w := range n.waiters {
			s.askAgain(w)
		}
		n.waiters = nil
	}
	clear(h.guarded[len(keep):])
	h.guarded = keep
}

// askAgain queues the pairs of a host that wait for the second round.
func (s *sweep) askAgain(h *host) {
	h.second = true
	s.turn(h)
}
