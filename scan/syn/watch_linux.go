package syn

import (
	"math"
	"time"
)

// A flow is the rate at which probes leave, over no less time than an answer
// may take: a burst that ends before the first answer is due fills queues
// that the same number of probes would pass in their time.
type flow struct {
	rate  float64
	since int64
	sent  uint64
	pass  int // the last pass that it was measured in
}

// begin starts a measurement.
func (f *flow) begin(at int64, sent uint64) { f.since, f.sent = at, sent }

// look measures, if the time has come or the pass is over and was not measured
// at all.
func (f *flow) look(at int64, sent uint64, least time.Duration, pass int, over bool) {
	took := time.Duration(at - f.since)
	if took < least && !(over && f.pass < pass) {
		return
	}
	f.rate = float64(sent-f.sent) / max(took, least).Seconds()
	f.pass = pass
	f.begin(at, sent)
}

// watch looks after the rate until the run is over.
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
		r.look()
	}
}

// look takes in what the witnesses say, and the totals.
func (r *run) look() {
	c := &r.s.counts
	c.ringDrops.Add(r.s.ring.Dropped())
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sending.Load() {
		r.flow.look(now(), c.sent.Load(), r.timeout(), int(r.pass.Load()), false)
	}
	r.countWitnesses()
	pass := int(r.pass.Load())
	if r.asked[pass].asked >= verdictSize {
		r.tellLoss(r.record(pass))
	}
	if r.judge(false) {
		r.restart.Store(true)
	}
}

// judge has the governor judge, and obeys. The caller holds the lock.
func (r *run) judge(over bool) (again bool) {
	g := &r.governor
	before := g.rate
	again = g.judge(now(), r.flow.rate, over)
	if g.rate != before {
		r.flow.begin(now(), r.s.counts.sent.Load())
	}
	r.pacer.set(math.Min(g.rate, r.spread))
	r.s.counts.settle(g.settled(), g.why)
	return again
}

// countWitnesses counts those that have had their time. The caller holds the
// lock.
func (r *run) countWitnesses() {
	r.witnesses.count(now()-int64(r.timeout()), func(index uint64, pass int, sent int64, lost bool) {
		r.asked[pass].asked++
		if lost {
			r.asked[pass].lost++
			r.missWitness(index, sent)
		}
		r.governor.hear(sent, lost)
	})
}
