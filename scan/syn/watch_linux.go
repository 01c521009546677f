package syn

import (
	"math"
	"time"
)

// watch looks after the rate until the run is over.
func (r *run) watch() {
	defer close(r.watched)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	last, lastSent, rate := now(), uint64(0), 0.0
	for !r.over.Load() && r.ctx.Err() == nil {
		<-ticker.C
		at, sent := now(), r.s.counts.sent.Load()
		switch {
		case !r.sending.Load():
			// A pause says nothing of the rate at which probes left before.
			last, lastSent = at, sent
		case at-last >= int64(20*time.Millisecond):
			rate = float64(sent-lastSent) / time.Duration(at-last).Seconds()
			last, lastSent = at, sent
		}
		r.look(rate)
	}
}

// look takes in what the witnesses say, and the totals.
func (r *run) look(rate float64) {
	c := &r.s.counts
	c.ringDrops.Add(r.s.ring.dropped())
	r.mu.Lock()
	r.countWitnesses()
	if r.governor.judge(now(), rate, false) {
		r.restart.Store(true)
	}
	limit := r.governor.rate
	r.pacer.set(math.Min(limit, r.spread))
	why := r.governor.why
	r.mu.Unlock()
	c.mu.Lock()
	c.limit, c.rate, c.why = limit, rate, why
	c.top = math.Max(c.top, rate)
	c.mu.Unlock()
}

// countWitnesses counts those that have had their time. The caller holds the
// lock.
func (r *run) countWitnesses() {
	r.witnesses.count(now()-int64(r.timeout()), func(pass int, sent int64, lost bool) {
		r.asked[pass].asked++
		if lost {
			r.asked[pass].lost++
		}
		r.governor.hear(sent, lost)
	})
}
