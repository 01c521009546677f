package output

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// failing is a stream that cannot be written.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

// play writes an empty run to outputs.
func play(t *testing.T, o *Set) error {
	t.Helper()
	run := report.Clean(result.Run{ID: "8f6a1c1e-4f0d-4b43-9d9c-0a6f6f2c7f11", Vantage: "internet"}, "")
	err := o.Start(result.Tool{Name: "mxsweep", Version: "1"}, run)
	_ = o.Notice(result.Notice{Code: "MXS9001", Level: result.LevelNote, Message: "A notice."})
	_ = o.End(run, result.Summary{Complete: true, Gate: result.GatePass})
	return errors.Join(err, o.Close())
}

// TestOneFails checks that an output that fails does not affect the others, which
// report it.
func TestOneFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.jsonl")
	o, err := Open(t.Context(), []Spec{{Format: "jsonl", Writer: failing{}, Title: "the stream"}, {Format: "jsonl", File: file}}, OpenOptions{Hashed: true})
	if err != nil {
		t.Fatal(err)
	}
	err = play(t, o)
	var failed *fault.Error
	if !errors.As(err, &failed) || failed.Kind != fault.Failed || err.Error() != "writing the stream: the disk is full" {
		t.Errorf("got %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "The jsonl output to the stream failed: the disk is full.") {
		t.Errorf("the other output has %q, %v", text, err)
	}
	if got := o.Written(); len(got) != 1 || !strings.HasPrefix(got[0], "jsonl to ") || len(o.Failures()) != 1 || len(o.Hashes()) != 1 {
		t.Errorf("written: %q, failures %v, hashes %v", got, o.Failures(), o.Hashes())
	}
}

// TestAllFail checks that a run stops if no output is left; without outputs
// nothing can fail.
func TestAllFail(t *testing.T) {
	for _, tt := range []struct {
		specs []Spec
		fails bool
	}{
		{[]Spec{{Format: "jsonl", Writer: failing{}}}, true},
		{nil, false},
	} {
		o, err := Open(t.Context(), tt.specs, OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := play(t, o); (err != nil) != tt.fails {
			t.Errorf("%d outputs: %v", len(tt.specs), err)
		}
	}
}

// TestOpenWithoutWriter checks that a report without a destination is an error.
func TestOpenWithoutWriter(t *testing.T) {
	for _, file := range []string{"", "-"} {
		if _, err := Open(t.Context(), []Spec{{Format: "jsonl", File: file}}, OpenOptions{}); err == nil || !strings.Contains(err.Error(), "nowhere to go") {
			t.Errorf("file %q: %v", file, err)
		}
	}
}

// TestOpenReportsAllErrors checks that all files that cannot be opened are
// reported, and that nothing is left behind.
func TestOpenReportsAllErrors(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	_, err := Open(t.Context(), []Spec{{Format: "json", File: good}, {Format: "csv", File: filepath.Join(dir, "a", "b")}, {Format: "text", File: filepath.Join(dir, "c", "d")}}, OpenOptions{})
	if err == nil || strings.Count(err.Error(), "opening output ") != 2 {
		t.Fatalf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestShared appends to a shared file, and omits a summary that does not fit.
func TestShared(t *testing.T) {
	dir := t.TempDir()
	small, full := filepath.Join(dir, "small"), filepath.Join(dir, "full")
	for name, size := range map[string]int{small: 3, full: report.MaxMarkdown} {
		if err := os.WriteFile(name, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var told []string
	o, err := Open(t.Context(), []Spec{
		{Format: "markdown", File: small, Shared: true, What: "step summary"},
		{Format: "markdown", File: full, Shared: true, What: "step summary"},
		{Format: "text", Writer: io.Discard},
	}, OpenOptions{Log: func(text string) { told = append(told, text) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := play(t, o); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "no step summary: ") {
		t.Errorf("told: %q", told)
	}
	if text, err := os.ReadFile(small); err != nil || !strings.HasPrefix(string(text), "xxx") || len(text) < 10 {
		t.Errorf("the small one has %q, %v", text, err)
	}
	if info, err := os.Stat(full); err != nil || info.Size() != report.MaxMarkdown {
		t.Errorf("the full one has changed: %v, %v", info, err)
	}
}
