package scan

import "time"

// A window is how many probes may be in flight. If probes get lost it is halved,
// because it may be the cause. If as many answers come as before, less was enough; if
// fewer do, the loss has other causes, and it grows again.
type window struct {
	size, most int

	since          time.Duration // start of the period that is assessed next
	ends           int           // probes that ended in it
	answered, lost int

	before float64 // answers per second before it was halved, or 0
	hold   int     // periods in which not to halve it
	holds  int     // how often halving did not help
}

const (
	leastWindow = 64                     // minimum size
	windowEnds  = 1024                   // probes that end in a period
	windowTime  = 300 * time.Millisecond // and its length: a loss is known only after a timeout
	windowKnown = 64                     // answers that are needed to estimate the loss
	tooLossy    = 0.05
)

// answer records that a pair was answered after lost probes had been lost.
func (w *window) answer(lost int) {
	w.answered++
	w.lost += lost
}

// end records that a probe is no longer in flight.
func (w *window) end(now time.Duration) {
	if w.ends++; w.ends%256 == 0 && w.size < w.most && w.before == 0 && w.hold == 0 {
		w.size = min(w.most, w.size+max(w.size/8, 1))
	}
	if w.ends < windowEnds || now-w.since < windowTime {
		return
	}
	if w.answered < windowKnown {
		return // too little is known yet
	}
	w.judge(float64(w.lost)/float64(w.answered+w.lost), float64(w.answered)/(now-w.since).Seconds())
	w.answered, w.lost, w.ends, w.since = 0, 0, 0, now
}

// judge adjusts the window to the loss of a period, and to how many answers per second
// it had.
func (w *window) judge(loss, pace float64) {
	switch {
	case w.before > 0 && pace < w.before*3/4:
		w.size, w.before = min(2*w.size, w.most), 0
		w.hold = 16 << min(w.holds, 6)
		w.holds++
	case w.hold > 0:
		w.hold--
	case loss > tooLossy && w.size > leastWindow:
		w.before = max(w.before, pace)
		w.size = max(leastWindow, w.size/2)
	default:
		w.before, w.holds = 0, 0
	}
}

// shrink records that more than n in flight is too much for this machine.
func (w *window) shrink(n int) { w.size = max(1, min(w.size, n)) }
