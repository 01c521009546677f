package syn

import (
	"math"
	"time"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// minSampled is how many controls and validation probes must have been sent before the
// loss is known, if each pair is probed once.
const minSampled = 9

// sampleLoss sends controls until the loss is known, if each pair is probed once.
// Hosts that stopped answering are left out, because they show nothing.
func (r *run) sampleLoss() {
	pass := int(r.pass.number.Load())
	for r.hosts.once && r.ctx.Err() == nil && !r.s.counts.blockedMidScan.Load() {
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

// sampled returns how many controls and validation probes show the loss up to a pass.
func (r *run) sampled(pass int) int {
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	r.countValidations()
	past := r.record(pass)
	r.publishLoss(past)
	return int(past.sum().asked)
}

// counted returns how many passes count: those that were not given up and had no
// outage.
func (r *run) counted() int {
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	return len(r.record(int(r.pass.number.Load())).passes)
}

// missed says, for silent pairs in ascending order, whether all probes of each may
// have been lost on the path.
type missed struct {
	run    *run
	loss   float64 // of a probe; 0 if no loss is known
	passes int     // that count

	from, to uint64 // pairs of the host of the last pair
	err      error  // why their silence proves nothing
}

// missed returns what is known of the loss at the end.
func (r *run) missed() *missed {
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	past := r.record(int(r.pass.number.Load()))
	m := &missed{run: r, loss: r.s.counts.lossNow(), passes: len(past.passes)}
	if !r.hosts.once && m.passes > 0 {
		// A pass without loss compensates for others.
		m.loss = math.Min(m.loss, math.Pow(past.chance(), 1/float64(m.passes)))
	}
	return m
}

// tooFew returns a [scan.FewProbesError] if the host of pair i is up and all probes of
// the pair may have been lost.
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

// record returns what is known of the loss up to a pass: a pair that answered in a
// later pass was lost in the earlier ones, and validation probes show the loss of each
// pass. If each pair is probed once, pairs that answer say nothing about lost ones:
// controls count instead. The caller holds the lock.
func (r *run) record(last int) *record {
	var past record
	later := uint64(0)
	for i := last; i >= 0; i-- {
		here := r.loss.found[i].Load()
		t := tally{asked: here + later + r.loss.asked[i].asked, lost: later + r.loss.asked[i].lost}
		if r.hosts.once {
			c := r.controlsOf(i)
			t = tally{asked: r.loss.asked[i].asked + c.asked, lost: r.loss.asked[i].lost + c.lost}
		}
		if !r.loss.discarded[i] && !r.dead(i) {
			past.passes = append(past.passes, t)
		}
		later += here
	}
	return &past
}

// missValidation records that a validation probe was lost. The host's next answer
// shows whether it was lost on the path, or the host is gone.
func (r *run) missValidation(index uint64, sent int64) {
	first, pairs := r.s.view.host(index, r.s.view.find(index))
	t := r.hosts
	t.mu.Lock()
	defer t.mu.Unlock()
	h, fresh := t.add(first, pairs)
	if fresh {
		h.answers(uint32(index-first), rawnet.KindReset) // all others have been recorded by up
		h.proof = r.pass.starts[0].Load()
	}
	if h != nil {
		t.miss(h, sent, silence(r.s.counts.lossNow()), true)
	}
}

// dead reports whether all controls of a pass stayed silent, so that its silent pairs
// prove nothing.
func (r *run) dead(pass int) bool {
	r.hosts.mu.Lock()
	defer r.hosts.mu.Unlock()
	return r.hosts.passes[pass].dead(r.s.counts.lossNow())
}

// controlsOf returns the tally of the controls of a pass.
func (r *run) controlsOf(pass int) tally {
	r.hosts.mu.Lock()
	defer r.hosts.mu.Unlock()
	return r.hosts.passes[pass]
}

// publishLoss publishes the fraction of probes that were lost, without those of hosts
// that are known to be gone.
func (r *run) publishLoss(past *record) {
	r.hosts.mu.Lock()
	gone := r.hosts.gone
	r.hosts.mu.Unlock()
	r.s.counts.lose(past.loss(gone))
}

// publishFinalLoss publishes the loss at the end.
func (r *run) publishFinalLoss() {
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	r.publishLoss(r.record(int(r.pass.number.Load())))
}

// watch adjusts the rate until the run is over.
func (r *run) watch() {
	defer close(r.watched)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	last, lastSent := now(), uint64(0)
	for !r.over.Load() && r.ctx.Err() == nil {
		<-ticker.C
		if at, sent := now(), r.s.counts.sent.Load(); at-last >= int64(50*time.Millisecond) {
			r.s.counts.flow(float64(sent-lastSent) / time.Duration(at-last).Seconds())
			last, lastSent = at, sent
		}
		r.measure()
	}
}

// measure evaluates the validation probes, and the counts.
func (r *run) measure() {
	c := &r.s.counts
	c.ringDrops.Add(r.s.ring.Dropped())
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	if r.pass.sending.Load() {
		r.loss.flow.measure(now(), c.sent.Load(), r.timeout(), int(r.pass.number.Load()), false)
	}
	r.countValidations()
	pass := int(r.pass.number.Load())
	if r.loss.asked[pass].asked >= verdictSize {
		r.publishLoss(r.record(pass))
	}
	if r.judge(false) {
		r.pass.restart.Store(true)
	}
}

// judge lets the governor decide, and sets its rate. The caller holds the lock.
func (r *run) judge(over bool) (again bool) {
	g := &r.loss.governor
	before := g.rate
	again = g.judge(now(), r.loss.flow.rate, over)
	if g.rate != before {
		r.loss.flow.begin(now(), r.s.counts.sent.Load())
	}
	r.pass.pacer.set(math.Min(g.rate, r.loss.spread))
	r.s.counts.settle(g.settled(), g.why)
	return again
}

// countValidations counts the validation probes whose time is over. The caller holds
// the lock.
func (r *run) countValidations() {
	r.loss.validations.count(now()-int64(r.timeout()), func(index uint64, pass int, sent int64, lost bool) {
		r.loss.asked[pass].asked++
		if lost {
			r.loss.asked[pass].lost++
			r.missValidation(index, sent)
		}
		r.loss.governor.count(sent, lost)
	})
}
