package syn

import (
	"math"
	"sync"
	"time"
)

// drive leads the run through its passes, and ends the receiver.
func (r *run) drive() {
	defer close(r.driven)
	defer r.over.Store(true)
	if r.done() {
		return
	}
	if err := r.resolve(); err != nil {
		r.fail(err)
		return
	}
	from := r.begin()
	for pass := from.Pass; pass < passSlots && r.ctx.Err() == nil; pass++ {
		r.onePass(pass, from.Asked)
		from.Asked = 0
		r.control(pass, false)
		r.settle(pass)
		if r.done() {
			r.confirmResets(pass)
			return
		}
		if r.ctx.Err() != nil || (r.loss.blocked() || r.allSilent(pass)) && !r.waitOutOutage(pass) {
			break
		}
		if r.enough(pass) && (!r.noneAnswers(pass) || !r.waitOutOutage(pass)) {
			break
		}
	}
	r.confirm()
	cool := r.timeout()
	if r.peak.Load() > 0 {
		cool = min(max(2*cool, 250*time.Millisecond), r.s.config.Timeout)
	}
	r.await(r.pass.lastTx.Load() + int64(cool))
	if err := r.s.check(); err != nil && r.ctx.Err() == nil {
		r.fail(err)
	}
	r.s.counts.silentTwice.Store(r.ctx.Err() == nil && r.twice())
}

// onePass probes all pairs, or those still silent, from a count of the walk on.
func (r *run) onePass(pass int, from uint64) {
	// No source port may belong to two passes.
	tick := int64(r.s.clock.tick())
	r.await((now()/tick + 1) * tick)
	r.pass.starts[pass].Store(now() / tick * tick)
	r.pass.number.Store(int32(pass))
	r.enterPass(pass, from)
	r.s.counts.asked.Store(from)
	r.s.counts.toAsk.Store(r.walk.length())
	r.pass.restart.Store(false)
	r.pass.cursor.Store(from)
	r.loss.mu.Lock()
	r.loss.spread = math.Inf(1)
	r.pass.sent.Store(0)
	r.loss.flow.begin(now(), r.s.counts.sent.Load())
	if pass > 0 {
		// A later pass takes at least as long as an answer may take, so that each pair
		// has had its time when it is probed again: evenly sent probes do not overflow
		// short queues on the path.
		silent := r.s.view.count - min(r.s.counts.answered()+r.wasSilent, r.s.view.count)
		r.loss.spread = float64(max(silent, 1)) / r.timeout().Seconds()
	}
	r.pass.pacer.set(math.Min(r.loss.governor.rate, r.loss.spread))
	r.loss.mu.Unlock()
	r.pass.place.Store(from)
	r.planControls(from)
	r.pass.sending.Store(true)
	var group sync.WaitGroup
	for i, row := range r.s.senders {
		t := &transmitter{run: r, senders: row, pass: pass, number: i, first: i == 0}
		group.Go(t.run1)
	}
	group.Wait()
	r.pass.sending.Store(false)
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	r.pass.end = r.pass.lastTx.Load()
	if !r.pass.restart.Load() && from == 0 {
		r.loss.ends[pass] = r.pass.end
	}
	r.loss.flow.measure(r.pass.lastTx.Load(), r.s.counts.sent.Load(), r.timeout(), pass, true)
}

// settle waits until the time for the first probes of a pass is over, and evaluates
// the pass by itself.
func (r *run) settle(pass int) {
	begun := r.pass.starts[pass].Load()
	r.await(begun + int64(r.timeout()))
	r.control(pass, true)
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	took := max(time.Duration(r.pass.lastTx.Load()-begun), time.Millisecond)
	r.countValidations()
	r.loss.discarded[pass] = r.judge(true) || r.pass.restart.Load()
	r.publishLoss(r.record(pass))
	r.s.counts.roundTrip.Store(r.peak.Load())
	if pass == 0 {
		r.s.counts.mu.Lock()
		r.s.counts.first = float64(r.pass.sent.Load()) / took.Seconds()
		r.s.counts.mu.Unlock()
	}
}

// done reports whether no pair is left to probe.
func (r *run) done() bool { return r.s.counts.answered()+r.wasSilent >= r.s.view.count }

// enough reports whether no further pass is needed.
func (r *run) enough(last int) bool {
	if err := r.s.check(); err != nil {
		r.fail(err)
		return true
	}
	r.loss.mu.Lock()
	defer r.loss.mu.Unlock()
	past := r.record(last)
	if r.s.config.Retries < 0 {
		return len(past.passes) > 0
	}
	passes := len(past.passes) - 1
	least := passes >= r.s.config.Retries || passes > 0 && past.lossless()
	return least && past.enough(r.s.counts.open.Load(), r.s.counts.answered())
}

// await waits until a time, or until the run is over.
func (r *run) await(until int64) {
	for r.ctx.Err() == nil && !r.done() {
		left := time.Duration(until - now())
		if left <= 0 {
			return
		}
		timer := time.NewTimer(min(left, 10*time.Millisecond))
		select {
		case <-timer.C:
		case <-r.ctx.Done():
			timer.Stop()
		}
	}
}

// begin returns where the first pass of the run begins.
func (r *run) begin() Progress {
	b := r.s.config.Begin
	if b.Pairs != r.s.view.count || b.Pass < 0 || b.Pass >= passSlots || b.Asked > r.walk.length() {
		return Progress{}
	}
	return b
}

// enterPass records that a pass is under way, and has probed up to a count of the
// walk. Concurrent readers may see less progress than there is, never more.
func (r *run) enterPass(pass int, from uint64) {
	for i := range r.pass.at {
		r.pass.at[i].Store(from)
	}
	r.s.counts.reached.Store(0)
	r.s.counts.pass.Store(int32(pass + 1))
	r.s.counts.reached.Store(from)
}

// reach records that a transmitter has finished all that it took before a count of the
// walk.
func (r *run) reach(number int, count uint64) {
	r.pass.at[number].Store(count)
	for i := range r.pass.at {
		count = min(count, r.pass.at[i].Load())
	}
	r.s.counts.reached.Store(count)
}

// Progress returns how far the sweep is. It may be called at any time, by any
// goroutine. If silent pairs turn out to prove nothing, it returns to the beginning: a
// later run has to probe them again.
func (s *Scanner) Progress() Progress {
	c := &s.counts
	for {
		if c.unproven.Load() {
			return Progress{Pairs: c.planned.Load()}
		}
		pass := c.pass.Load()
		asked := c.reached.Load()
		if c.pass.Load() != pass {
			continue
		}
		return Progress{Pass: int(max(pass, 1) - 1), Asked: asked, Pairs: c.planned.Load()}
	}
}
