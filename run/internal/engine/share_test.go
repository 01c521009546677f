package engine

import (
	"math"
	"testing"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// TestSynShare follows a sweep of 1000 pairs, 3 in 4 of them silent, through
// three passes.
func TestSynShare(t *testing.T) {
	at := func(pass int, asked, done, sent uint64) syn.Stats {
		return syn.Stats{Stats: scan.Stats{Planned: 1000, Done: done, Sent: sent}, Pass: pass, Asked: asked, ToAsk: 1024}
	}
	for _, tt := range []struct {
		st      syn.Stats
		earlier uint64
		want    float64
	}{
		{at(0, 0, 0, 0), 0, 0},
		{at(1, 512, 125, 500), 0, 0.2},               // 500 of 1000 + 2 × 750
		{at(1, 1024, 250, 1000), 0, 0.4},             // all of the first pass
		{at(2, 512, 250, 1375), 0, 0.55},             // half of the second one
		{at(3, 1024, 250, 2500), 0, 1},               // the end
		{at(4, 0, 250, 2500), 0, 2500. / 3250},       // loss has made another one needed
		{at(1, 512, 1000-500+125, 250), 500, 1. / 4}, // the half of it, resumed: 250 of 500 + 2 × 250
	} {
		if got := synShare(tt.st, tt.earlier, 3); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%+v: %v, want %v", tt.st, got, tt.want)
		}
	}
}
