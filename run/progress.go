package run

import (
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// Progress is the progress of a run: the numbers of the sweep, and of the
// identification of open ports.
type Progress struct {
	scan.Stats
	Identified int     // number of open ports whose dialogue has ended
	Share      float64 // fraction of the probing that is done, 0 to 1
	Loss       float64 // fraction of probes or answers that get lost, 0 to 1
	Measured   bool    // set if the loss is known

	// Listen is how much longer the last open port is listened to if it replies to
	// nothing. It is 0 if no dialogue is in progress, and after that time, while
	// ports are tried again.
	Listen time.Duration
}

// progress returns the progress of the run.
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
