package syn

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// lastWhole returns when the last pass began that probed all silent pairs and had no
// outage; 0 if there was none in this run.
func (r *run) lastWhole() (began int64) {
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	for pass, at := range r.loss.ends {
		if at != 0 && !r.loss.discarded[pass] {
			began = r.pass.starts[pass].Load()
		}
	}
	return began
}

// twice reports whether each silent pair was probed in two passes of this run without
// an outage. Neighbors without a hardware address were not probed.
func (r *run) twice() bool {
	if r.wasSilent > 0 || r.s.counts.blockedMidScan.Load() {
		return false
	}
	for h, targets := range r.s.view.neighbours() {
		if len(h.macs) < len(targets) {
			return false
		}
	}
	whole := 0
	for pass := range int(r.pass.number.Load()) + 1 {
		dead := r.dead(pass)
		r.loss.mu.Lock()
		if r.loss.ends[pass] != 0 && !r.loss.discarded[pass] && !dead {
			whole++
		}
		r.loss.mu.Unlock()
	}
	return whole > 1
}

// noneAnswers reports whether none of the hosts with silent pairs answers any more. It
// probes those that did not answer after the last pass, until that is certain.
func (r *run) noneAnswers(pass int) bool {
	r.findRefusing()
	for r.ctx.Err() == nil {
		before, enough := now()-int64(r.timeout()), silence(r.s.counts.lossNow())
		all, sound, pending := 0, 0, false
		again := r.pick(func(h *upHost) bool {
			if r.silentOf(h) == 0 {
				return false
			}
			all++
			r.hosts.expire(h, before, enough, true)
			switch {
			case h.proof >= r.pass.end && h.missed == 0:
				sound++
			case h.missed >= enough:
			default:
				pending = true
				return h.asked == 0
			}
			return false
		})
		if !pending {
			return all > 0 && sound == 0 && !r.othersAnswer(pass)
		}
		r.askControls(pass, again)
		r.await(now() + int64(10*time.Millisecond))
	}
	return false
}

// allSilent reports whether there are hosts with silent pairs, and none of them
// answered its last controls.
func (r *run) allSilent(pass int) bool {
	enough := silence(r.s.counts.lossNow())
	all, silent := 0, 0
	r.pick(func(h *upHost) bool {
		if r.silentOf(h) > 0 {
			all++
			if h.missed >= enough {
				silent++
			}
		}
		return false
	})
	return all > 0 && silent == all && !r.othersAnswer(pass)
}

// othersAnswer reports whether hosts without silent pairs still answer, so that the
// path works.
func (r *run) othersAnswer(pass int) bool {
	begun, n := now(), 0
	r.askControls(pass, r.pick(func(h *upHost) bool {
		if n == outageHosts || r.silentOf(h) > 0 {
			return false
		}
		n++
		h.asked = 0
		return true
	}))
	for end := now() + int64(r.timeout()); n > 0 && now() < end && r.ctx.Err() == nil; {
		if r.latest() >= begun {
			return true
		}
		r.await(now() + int64(time.Millisecond))
	}
	return false
}

// confirm finds, after all passes, the hosts that answered a control after the last
// pass and were never silent in between: the silence of their other pairs is proven.
// The pairs of the others are probed again, a few at a time.
//
// That includes hosts that first answered in the last of several passes: the host, or
// the path to it, may have been down before, so that its silence before proves
// nothing. In a sweep of a single pass that cannot be detected.
func (r *run) confirm() {
	r.confirmResets(int(r.pass.number.Load()))
	r.findRefusing()
	r.sampleLoss()
	whole := r.lastWhole()
	ids := r.pick(func(h *upHost) bool {
		late := h.since >= whole && r.s.config.Retries >= 0
		sound := whole != 0 && !late && h.proof >= r.pass.end && !h.suspect
		return !sound && r.silentOf(h) > 0
	})
	if !r.s.counts.blockedMidScan.Load() && r.ctx.Err() == nil {
		r.recheck(ids)
		r.sampleLoss()
	}
	if r.ctx.Err() != nil {
		return
	}
	defer r.publishFinalLoss()
	t := r.hosts
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortFunc(ids, func(a, b uint32) int { return cmp.Compare(t.all[a].first, t.all[b].first) })
	for _, id := range ids {
		h := &t.all[id]
		left := r.answered.unset(h.first+uint64(h.proven), uint64(h.pairs-h.proven))
		if left == 0 || r.late(h) {
			continue
		}
		r.unsound = append(r.unsound, id)
		r.s.counts.block(scan.BlockedHost{Addr: r.s.view.at(h.first).Addr(), Since: time.Unix(0, h.proof), Pairs: left})
	}
	if t.full {
		r.s.counts.unproven.Store(true)
	}
	r.blame()
}

// blame removes the validation probes of hosts that are gone from the loss. The caller
// holds the lock of the hosts.
func (r *run) blame() {
	t := r.hosts
	for _, id := range r.unsound {
		t.all[id].suspect = true
	}
	t.gone = 0
	for id := range t.all {
		h := &t.all[id]
		h.suspect = h.suspect || r.s.counts.blockedMidScan.Load()
		t.gone += t.goneOf(h)
	}
}

// proof says, for silent pairs in ascending order, whether the host of each is up and
// its silence proves nothing.
type proof struct {
	run  *run
	next int // index in unsound of the host of the last pair, or the next one
	err  error
}

// unproven returns why the silence of pair i proves nothing; nil if it counts.
func (p *proof) unproven(i uint64) error {
	r, t := p.run, p.run.hosts
	for p.next < len(r.unsound) {
		h := &t.all[r.unsound[p.next]]
		if i < h.first {
			break
		}
		if i >= h.first+uint64(h.pairs) {
			p.next, p.err = p.next+1, nil
			continue
		}
		if i < h.first+uint64(h.proven) {
			return nil
		}
		if p.err == nil {
			p.err = &blockedError{since: time.Unix(0, h.proof)}
		}
		return p.err
	}
	switch {
	case r.s.counts.blockedMidScan.Load():
		return &blockedError{since: time.Unix(0, t.latest)}
	case t.full:
		if first, _ := r.s.view.host(i, r.s.view.find(i)); t.find(first) == nil {
			return errManyUp
		}
	}
	return nil
}

// A blockedError is why the silence of a pair proves nothing.
type blockedError struct{ since time.Time }

// Error says since when nothing was received.
func (e *blockedError) Error() string {
	return fmt.Sprintf("no answer since %s, not even from ports that had answered", e.since.UTC().Format("15:04:05 UTC"))
}

// errManyUp is why the silence of a host's pairs proves nothing if more hosts are up
// than are stored.
var errManyUp = fmt.Errorf("more than %d hosts are up: no control was probed", maxUp)
