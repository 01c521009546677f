package main

import (
	"bytes"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/scan"
)

func TestProgressLine(t *testing.T) {
	for _, tt := range []struct {
		name    string
		now     run.Progress
		elapsed time.Duration
		want    string
	}{
		{"start", run.Progress{Stats: scan.Stats{Planned: 1000}}, 0, "0 of 1000 ports, 0 open, 0 probes/s"},
		{"under way", run.Progress{Stats: scan.Stats{Planned: 1000, Done: 250, Sent: 300, Open: 3}, Share: 0.25}, 10 * time.Second,
			"250 of 1000 ports, 3 open, 30 probes/s, about 30s left"},
		{"the last probes", run.Progress{Stats: scan.Stats{Planned: 118, Done: 3, Sent: 354, Wait: 3 * time.Second}, Share: 1}, 2 * time.Second,
			"3 of 118 ports, 0 open, 177 probes/s, about 3s left"},
		{"measured", run.Progress{Stats: scan.Stats{Planned: 7200, Sent: 1234567, Rate: 150000, Open: 1}, Share: 1. / 7200, Loss: 0.051, Measured: true}, time.Second,
			"0 of 7200 ports, 1 open, 5.1% lost, 150k probes/s, about 1h59m left"},
		{"far off", run.Progress{Stats: scan.Stats{Planned: 1 << 63, Sent: 1}, Share: 1e-19}, time.Second, "0 of 9223372036855M ports, 0 open, 1 probes/s"},
		{"replies", run.Progress{Stats: scan.Stats{Planned: 10, Done: 10, Open: 3}, Identified: 1, Listen: 9 * time.Second}, time.Minute,
			"10 of 10 ports, 3 open, waiting for 2 ports to reply, up to 9s"},
		{"tried again", run.Progress{Stats: scan.Stats{Planned: 10, Done: 10, Open: 2}, Identified: 1}, time.Minute, "10 of 10 ports, 2 open, trying 1 port again"},
		{"reports", run.Progress{Stats: scan.Stats{Planned: 10, Done: 10, Open: 2}, Identified: 2}, time.Minute, "10 of 10 ports, 2 open"},
		{"nothing", run.Progress{}, time.Second, "0 of 0 ports, 0 open, 0 probes/s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := progressLine(tt.now, tt.elapsed); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFitted(t *testing.T) {
	const line = "250 of 1000 ports, 3 open, 30 probes/s, about 30s left"
	for columns, want := range map[int]string{
		0:  line,
		63: line,
		62: "250 of 1000 ports, 3 open, 30 probes/s",
		40: "250 of 1000 ports, 3 open",
		16: "250 of ",
		3:  "",
	} {
		if got := fitted(line, columns); got != want {
			t.Errorf("%d columns: got %q, want %q", columns, got, want)
		}
	}
}

func TestProgressInALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var done atomic.Uint64
		p := startProgress(&out, progressLines, false, nil, func() run.Progress {
			return run.Progress{Stats: scan.Stats{Planned: 100, Done: done.Load(), Open: 1}, Share: float64(done.Load()) / 100}
		}, progressLine)
		done.Store(10)
		time.Sleep(65 * time.Second)
		synctest.Wait()
		p.stop()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || lines[0] != "mxsweep: 10%: 10 of 100 ports, 1 open, 0 probes/s, about 4m30s left" {
			t.Errorf("after 65 seconds: %q", lines)
		}
		time.Sleep(time.Minute)
		if n := strings.Count(out.String(), "\n"); n != 2 {
			t.Errorf("%d lines after the end, want 2", n)
		}
	})
}

// TestDomainLine: how many domains are done, and the time left.
func TestDomainLine(t *testing.T) {
	for done, want := range map[uint64]string{0: "0 of 1000 domains", 250: "250 of 1000 domains, about 30s left", 1000: "1000 of 1000 domains"} {
		got := domainLine(run.Progress{Stats: scan.Stats{Planned: 1000, Done: done}, Share: float64(done) / 1000}, 10*time.Second)
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestProgressBarShowsRateAndOpenPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := startProgress(&out, progressBar, false, func() int { return 80 }, func() run.Progress {
			return run.Progress{Stats: scan.Stats{Planned: 100, Done: 50, Sent: 50, Answered: 40, Open: 7}, Share: 0.5, Loss: 0.02, Measured: true}
		}, progressLine)
		time.Sleep(time.Second)
		synctest.Wait()
		p.stop()
		for _, want := range []string{"46%", "50 of 100 ports", "7 open", "2.0% lost", "probes/s", "left"} {
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
