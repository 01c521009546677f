package scan

import (
	"fmt"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// maxUnproven is how many silent pairs of hosts that are not known to be up are kept
// without a result, so that they can be probed again if the host answers later. In
// sweeps of more pairs the oldest are reported.
const maxUnproven = 1 << 16

// park lets a pair of a host that is up wait, after its first try stayed silent, until
// the host has answered a later probe. All tries in a row without an answer may be
// lost in one outage that begins and ends between two controls; with an answer in
// between, it takes two outages. It costs no probe: the further tries are the same,
// only later. It reports false if the pair need not wait.
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
	s.scheduleControl(h)
	return true
}

// unpark queues the further tries of the pairs whose first try was before the latest
// proof.
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

// silentHost handles a silent pair of a host that is not known to be up. Its result
// waits for the end of the part of the host: until then the host may answer.
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

// letGo reports the oldest of the kept silent pairs.
func (s *sweep) letGo() {
	h := s.quiet[0]
	s.quiet[0] = nil
	s.quiet = s.quiet[1:]
	if len(h.unproven) == 0 {
		return // the host is up
	}
	q := h.unproven[0]
	h.unproven = h.unproven[1:]
	s.forgetSilent(1)
	s.yieldSilent(h, q)
	if !h.pinned() {
		s.hosts.setIdle(h)
	}
}

// endSilent reports the silent pairs of a host that is not known to be up, once all
// its pairs were probed.
func (s *sweep) endSilent(h *host) {
	if !s.drawn || h.pairs > 0 || len(h.waiting) > h.waived || h.up != nil || !s.waive(h) {
		return
	}
	s.letGoOf(h)
	s.hosts.setIdle(h)
}

// letGoOf reports the silent pairs of a host that is not known to be up.
func (s *sweep) letGoOf(h *host) {
	list := h.unproven
	h.unproven = nil
	s.forgetSilent(len(list))
	for _, q := range list {
		s.yieldSilent(h, q)
	}
}

// forgetSilent records that n silent pairs are no longer kept.
func (s *sweep) forgetSilent(n int) {
	s.unproven -= n
	s.unsettled -= n
	s.stats.Done -= uint64(n)
}

// yieldSilent reports a silent pair of a host that is not known to be up.
func (s *sweep) yieldSilent(h *host, q unsettled) {
	r := Result{State: result.StateFiltered, Reason: q.as.Reason()}
	if s.hosts.forgot {
		r.State, r.Err = result.StateUnknown, fmt.Errorf("probing %v: more hosts are up than can be tracked", h.addr)
	}
	s.yield(h, q, r)
}

// firstAnswer handles the silent pairs of a host that answered for the first time, a probe
// that was sent at sent. No control had shown that the host, or the path to it, was
// there when they were probed: those whose last try is older get one more. All tries do
// not count if the host was silent for the whole first round: it may not have been
// there, and then nothing was lost.
func (s *sweep) firstAnswer(h *host, sent time.Duration) {
	u := h.up
	s.notUp -= int(h.pairs)
	s.notUpAsked -= int(h.asked)
	for _, q := range h.waiting {
		if h.second {
			q.voidTries()
		}
		if q.sent >= sent {
			u.parked = append(u.parked, q)
		} else {
			u.again = append(u.again, q)
		}
	}
	s.waiting -= len(h.waiting)
	s.waived -= h.waived
	list := h.unproven
	h.unproven, h.waiting, h.waived = nil, nil, 0
	s.forgetSilent(len(list))
	s.unsettled += len(list)
	for _, q := range list {
		if q.sent >= sent {
			u.held = append(u.held, q)
			continue
		}
		if q.attempts, q.earlier = q.attempts-1, q.earlier+1; h.second {
			q.voidTries()
		}
		u.again = append(u.again, q)
	}
	s.turn(h)
}
