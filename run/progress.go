package run

import (
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn"
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
	if w.engine.syn != nil {
		st := w.engine.syn.Stats()
		t.Share = synShare(st, earlier, 1+uint64(w.plan.opts.retries))
		t.Loss, t.Measured = st.Loss, st.Loss > 0 || st.Pass > 1
		return t
	}
	t.Share = share(t.Done-min(t.Done, earlier), t.Planned-min(t.Planned, earlier))
	t.Loss, t.Measured = share(t.Lost, t.Answered+t.Lost), t.Answered > 0
	return t
}

// synShare is how much of the asking is done where passes follow each other
// over what is silent: the SYNs sent, of those and the ones still to come. It
// takes as many passes as will be made at least, and the share of silent pairs
// to stay as it is. Earlier is how many pairs earlier runs were done with.
func synShare(st syn.Stats, earlier, passes uint64) float64 {
	earlier = min(earlier, st.Planned)
	asked := share(st.Asked, st.ToAsk)
	left := 0.0
	if st.Pass <= 1 {
		pairs := float64(st.Planned - earlier)
		silent := pairs
		if asked > 0 {
			silent = max(0, pairs-float64(st.Done-min(st.Done, earlier))/asked)
		}
		left = pairs*(1-asked) + silent*float64(passes-1)
	} else {
		later := passes - min(passes, uint64(st.Pass))
		left = float64(st.Planned-min(st.Planned, st.Done)) * (1 - asked + float64(later))
	}
	if st.Sent == 0 {
		return 0
	}
	return float64(st.Sent) / (float64(st.Sent) + left)
}

// share is a part of a whole, 0 of nothing.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return min(float64(part)/float64(whole), 1)
}
