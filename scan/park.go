package scan

import (
	"fmt"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// maxUnproven is how many silent pairs of hosts of which nothing was heard are
// kept without a result, so that they can be asked again should the host turn
// up. Sweeps of more pairs let the oldest of them go.
const maxUnproven = 1 << 16

// park lets a pair of a host that is up wait, after its first try stayed silent,
// until the host has answered a probe that left later. All tries in one stretch
// without an answer may get lost together, in an outage that begins and ends
// between two controls; two with an answer in between would take two outages.
// It costs no probe: the further tries are the same, only later. It reports
// false if the pair need not wait.
func (s *sweep) park(i int32) bool {
	p := &s.probes[i]
	h, u := p.host, p.host.up
	if u == nil || u.failed || u.phase == blocked || p.attempts > 1 || p.sent < u.proof || s.unsettled >= maxUnsettled {
		return false
	}
	q := p.unsettled(s.now)
	s.vacate(i)
	u.parked = append(u.parked, q)
	s.unsettled++
	s.look(h)
	return true
}

// unpark lets the pairs have their further tries that had the first one before
// the latest proof.
func (s *sweep) unpark(h *host) {
	u := h.up
	keep := u.parked[:0]
	for _, q := range u.parked {
		if q.sent >= u.proof {
			keep = append(keep, q)
			continue
		}
		u.again = append(u.again, q)
	}
	if len(keep) < len(u.parked) {
		s.turn(h)
	}
	if u.parked = keep; len(keep) == 0 {
		u.parked = nil
	}
}

// silentHost deals with a silent pair of a host of which nothing was heard. Its
// result waits for the end of the part of the host: until then the host may turn
// up.
func (s *sweep) silentHost(h *host, q unsettled) {
	h.unproven = append(h.unproven, q)
	s.quiet = append(s.quiet, h)
	s.unproven++
	s.unsettled++
	s.stats.Done++ // as long as the host stays silent
	for s.unproven > maxUnproven {
		s.letGo()
	}
	if len(s.quiet) > 2*maxUnproven {
		keep := s.quiet[:0]
		for _, h := range s.quiet {
			if len(h.unproven) > 0 {
				keep = append(keep, h)
			}
		}
		clear(s.quiet[len(keep):])
		s.quiet = keep
	}
	s.endSilent(h)
}

// letGo reports the oldest silent pair that is kept.
func (s *sweep) letGo() {
	h := s.quiet[0]
	s.quiet[0] = nil
	s.quiet = s.quiet[1:]
	if len(h.unproven) == 0 {
		return // the host has turned up
	}
	q := h.unproven[0]
	h.unproven = h.unproven[1:]
	s.forgetSilent(1)
	s.yieldSilent(h, q)
	if !h.pinned() {
		s.hosts.rest(h)
	}
}

// endSilent reports the silent pairs of a host of which nothing was heard, once
// none of its pairs is left to be asked.
func (s *sweep) endSilent(h *host) {
	if !s.drawn || h.pairs > 0 || len(h.waiting) > 0 || h.up != nil {
		return
	}
	s.letGoOf(h)
	s.hosts.rest(h)
}

// letGoOf reports the silent pairs of a host of which nothing was heard.
func (s *sweep) letGoOf(h *host) {
	list := h.unproven
	h.unproven = nil
	s.forgetSilent(len(list))
	for _, q := range list {
		s.yieldSilent(h, q)
	}
}

// forgetSilent says that so many silent pairs are no longer kept.
func (s *sweep) forgetSilent(n int) {
	s.unproven -= n
	s.unsettled -= n
	s.stats.Done -= uint64(n)
}

// yieldSilent reports a silent pair of a host of which nothing was heard.
func (s *sweep) yieldSilent(h *host, q unsettled) {
	r := Result{State: result.StateFiltered, Reason: q.as.Reason()}
	if s.hosts.forgot {
		r.State, r.Err = result.StateUnknown, fmt.Errorf("asking %v: more hosts are up than can be tracked", h.addr)
	}
	s.yield(h, q, r)
}

// wakeUp deals with the silent pairs of a host that has turned up, by a probe
// that left at sent. No control had shown that the host, or the path to it, was
// there when those were asked whose last try left before: they get one more.
func (s *sweep) wakeUp(h *host, sent time.Duration) {
	u := h.up
	s.unheardOf -= int(h.pairs)
	for _, q := range h.waiting {
		if q.sent >= sent {
			u.parked = append(u.parked, q)
		} else {
			u.again = append(u.again, q)
		}
	}
	list := h.unproven
	h.unproven, h.waiting = nil, nil
	s.forgetSilent(len(list))
	s.unsettled += len(list)
	for _, q := range list {
		if q.sent >= sent {
			u.held = append(u.held, q)
			continue
		}
		q.attempts--
		q.earlier++
		u.again = append(u.again, q)
	}
	s.turn(h)
}
