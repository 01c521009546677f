package run

import (
	"path/filepath"
	"testing"

	"github.com/mxsweep/mxsweep/scan/journal"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// TestBeginOf reads the progress of an earlier run, and treats invalid data as no
// progress.
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
