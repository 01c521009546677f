package run

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan/journal"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// TestCheckpoints: how far single SYNs are is told once a second, and only what
// has had the time of an answer; connects tell it by their results.
func TestCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := (&engine{syn: &syn.Scanner{}}).progress(3 * time.Second)
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
		if _, ok := (&engine{}).progress(0)(); ok {
			t.Error("connects tell how far they are")
		}
	})
}

// TestBeginOf reads the mark of an earlier run, and takes what is none for
// none.
func TestBeginOf(t *testing.T) {
	if got := (*resumption)(nil).begin(); got != (syn.Progress{}) {
		t.Errorf("without --resume: %+v", got)
	}
	for mark, want := range map[string]syn.Progress{
		"": {}, "{": {}, `{"Pass":"x"}`: {},
		`{"Pass":2,"Asked":1024,"Pairs":9}`: {Pass: 2, Asked: 1024, Pairs: 9},
	} {
		name := filepath.Join(t.TempDir(), "progress")
		for last := range 2 {
			j, err := journal.Open(name, journal.Key{Space: &scope.Space{}, Options: "test"})
			if err != nil {
				t.Fatal(err)
			}
			if last == 0 && mark != "" {
				if err := j.Mark([]byte(mark)); err != nil {
					t.Fatal(err)
				}
			} else if got := (&resumption{File: j}).begin(); last == 1 && got != want {
				t.Errorf("marked %q: %+v, want %+v", mark, got, want)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
