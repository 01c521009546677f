package engine

import (
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// Share returns the fraction of the probing that is done, the fraction of probes
// or answers that get lost, and whether the loss is known. earlier is the number
// of pairs that earlier runs finished, and passes the minimum number of probes of
// a silent pair.
func (e *Engine) Share(earlier, passes uint64) (done, loss float64, measured bool) {
	if e.syn != nil {
		st := e.syn.Stats()
		return synShare(st, earlier, passes), st.Loss, st.Loss > 0 || st.Pass > 1
	}
	t := e.Stats()
	return connectShare(t, earlier), share(t.Lost, t.Answered+t.Lost), t.Answered > 0
}

// connectShare is how much of the probing of a connect sweep is done: the probes sent,
// of those and the ones still to come. It assumes that as many of the other pairs are
// silent as of those probed so far, and that each of them is probed Tries times, but
// for the Waived ones.
// Earlier is how many pairs earlier runs were done with.
func connectShare(t scan.Stats, earlier uint64) float64 {
	earlier = min(t.Planned, earlier)
	if t.Done >= t.Planned {
		return share(t.Planned, t.Planned)
	}
	settled := t.Probed - min(t.Probed, uint64(max(t.Inflight, 0)))
	silent := float64(settled - min(settled, t.Answered))
	if done := t.Done - min(t.Done, earlier); done > t.Answered {
		silent = max(silent, float64(done-t.Answered))
	}
	if silent+float64(t.Answered) == 0 {
		silent = 1 // nothing is known
	}
	silent /= silent + float64(t.Answered)
	pairs := float64(t.Planned - earlier)
	further := float64(max(t.Tries, 1) - 1)
	whole := pairs + max(0, pairs*silent-float64(t.Waived))*further
	return min(float64(t.Sent-min(t.Sent, t.Controls))/max(whole, 1), 1)
}

// synShare returns the fraction of the probing that is done in a SYN sweep, where
// each pass probes the silent pairs again: the SYNs sent, divided by those plus
// the ones to come. It assumes the minimum number of passes, and that the
// fraction of silent pairs does not change.
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

// share returns part divided by whole, 0 if whole is 0.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return min(float64(part)/float64(whole), 1)
}
