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
	if h.up != nil || p.attempts > 1 || h.second || !s.rounds() {
		return false
	}
	q := p.unsettled(s.now)
	s.vacate(i)
	if len(h.waiting) == 0 {
		s.waiters = append(s.waiters, h)
	}
	h.waiting = append(h.waiting, q)
	s.unsettled++
	s.waiting++
	return true
}

// beginRound begins the second round once the first is over: in each net when a probe
// was answered that was sent after all of the first round there.
func (s *sweep) beginRound() {
	if !s.drawn || s.inFirstRound() || len(s.waiters) == 0 {
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

// inFirstRound reports whether pairs are still in the first round. Where a host is up
// to tell when the path works again, and no rate makes this wait short beside others, the
// round is over once all have been probed, although some probes may still be answered.
func (s *sweep) inFirstRound() bool {
	if s.limit != nil || !s.lastUp.IsValid() {
		return s.notUp > 0
	}
	return s.notUp > s.notUpAsked
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

// askAgain queues the pairs of a host that wait for the second round, but for those
// that need no further try.
func (s *sweep) askAgain(h *host) {
	h.second = true
	if s.lossless(h) {
		h.waived = split(h.waiting, h.net.path.worked)
		s.waived += h.waived
	}
	s.turn(h)
}

// inSecondRound reports whether a pair of a host is to be probed in the second round.
func (h *host) inSecondRound() bool { return h.second && len(h.waiting) > h.waived }

// Where a rate limits a sweep, most of its time may go into probing vacant addresses
// again. Where nothing gets lost, a second try finds a host that is back since the
// first, or a port whose first try met a short outage. It is not needed for all pairs
// of an address: a host that is back answers on any of its ports, unless it drops most
// of them, and an outage of the path is seen by the answers of its neighbors.
const (
	losslessAnswers = 1000                   // of a net, none of them after a loss
	secondTries     = 32                     // pairs of a silent host that are probed again in any case
	maxLapse        = 100 * time.Millisecond // a longer time without an answer may have been an outage
	maxLapses       = 256                    // of these that are kept
)

// lossless reports whether the further tries of most pairs of a silent host can be
// left out: none of many probes in its net was lost.
func (s *sweep) lossless(h *host) bool {
	return s.limit != nil && s.all.lost == 0 && h.net.est.lost == 0 && h.net.est.answers >= losslessAnswers
}

// waivable returns how many pairs will probably have no second try. Before the second
// round it assumes that the pairs still to be probed behave as those so far.
func (s *sweep) waivable() int {
	switch {
	case len(s.waiters) == 0:
		return s.waived
	case s.limit == nil || s.all.lost > 0 || s.stats.Probed == 0:
		return 0
	}
	more := float64(s.space.Len()) / float64(s.stats.Probed)
	if float64(s.all.answers)*more < losslessAnswers {
		return 0
	}
	return max(0, int(float64(s.waiting)*more)-secondTries*len(s.waiters))
}

// split puts the pairs that are not to be probed again in front of the others, and
// returns how many they are: the path worked when they were probed, and there are
// secondTries others.
func split(list []unsettled, worked func(sent time.Duration) bool) int {
	n := 0
	for i := range list {
		if !list[i].as.Unreachable() && worked(list[i].sent) {
			list[n], list[i] = list[i], list[n]
			n++
		}
	}
	return min(n, max(len(list)-secondTries, 0))
}

// waive settles the pairs of a silent host that had no second try. It reports false if
// they are probed after all, because a loss has shown meanwhile.
func (s *sweep) waive(h *host) bool {
	if len(h.waiting) == 0 {
		return true
	}
	if h.waived = 0; !s.lossless(h) {
		s.waived -= len(h.waiting)
		s.turn(h)
		return false
	}
	list := h.waiting
	h.waiting = nil
	s.unsettled -= len(list)
	for _, q := range list {
		s.yieldSilent(h, q)
	}
	return true
}

// A path is when the path to a net was known to work: when probes were sent that were
// answered.
type path struct {
	latest time.Duration // when the latest of these was sent
	lapses []lapse       // longer times without one, at most maxLapses
}

// A lapse is a time in which no probe was sent that was answered.
type lapse struct{ from, to time.Duration }

// answered records that a probe was answered that was sent at sent.
func (p *path) answered(sent time.Duration) {
	if sent-p.latest > maxLapse && len(p.lapses) < maxLapses {
		p.lapses = append(p.lapses, lapse{p.latest, sent})
	}
	p.latest = max(p.latest, sent)
}

// worked reports whether probes were answered that had been sent shortly before and
// after sent.
func (p *path) worked(sent time.Duration) bool {
	if sent > p.latest || len(p.lapses) == maxLapses {
		return false
	}
	for _, l := range p.lapses {
		if sent > l.from && sent < l.to {
			return false
		}
	}
	return true
}
