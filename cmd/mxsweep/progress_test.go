package main

import (
	"bytes"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mxsweep/scan"
)

func TestProgressLine(t *testing.T) {
	for _, tt := range []struct {
		name    string
		stats   scan.Stats
		elapsed time.Duration
		want    string
	}{
		{"start", scan.Stats{Planned: 1000}, 0, "0 of 1000 ports (0%), 0 probes/s, 0 open"},
		{"under way", scan.Stats{Planned: 1000, Done: 250, Sent: 300, Open: 3}, 10 * time.Second,
			"250 of 1000 ports (25%), 30 probes/s, 3 open, ends in 30s"},
		{"measured rate", scan.Stats{Planned: 7200, Done: 1, Rate: 1.4, Open: 1}, time.Second,
			"1 of 7200 ports (0%), 1 probes/s, 1 open, ends in 1h59m"},
		{"swept", scan.Stats{Planned: 10, Done: 10, Open: 2}, time.Minute, "swept 10 ports, 2 open, 0 identified"},
		{"nothing", scan.Stats{}, time.Second, "0 of 0 ports (0%), 0 probes/s, 0 open"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := progressLine(tally{Stats: tt.stats}, tt.elapsed); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFitted(t *testing.T) {
	const line = "250 of 1000 ports (25%), 30 probes/s, 3 open, ends in 30s"
	for columns, want := range map[int]string{
		0:  line,
		66: line,
		65: "250 of 1000 ports (25%), 30 probes/s, 3 open",
		40: "250 of 1000 ports (25%)",
		20: "250 of 1000",
		3:  "",
	} {
		if got := fitted(line, columns); got != want {
			t.Errorf("%d columns: got %q, want %q", columns, got, want)
		}
	}
}

func TestShortDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "59s": 59 * time.Second, "1m00s": 59*time.Second + 600*time.Millisecond,
		"3m20s": 200 * time.Second, "26h40m": 96000 * time.Second,
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("shortDuration(%v) is %q, want %q", d, got, want)
		}
	}
}

// In a log there is one plain line each 30 seconds, and none after the end.
func TestProgressInALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var done atomic.Uint64
		p := startProgress(&out, progressLines, false, nil, func() tally {
			return tally{Stats: scan.Stats{Planned: 100, Done: done.Load(), Open: 1}}
		})
		done.Store(10)
		time.Sleep(65 * time.Second)
		synctest.Wait()
		p.stop()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || lines[0] != "mxsweep: 10 of 100 ports (10%), 0 probes/s, 1 open, ends in 4m30s" {
			t.Errorf("after 65 seconds: %q", lines)
		}
		time.Sleep(time.Minute)
		if n := strings.Count(out.String(), "\n"); n != 2 {
			t.Errorf("%d lines after the end, want 2", n)
		}
	})
}

func TestProgressBarShowsRateAndOpenPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := startProgress(&out, progressBar, false, func() int { return 80 }, func() tally {
			return tally{Stats: scan.Stats{Planned: 100, Done: 50, Sent: 50, Open: 7}}
		})
		time.Sleep(time.Second)
		synctest.Wait()
		p.stop()
		for _, want := range []string{"50 of 100 ports", "probes/s", "7 open", "ends in"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the bar %q lacks %q", out.String(), want)
			}
		}
	})
}

func TestProgressMode(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tt := range []struct {
		flag, ci string
		quiet    bool
		want     progressMode
	}{
		{auto, "", false, progressNone},
		{auto, "true", false, progressLines},
		{auto, "true", true, progressNone},
		{always, "", false, progressLines},
		{always, "", true, progressNone},
		{never, "true", false, progressNone},
	} {
		s := &session{stderr: file, env: func(key string) string {
			if key == "CI" {
				return tt.ci
			}
			return ""
		}}
		if got := s.progressMode(tt.flag, tt.quiet); got != tt.want {
			t.Errorf("--progress %s, CI=%q, quiet %v: mode %d, want %d", tt.flag, tt.ci, tt.quiet, got, tt.want)
		}
	}
	var none *progress
	none.stop() // must not fail
}
