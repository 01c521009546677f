package engine

import "github.com/mxsweep/mxsweep/scan/syn"

// Share is how much of the asking is done, the loss, and whether it is known.
// Earlier is how many pairs earlier runs were done with, and passes how many times a
// silent pair is asked at least.
func (e *Engine) Share(earlier, passes uint64) (done, loss float64, measured bool) {
	if e.syn != nil {
		st := e.syn.Stats()
		return synShare(st, earlier, passes), st.Loss, st.Loss > 0 || st.Pass > 1
	}
	t := e.Stats()
	return share(t.Done-min(t.Done, earlier), t.Planned-min(t.Planned, earlier)), share(t.Lost, t.Answered+t.Lost), t.Answered > 0
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
