package syn

import (
	"math"
	"time"

	"mxsweep/scan"
)

// minSampled is how many controls and witnesses must have been asked before it is
// known how much gets lost, where each pair is asked once.
const minSampled = 9

// sampleLoss asks controls until it is known how much gets lost, where each pair
// is asked once. Hosts that stopped answering are not asked: they tell nothing.
func (r *run) sampleLoss() {
	pass := int(r.pass.Load())
	for r.hosts.once && r.ctx.Err() == nil && !r.s.counts.shutOut.Load() {
		need := minSampled - r.sampled(pass)
		if need <= 0 {
			return
		}
		before, enough, left := now()-int64(r.timeout()), silence(r.s.counts.lossNow()), false
		ids := r.pick(func(h *upHost) bool {
			r.hosts.expire(h, before, enough, true)
			if h.missed >= enough || r.silentOf(h) == 0 {
				return false
			}
			left = true
			need--
			return h.asked == 0 && need >= 0
		})
		if !left {
			return
		}
		r.askControls(pass, ids)
		r.await(now() + int64(10*time.Millisecond))
	}
}

// sampled is how many controls and witnesses tell of the loss up to a pass.
func (r *run) sampled(pass int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.countWitnesses()
	past := r.record(pass)
	r.tellLoss(past)
	return int(past.sum().asked)
}

// counted is how many passes count: those that were not given up and met no
// outage.
func (r *run) counted() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.record(int(r.pass.Load())).passes)
}

// missed tells, for silent pairs in ascending order, whether all probes of each
// may have got lost on the way.
type missed struct {
	run    *run
	loss   float64 // of a probe; 0 if nothing is known to get lost
	passes int     // that count

	from, to uint64 // pairs of the host of the last pair
	err      error  // why their silence proves nothing
}

// missed is what is known of the loss when all is asked.
func (r *run) missed() *missed {
	r.mu.Lock()
	defer r.mu.Unlock()
	past := r.record(int(r.pass.Load()))
	m := &missed{run: r, loss: r.s.counts.lossNow(), passes: len(past.passes)}
	if !r.hosts.once && m.passes > 0 {
		// A pass without loss makes good for others.
		m.loss = math.Min(m.loss, math.Pow(past.chance(), 1/float64(m.passes)))
	}
	return m
}

// tooFew is a [scan.FewProbesError] if the host of pair i is up and all probes of
// the pair may have got lost.
func (m *missed) tooFew(i uint64) error {
	r := m.run
	if m.loss == 0 {
		return nil
	}
	if i < m.from || i >= m.to {
		first, pairs := r.s.view.host(i, r.s.view.find(i))
		m.from, m.to, m.err = first, first+uint64(pairs), nil
		r.hosts.mu.Lock()
		defer r.hosts.mu.Unlock()
		if h := r.hosts.find(first); h != nil {
			probes := m.passes
			if h.probes > 0 {
				probes = int(h.probes)
			}
			m.err = scan.TooFewProbes(m.loss, probes)
		}
	}
	return m.err
}
