package engine

import (
	"testing"

	"github.com/mxsweep/mxsweep/scan/syn"
)

// TestSettledRateOfAShortSweep checks that a sweep without a measured rate does
// not report a rate of 0.
func TestSettledRateOfAShortSweep(t *testing.T) {
	for _, c := range []struct {
		rate      float64
		why, want string
	}{
		{1200.4, "nothing was lost", "The sweep settled at 1200 SYNs per second: nothing was lost."},
		{0, "there were too few answers to measure loss", "The sweep ended before it reached a stable rate: there were too few answers to measure loss."},
		{0.3, "nothing was lost", "The sweep ended before it reached a stable rate: nothing was lost."},
		{1200, "", ""},
	} {
		if got := settled(&syn.Stats{Settled: c.rate, Why: c.why}); got != c.want {
			t.Errorf("%v (%s): %q, want %q", c.rate, c.why, got, c.want)
		}
	}
}
