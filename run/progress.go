package run

import (
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// Progress is how far a run is: the sweep's own numbers, and how far
// the identification of open ports has come.
type Progress struct {
	scan.Stats
	Identified int     // open ports whose dialogue has ended
	Share      float64 // how much of the probing is done, 0 to 1
	Loss       float64 // share of probes or answers that get lost
	Measured   bool    // the loss is known

	// Listen is how much longer the open port that was taken up last is listened to
	// if it replies to nothing. It is 0 if no dialogue is under way, and after that
	// time, while ports are tried again.
	Listen time.Duration
}

// progress is how far the run is.
func (w *sweep) progress() Progress {
	t := Progress{Stats: w.engine.Stats(), Identified: int(w.identified.Load() + w.resumedOpen.Load())}
	t.Open += uint64(w.resumedUncounted.Load())
	earlier := uint64(0)
	if w.plan.resumed != nil {
		earlier = w.plan.resumed.Done()
	}
	t.Share, t.Loss, t.Measured = w.engine.Share(earlier, 1+uint64(w.plan.opts.retries))
	if w.queue != nil && t.Open > uint64(t.Identified) {
		t.Listen = max(0, time.Until(w.queue.LastTaken().Add(w.plan.opts.GreetingTimeout)))
	}
	return t
}
