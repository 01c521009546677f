package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan/syn"
)

// TestCheckpoints checks that the progress of a SYN sweep is recorded once a
// second, and includes only probes whose answers have had time to arrive; connect
// sweeps record results.
func TestCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := (&Engine{syn: &syn.Scanner{}}).Checkpoints(3 * time.Second)
		marks := 0
		for range 50 { // ten seconds
			if mark, ok := told(); ok {
				marks++
				if string(mark) != `{"Pass":0,"Asked":0,"Pairs":0}` {
					t.Errorf("marked %s", mark)
				}
			}
			time.Sleep(200 * time.Millisecond)
		}
		if marks != 7 {
			t.Errorf("%d marks in ten seconds, want one a second from the third on", marks)
		}
		if _, ok := (&Engine{}).Checkpoints(0)(); ok {
			t.Error("connects tell how far they are")
		}
	})
}
