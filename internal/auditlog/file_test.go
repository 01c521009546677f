package auditlog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func nobodyWaits(t *testing.T) func() {
	return func() { t.Error("another run has the log") }
}

// TestFile opens a log in which a killed run left half a line: nothing changes
// before the first line is written, which records the repair.
func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "audit.jsonl")
	write := func(event string) (line int, how string) {
		t.Helper()
		f, err := Open(t.Context(), name, nobodyWaits(t))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if event != "" {
			if err := f.Append(event, map[string]string{"run_id": "1"}); err != nil {
				t.Fatal(err)
			}
		}
		return f.Repaired()
	}
	if write(""); fileExists(name) {
		t.Error("a run that wrote nothing left an empty log")
	}
	write(RunStart)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	torn := string(whole) + `{"seq":2,"ti`
	if err := os.WriteFile(name, []byte(torn), 0o600); err != nil {
		t.Fatal(err)
	}
	if line, _ := write(""); line != 0 {
		t.Errorf("line %d was repaired by a run that wrote nothing", line)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != torn {
		t.Errorf("the log is %q, %v", text, err)
	}
	if line, how := write(RunEnd); line != 2 || how == "" {
		t.Errorf("line %d was repaired: %q", line, how)
	}
	text, err := os.ReadFile(name)
	if err != nil || !strings.HasPrefix(string(text), string(whole)) || !strings.Contains(string(text), `"repaired":`) {
		t.Errorf("the log is %q, %v", text, err)
	}
	if tail, err := Verify(name, strings.NewReader(string(text))); err != nil || tail.Seq != 2 {
		t.Errorf("verified: %+v, %v", tail, err)
	}
}

// TestFileIsWaitedFor checks that a second run reports that it waits for the
// first one, until it is stopped.
func TestFileIsWaitedFor(t *testing.T) {
	name := filepath.Join(t.TempDir(), "audit.jsonl")
	first, err := Open(t.Context(), name, nobodyWaits(t))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	waits := 0
	second, err := Open(ctx, name, func() { waits++; cancel(enough) })
	if err == nil && waits == 0 {
		second.Close()
		t.Skip("files cannot be locked here")
	}
	if waits != 1 || !errors.Is(err, enough) {
		t.Errorf("%d waits, %v", waits, err)
	}
}

// TestNoFile checks that without a name nothing is written, and nothing fails.
func TestNoFile(t *testing.T) {
	f, err := Open(t.Context(), "", nobodyWaits(t))
	if f != nil || err != nil {
		t.Fatalf("%v, %v", f, err)
	}
	if err := f.Append(RunStart, nil); err != nil {
		t.Error(err)
	}
	f.Close()
	if _, err := Open(t.Context(), t.TempDir(), nobodyWaits(t)); err == nil {
		t.Error("a directory is no log")
	}
}

func fileExists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
