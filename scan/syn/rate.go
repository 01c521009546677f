package syn

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// A governor chooses the rate by the loss that validation probes report. Loss that
// grows with the rate is a queue somewhere that overflows: the rate falls to
// what got through. Loss that is the same at half the rate is not of our
// making: the rate goes back up, and further passes make good for it.
type governor struct {
	ceiling float64 // what the user allows; may be infinite
	rate    float64 // the limit now; may be infinite
	base    float64 // loss that does not depend on the rate
	crest   float64 // the last rate that was too fast; 0 if none was
	since   int64   // verdicts on probes that left earlier count no more

	trial    bool    // the rate was lowered to see whether it helps
	home     float64 // what it goes back to if not
	lastLoss float64
	steps    int // lowerings of the trial
	trials   int // trials that did not help

	window tally
	why    string // empty as long as the rate was never touched
}

func newGovernor(ceiling float64) governor {
	return governor{ceiling: ceiling, rate: ceiling}
}

const (
	// verdictSize is how many validation probes make a verdict, and leastVerdict how
	// many will do at the end of a pass.
	verdictSize  = 40
	leastVerdict = 8
	// tolerable is loss that is not worth slowing down for: the further
	// passes are cheaper.
	tolerable = 0.02
	// crawl is a rate that any network carries.
	crawl = 1000
	// slowest is the least rate that is fallen back to.
	slowest = 500
	// blockade is loss that leaves nothing to work with.
	blockade = 0.9
	// maxTrials is how often in vain the rate is lowered in one run.
	maxTrials = 3
)

// hear takes in what became of a validation probe asked at sent.
func (g *governor) hear(sent int64, lost bool) {
	if sent < g.since {
		return
	}
	g.window.asked++
	if lost {
		g.window.lost++
	}
}

// judge settles on a rate, if enough was heard to be sure. actual is the rate
// at which the probes that were judged have left; over is whether their pass
// has ended, and fewer validation probes must do. It reports whether the rate was
// lowered because most was lost, so that what was asked of late has to be
// asked again.
func (g *governor) judge(now int64, actual float64, over bool) (again bool) {
	n := g.window.asked
	// Each vain trial asks for more certainty the next time.
	whole := n >= verdictSize<<(2*g.trials) || g.trial && n >= verdictSize
	clean := n >= verdictSize/2 && !g.trial && float64(g.window.lost) <= (g.base+tolerable)*float64(n)
	if !whole && !clean && (!over || n < leastVerdict) {
		return false
	}
	loss := float64(g.window.lost) / float64(n)
	if g.trial {
		// What is not clear takes more to tell.
		if n < 4*verdictSize && loss > 0.1 && loss < 0.9 {
			return false
		}
		switch {
		case g.helped(loss, math.Min(actual, g.rate), n):
			g.trial, g.home = false, g.rate
		case g.steps < 2 || loss > 0.9 && g.rate > crawl:
			// One step may mislead: what was asked while a queue was still
			// filling got through. And where next to nothing comes through
			// it is not low enough to tell.
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

// helped reports whether a lower rate has got more through. Where a queue was
// full, as many get through as before, of fewer: the share grows as the rate
// falls. Where the rate has nothing to do with it the share stays the same.
// Halfway between, on a scale of factors, is the border.
func (g *governor) helped(loss, reached float64, n uint64) bool {
	if loss <= g.base+tolerable {
		return true
	}
	least := 0.5 / float64(n)
	return math.Max(1-loss, least) > math.Max(1-g.lastLoss, least)*math.Sqrt(g.crest/math.Max(reached, slowest))
}

// vain takes a trial back that did not help.
func (g *governor) vain(now int64, loss float64) {
	g.base, g.crest = math.Min(loss, 0.99), 0
	g.trials++
	g.set(now, g.home)
	g.why = fmt.Sprintf("%.0f%% were lost at any rate", 100*g.base)
}

// lower goes down to what got through, less a fifth so that the queue empties.
func (g *governor) lower(now int64, loss, reached float64, n uint64) {
	g.lastLoss, g.trial = loss, true
	g.crest = reached
	through := math.Max(math.Min((1-loss)/(1-g.base), 0.6), 1/float64(n))
	g.set(now, math.Max(0.8*reached*through, slowest))
	if reached > slowest {
		g.why = fmt.Sprintf("%.0f%% were lost at %.0f a second", 100*loss, reached)
	}
}

// settled is the rate that the run goes by. A trial that began below the least
// rate, as in a pass over a few pairs, lowers nothing.
func (g *governor) settled() float64 {
	if g.trial && g.crest <= slowest {
		return g.home
	}
	return g.rate
}

// raise goes up again: slowly where it has been too fast before, else fast,
// for what was in the way may have gone.
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

// blocked reports whether next to nothing gets through any more, however slow:
// those who answered have stopped to.
func (g *governor) blocked() bool { return g.base > blockade }

// over takes in that an outage has ended. The trial that found it told nothing
// of the rate.
func (g *governor) over(loss float64) {
	g.base = loss
	g.trials--
	g.why = "for a while nothing came through at any rate; these ports were probed again"
}

// set changes the rate. Validation probes that were asked before are not heard for
// the new one.
func (g *governor) set(now int64, rate float64) {
	g.rate, g.since, g.window = math.Min(rate, g.ceiling), now, tally{}
}

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

// A pacer spaces probes out in time. Several transmitters share one. The zero
// pacer does not hold anybody up.
type pacer struct {
	next atomic.Int64  // when the next probe is due, in nanoseconds
	gap  atomic.Uint64 // nanoseconds between probes, as the bits of a float64
}

// set makes the rate so many probes a second; 0 or infinity is no limit.
func (p *pacer) set(rate float64) {
	gap := 0.0
	if rate > 0 && !math.IsInf(rate, 1) {
		gap = 1e9 / rate
	}
	p.gap.Store(math.Float64bits(gap))
}

// rate is the limit in probes a second; infinity if there is none.
func (p *pacer) rate() float64 {
	gap := math.Float64frombits(p.gap.Load())
	if gap == 0 {
		return math.Inf(1)
	}
	return 1e9 / gap
}

// burst is how far the probes may fall behind their time and catch up again:
// no more than what a sleep overshoots by.
const burst = 5 * time.Millisecond

// take takes the time of n probes and returns how long to wait before they
// may leave.
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

// batch is how many probes may leave at once at the pacer's rate: what is due
// in a millisecond, so that a slow run does not arrive in lumps.
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

// newExpiry is the expiry at t; there is none if t is zero.
func newExpiry(t time.Time) expiry {
	if t.IsZero() {
		return math.MaxInt64
	}
	return expiry(t.UnixNano())
}

// check returns a *scan.ExpiredError if the moment has come.
func (e expiry) check(at time.Time) error {
	if at.UnixNano() < int64(e) {
		return nil
	}
	return &scan.ExpiredError{NotAfter: time.Unix(0, int64(e))}
}
