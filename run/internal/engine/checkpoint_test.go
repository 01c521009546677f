package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan/syn"
)

// TestCheckpoints: how far single SYNs are is told once a second, and only what
// has had the time of an answer; connects tell it by their results.
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
