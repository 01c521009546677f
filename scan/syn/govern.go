package syn

import (
	"fmt"
	"math"
)

// A governor chooses the rate by the loss that witnesses report. Loss that
// grows with the rate is a queue somewhere that overflows: the rate falls to
// what got through. Loss that is the same at half the rate is not of our
// making: the rate goes back up, and further passes make good for it.
type governor struct {
	ceiling float64 // what the user allows; may be infinite
	rate    float64 // the limit now; may be infinite
	base    float64 // loss that does not depend on the rate
	crest   float64 // the last rate that was too fast; 0 if none was
	since   int64   // verdicts on probes that left earlier count no more

	trial    bool // the rate was lowered to see whether it helps
	lastRate float64
	lastLoss float64
	trials   int // lowerings that did not help

	window tally
	why    string // empty as long as the rate was never touched
}

func newGovernor(ceiling float64) governor {
	return governor{ceiling: ceiling, rate: ceiling}
}

const (
	// verdictSize is how many witnesses make a verdict, and leastVerdict how
	// many will do at the end of a pass.
	verdictSize  = 40
	leastVerdict = 8
	// tolerable is loss that is not worth slowing down for: the further
	// passes are cheaper.
	tolerable = 0.02
	// slowest is the least rate that is fallen back to.
	slowest = 200
	// maxTrials is how often in vain the rate is lowered in one run.
	maxTrials = 3
)

// hear takes in what became of a witness asked at sent.
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
// has ended, and fewer witnesses must do. It reports whether the rate was
// lowered because most was lost, so that what was asked of late has to be
// asked again.
func (g *governor) judge(now int64, actual float64, over bool) (again bool) {
	n := g.window.asked
	// Each vain trial asks for more certainty the next time, and so does what
	// may end one.
	whole := n >= verdictSize<<(2*g.trials) && (!g.trial || n >= 4*verdictSize)
	if !whole && (!over || n < leastVerdict) {
		return false
	}
	loss := float64(g.window.lost) / float64(n)
	doubt := math.Sqrt(loss*(1-loss)/float64(n)) + 1/float64(n)
	worse := loss-3*doubt > g.base+tolerable
	switch {
	case g.trial:
		g.trial = false
		// A queue that no longer overflows loses next to nothing.
		if loss > g.base+0.4*(g.lastLoss-g.base) && loss > g.base+tolerable {
			g.vain(now, loss)
			return false
		}
		fallthrough
	case worse && g.trials < maxTrials:
		if worse {
			g.lower(now, loss, math.Min(actual, g.rate))
			return loss > 0.5
		}
	}
	if whole {
		g.window = tally{}
		g.raise(now)
	}
	return false
}

// vain takes a trial back that did not help.
func (g *governor) vain(now int64, loss float64) {
	g.base, g.crest = loss, 0
	g.trials++
	g.set(now, g.lastRate)
	g.why = fmt.Sprintf("%.0f%% were lost at any rate", 100*g.base)
}

// lower goes down to what got through, less a fifth so that the queue empties.
func (g *governor) lower(now int64, loss, reached float64) {
	g.lastRate, g.lastLoss, g.trial = g.rate, loss, true
	g.crest = reached
	through := math.Max(math.Min((1-loss)/(1-g.base), 0.6), 0.01)
	g.set(now, math.Max(0.8*reached*through, slowest))
	g.why = fmt.Sprintf("%.0f%% were lost at %.0f a second", 100*loss, reached)
}

// raise goes up again by a little, fast where that is known to be safe.
func (g *governor) raise(now int64) {
	if g.crest == 0 || g.rate >= g.ceiling {
		return
	}
	up := 1.02
	if g.rate < 0.6*g.crest {
		up = 1.2
	}
	g.set(now, g.rate*up)
}

// set changes the rate. Witnesses that were asked before are not heard for
// the new one.
func (g *governor) set(now int64, rate float64) {
	g.rate, g.since, g.window = math.Min(rate, g.ceiling), now, tally{}
}
