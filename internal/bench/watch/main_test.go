//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestRun measures commands that end by themselves and one that does not.
func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name     string
		command  []string
		exit     int
		timedOut bool
	}{
		{"success", []string{"true"}, 0, false},
		{"failure", []string{"sh", "-c", "exit 3"}, 3, false},
		{"too long", []string{"sleep", "1000"}, -1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "result.json")
			w := watch{netIf: "lo", label: tt.name, timeout: 50 * time.Millisecond, stdout: os.DevNull, stderr: os.DevNull}
			if !tt.timedOut {
				w.timeout = time.Minute
			}
			if err := w.run(out, tt.command); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			var r result
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			if r.Label != tt.name || r.ExitCode != tt.exit || r.TimedOut != tt.timedOut || r.Memory <= 0 {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// TestWindow leaves out what trickles.
func TestWindow(t *testing.T) {
	start := time.Unix(0, 0)
	w := window{last: 100}
	for i, sent := range []uint64{101, 200, 300, 301, 302} {
		w.look(sent, start.Add(time.Duration(i)*time.Second))
	}
	if got := w.to.Sub(w.from); got != time.Second || w.sent != 200 {
		t.Errorf("the window is %v long and begins at %d packets", got, w.sent)
	}
}
