package run

import (
	"github.com/mxsweep/mxsweep/scan"
)

// Progress is how far a run is: the sweep's own numbers, and how far
// the identification of open ports has come.
type Progress struct {
	scan.Stats
	Identified int     // open ports whose dialogue has ended
	Share      float64 // how much of the asking is done, 0 to 1
	Loss       float64 // share of probes or answers that get lost
	Measured   bool    // the loss is known
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
	return t
}
