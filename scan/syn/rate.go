package syn

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// A governor chooses the rate by the loss that validation probes report. Loss that
// grows with the rate is a queue that overflows: the rate is lowered to what arrived.
// Loss that is the same at half the rate has another cause: the rate goes back up, and
// further passes compensate.
type governor struct {
	ceiling float64 // what the user allows; may be infinite
	rate    float64 // the current limit; may be infinite
	base    float64 // loss that does not depend on the rate
	crest   float64 // the last rate that was too fast; 0 if none was
	since   int64   // results of probes that were sent earlier no longer count

	trial    bool    // the rate was lowered to see whether it helps
	home     float64 // the rate it goes back to if not
	lastLoss float64
	steps    int // how often the trial has lowered the rate
	trials   int // trials that did not help

	window tally
	why    string // empty as long as the rate was not changed
}

func newGovernor(ceiling float64) governor {
	return governor{ceiling: ceiling, rate: ceiling}
}

const (
	// verdictSize is how many validation probes a decision needs, and leastVerdict how
	// many at the end of a pass.
	verdictSize  = 40
	leastVerdict = 8
	// tolerable is loss for which slowing down does not pay off: further passes are
	// cheaper.
	tolerable = 0.02
	// crawl is a rate that any network handles.
	crawl = 1000
	// slowest is the minimum rate after lowering.
	slowest = 500
	// blockade is loss that leaves nothing to work with.
	blockade = 0.9
	// maxTrials is how many trials without effect a run may have.
	maxTrials = 3
)

// count records the result of a validation probe that was sent at sent.
func (g *governor) count(sent int64, lost bool) {
	if sent < g.since {
		return
	}
	g.window.asked++
	if lost {
		g.window.lost++
	}
}

// judge decides on a rate, if enough results are in. actual is the rate at which the
// probes were sent; over is whether their pass has ended, and fewer validation probes
// must do. It reports whether the rate was lowered because most was lost, so that the
// latest pairs have to be probed again.
func (g *governor) judge(now int64, actual float64, over bool) (again bool) {
	n := g.window.asked
	// Each trial without effect makes the next one need more results.
	whole := n >= verdictSize<<(2*g.trials) || g.trial && n >= verdictSize
	clean := n >= verdictSize/2 && !g.trial && float64(g.window.lost) <= (g.base+tolerable)*float64(n)
	if !whole && !clean && (!over || n < leastVerdict) {
		return false
	}
	loss := float64(g.window.lost) / float64(n)
	if g.trial {
		// An unclear result needs more of them.
		if n < 4*verdictSize && loss > 0.1 && loss < 0.9 {
			return false
		}
		switch {
		case g.helped(loss, math.Min(actual, g.rate), n):
			g.trial, g.home = false, g.rate
		case g.steps < 2 || loss > 0.9 && g.rate > crawl:
			// One step may mislead: while a queue was filling, probes got through. And if
			// almost nothing gets through, the rate is still too high to tell.
			g.steps++
			g.lower(now, loss, math.Min(actual, g.rate), n)
			return false
		default:
			g.trial = false
			g.vain(now, loss)
			return false
		}
	}
	doubt := math.Sqrt(loss*(1-loss)/float64(n)) + 1/float64(n)
	if g.blocked() && loss+3*doubt < blockade {
		g.over(loss)
	}
	if loss-3*doubt > g.base+tolerable && g.trials < maxTrials {
		g.home, g.steps = g.rate, 1
		g.lower(now, loss, math.Min(actual, g.rate), n)
		return loss > 0.5
	}
	if clean {
		g.raise(now)
	}
	if whole || clean {
		g.window = tally{}
	}
	return false
}

// helped reports whether at a lower rate a larger fraction gets through. With a full
// queue, the same number gets through of fewer probes: the fraction grows as the rate
// falls. If the loss does not depend on the rate, the fraction stays the same. The
// limit is halfway between, on a scale of factors.
func (g *governor) helped(loss, reached float64, n uint64) bool {
	if loss <= g.base+tolerable {
		return true
	}
	least := 0.5 / float64(n)
	return math.Max(1-loss, least) > math.Max(1-g.lastLoss, least)*math.Sqrt(g.crest/math.Max(reached, slowest))
}

// vain undoes a trial that did not help.
func (g *governor) vain(now int64, loss float64) {
	g.base, g.crest = math.Min(loss, 0.99), 0
	g.trials++
	g.set(now, g.home)
	g.why = fmt.Sprintf("%.0f%% were lost at any rate", 100*g.base)
}

// lower reduces the rate to what got through, less a fifth so that the queue empties.
func (g *governor) lower(now int64, loss, reached float64, n uint64) {
	g.lastLoss, g.trial = loss, true
	g.crest = reached
	through := math.Max(math.Min((1-loss)/(1-g.base), 0.6), 1/float64(n))
	g.set(now, math.Max(0.8*reached*through, slowest))
	if reached > slowest {
		g.why = fmt.Sprintf("%.0f%% were lost at %.0f per second", 100*loss, reached)
	}
}

// settled returns the rate that the run uses. A trial that began below the minimum
// rate, as in a pass over a few pairs, lowers nothing.
func (g *governor) settled() float64 {
	if g.trial && g.crest <= slowest {
		return g.home
	}
	return g.rate
}

// raise increases the rate: slowly if it has been too fast before, else fast, because
// the cause may be gone.
func (g *governor) raise(now int64) {
	if g.crest == 0 || g.rate >= g.ceiling {
		return
	}
	up := 1.5
	if g.rate > 0.7*g.crest && g.rate < 1.1*g.crest {
		up = 1.05
	}
	g.set(now, g.rate*up)
}

// blocked reports whether almost nothing gets through any more, at any rate: hosts
// that answered have stopped.
func (g *governor) blocked() bool { return g.base > blockade }

// over records that an outage has ended. The trial that found it showed nothing about
// the rate.
func (g *governor) over(loss float64) {
	g.base = loss
	g.trials--
	g.why = "for a while no packets arrived at any rate; these ports were probed again"
}

// set changes the rate. Validation probes that were sent before do not count for the
// new one.
func (g *governor) set(now int64, rate float64) {
	g.rate, g.since, g.window = math.Min(rate, g.ceiling), now, tally{}
}

// A flow is the rate at which probes are sent, measured over at least the time that an
// answer may take: a burst that ends before the first answer is due fills queues that
// would pass the same number of probes in that time.
type flow struct {
	rate  float64
	since int64
	sent  uint64
	pass  int // the last pass that it was measured in
}

// begin starts a measurement.
func (f *flow) begin(at int64, sent uint64) { f.since, f.sent = at, sent }

// measure measures, if the time has come, or if the pass is over and was not measured at
// all.
func (f *flow) measure(at int64, sent uint64, least time.Duration, pass int, over bool) {
	took := time.Duration(at - f.since)
	if took < least && !(over && f.pass < pass) {
		return
	}
	f.rate = float64(sent-f.sent) / max(took, least).Seconds()
	f.pass = pass
	f.begin(at, sent)
}

// A pacer spaces probes in time. Several transmitters share one. The zero pacer does
// not delay.
type pacer struct {
	next atomic.Int64  // when the next probe is due, in nanoseconds
	gap  atomic.Uint64 // nanoseconds between probes, as the bits of a float64
}

// set sets the rate in probes per second; 0 or infinity is no limit.
func (p *pacer) set(rate float64) {
	gap := 0.0
	if rate > 0 && !math.IsInf(rate, 1) {
		gap = 1e9 / rate
	}
	p.gap.Store(math.Float64bits(gap))
}

// rate returns the limit in probes per second; infinity if there is none.
func (p *pacer) rate() float64 {
	gap := math.Float64frombits(p.gap.Load())
	if gap == 0 {
		return math.Inf(1)
	}
	return 1e9 / gap
}

// burst is how far the probes may fall behind and catch up again: no more than a sleep
// overshoots.
const burst = 5 * time.Millisecond

// take reserves the time of n probes and returns how long to wait before they may be
// sent.
func (p *pacer) take(now int64, n int) time.Duration {
	gap := math.Float64frombits(p.gap.Load())
	if gap == 0 {
		return 0
	}
	for {
		next := p.next.Load()
		at := max(next, now-int64(burst))
		if p.next.CompareAndSwap(next, at+int64(gap*float64(n))) {
			return time.Duration(at - now)
		}
	}
}

// batch returns how many probes may be sent at once at the pacer's rate: what is due
// in a millisecond, so that a slow run is not sent in bursts.
func (p *pacer) batch(most int) int {
	gap := math.Float64frombits(p.gap.Load())
	if gap == 0 {
		return most
	}
	return max(1, min(most, int(float64(time.Millisecond)/gap)))
}

// An expiry is the moment from which on no packet leaves, by the wall clock and
// in nanoseconds since 1970. It is looked at right before each system call that
// sends.
type expiry int64

// newExpiry returns the expiry at t; there is none if t is zero.
func newExpiry(t time.Time) expiry {
	if t.IsZero() {
		return math.MaxInt64
	}
	return expiry(t.UnixNano())
}

// check returns a *scan.ExpiredError if the time has come.
func (e expiry) check(at time.Time) error {
	if at.UnixNano() < int64(e) {
		return nil
	}
	return &scan.ExpiredError{NotAfter: time.Unix(0, int64(e))}
}
