package scan

import (
	"math"
	"time"
)

// An estimate is what the answers of one host, one net, or all hosts show about
// round-trip time and loss.
type estimate struct {
	smooth  time.Duration // smoothed round-trip time
	spread  time.Duration // smoothed deviation from it
	longest time.Duration // the longest one
	answers int           // pairs answered
	sent    int           // probes sent for those
	lost    int           // of those, probes that were lost, or whose answers were
}

// answer records the round-trip time of a pair that was answered, after lost earlier
// probes for it had been lost.
func (e *estimate) answer(rtt time.Duration, lost int) {
	// RFC 6298, Section 2 (after Jacobson and Karels), with its constants. Every probe
	// has its own connection, so that each answer belongs to a known probe, and Karn's
	// rule (Section 3) is kept.
	if e.answers == 0 {
		e.smooth, e.spread = rtt, rtt/2
	} else {
		e.spread += (abs(e.smooth-rtt) - e.spread) / 4
		e.smooth += (rtt - e.smooth) / 8
	}
	e.longest = max(e.longest, rtt)
	e.answers++
	e.sent += 1 + lost
	e.lost += lost
}

// known reports whether there was any answer.
func (e *estimate) known() bool { return e.answers > 0 }

// timeout is how long an answer may take before its probe counts as lost (RFC 6298,
// Section 2.3), without the bounds.
func (e *estimate) timeout() time.Duration { return e.smooth + 4*e.spread }

// lossRate is the probability that a probe or its answer is lost, overestimated as
// long as little is known (Laplace's rule of succession).
func (e *estimate) lossRate() float64 {
	return float64(e.lost+1) / float64(e.sent+2)
}

// tries returns how many probes a silent pair needs before an open port is missed
// less than once in 50,000 if lossRate is right.
func tries(lossRate float64) int {
	const miss = 2e-5
	return int(math.Ceil(math.Log(miss) / math.Log(lossRate)))
}

// triesWithoutLoss returns how many probes a silent pair needs while none of those that
// were sent for other pairs was lost: if 5% of the packets get lost each way, it happens
// less than once in 10,000 that this stays unseen and that all probes of an open port
// are lost too. If another share is lost, it is less than once in 3,500.
func triesWithoutLoss(sent int) int {
	const lost, miss = 1 - 0.95*0.95, 1e-4
	n := 1
	for p := lost * math.Pow(1-lost, float64(sent)); p > miss; p *= lost {
		n++
	}
	return n
}

func abs(d time.Duration) time.Duration { return max(d, -d) }
