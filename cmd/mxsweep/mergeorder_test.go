package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// told is what a merged run comes to, without what depends on the order of its
// parts.
func told(c *mergedConclusion) string {
	var lines []string
	for _, f := range c.findings {
		lines = append(lines, fmt.Sprintf("finding %s %s %v %s %s %s", f.Rule.ID, f.Vantage, f.AllAddresses(), f.Severity, f.Status, f.Drift))
	}
	for _, n := range c.verdict.Notices {
		if n.Level == exposure.LevelError && n.Code != exposure.NoticePartIncomplete { // which names a file
			lines = append(lines, "error "+n.Code+" "+n.Message)
		}
	}
	for _, p := range c.ports {
		lines = append(lines, fmt.Sprintf("port %s %s", p.IP, p.State))
	}
	slices.Sort(lines)
	s := c.summary
	return fmt.Sprintf("code %d gate %s complete %t incomplete %t: %d of %d, %d up, %d silent\n", c.verdict.Code, s.Gate, s.Complete, s.Incomplete,
		s.Coverage.Answered, s.Coverage.Planned, s.Coverage.HostsUp, s.Coverage.HostsSilent) + strings.Join(slices.Compact(lines), "\n")
}

// mergedOf judges runs as one, with a baseline or nil.
func mergedOf(t *testing.T, baseline *exposure.Baseline, runs []*savedRun) (*merger, mergedConclusion) {
	t.Helper()
	m := &merger{rules: runs[0].rules, baseline: baseline, now: runs[0].run.StartTime.Time, runs: runs, gate: exposure.Gate{MinCoverage: exposure.DefaultMinCoverage}}
	if err := m.check(); err != nil {
		t.Fatal(err)
	}
	return m, m.conclude()
}

// saved is a merged run as it is read back.
func saved(t *testing.T, name string, m *merger, c mergedConclusion) *savedRun {
	t.Helper()
	r := &savedRun{file: name, rules: m.rules, services: newServices(), whole: true}
	run := m.run(nil)
	if err := r.Start(result.Tool{Name: "mxsweep", Version: "1"}, run); err != nil {
		t.Fatal(err)
	}
	for _, p := range c.ports {
		_ = r.Port(*p)
	}
	for _, f := range c.findings {
		_ = r.Finding(report.NewFinding(f, ""))
	}
	for _, n := range c.verdict.Notices {
		_ = r.Notice(report.NewNotice(n, ""))
	}
	_ = r.End(run, c.summary)
	return r
}

// randomRun is a run over some of a few addresses, with its own scope.
func randomRun(t *testing.T, r *rand.Rand, n int, vantage string) *savedRun {
	t.Helper()
	var ports []mergePort
	conclusive := uint64(0)
	states := []result.State{result.StateClosed, result.StateFiltered, result.StateUnknown, result.StateOpen, ""}
	if r.IntN(2) == 0 {
		states = states[:1] // nothing amiss
	}
	for a := range 4 {
		state := states[r.IntN(len(states))]
		if state == "" {
			continue
		}
		if state == result.StateOpen || state == result.StateClosed {
			conclusive++
		}
		ports = append(ports, mergePort{addr: fmt.Sprintf("192.0.2.%d", a+1), state: state, assumed: state == result.StateOpen && r.IntN(3) == 0})
	}
	run := madeRun(t, fmt.Sprintf("%d.json", n), vantage, "", ports...)
	run.run.Scope.SHA256 = strings.Repeat(fmt.Sprintf("%02x", n), 32)
	run.summary.Coverage.Answered = conclusive
	switch r.IntN(8) {
	case 0:
		run.summary.Complete, run.summary.Gate = false, result.GateError
		run.notices = append(run.notices, result.Notice{Code: exposure.NoticeAborted, Level: "error", Message: "The run was aborted."})
	case 1:
		run.summary.Gate, run.summary.Incomplete = result.GateIncomplete, true
		run.notices = append(run.notices, result.Notice{Code: exposure.NoticeCanary, Level: "error", Message: fmt.Sprintf("The canary of run %d did not answer.", n)})
	}
	return run
}

// assumes reports whether a run looked at the machine that it ran on. The merged
// run keeps one record of each port, so that a later one lowers less.
func assumes(runs []*savedRun) bool {
	return slices.ContainsFunc(runs, func(r *savedRun) bool {
		return slices.ContainsFunc(r.ports, func(p *result.Port) bool { return p.Reachability != "" })
	})
}

// baselineOn is a baseline with a finding on each of the few addresses.
func baselineOn(t *testing.T) *exposure.Baseline {
	t.Helper()
	run := madeRun(t, "baseline", "internet", "", mergePort{addr: "192.0.2.1", state: result.StateOpen}, mergePort{addr: "192.0.2.2", state: result.StateOpen},
		mergePort{addr: "192.0.2.3", state: result.StateOpen}, mergePort{addr: "192.0.2.4", state: result.StateOpen})
	findings, err := run.judged()
	if err != nil {
		t.Fatal(err)
	}
	return exposure.NewBaseline(exposure.BaselineHeader{Created: run.run.StartTime.Time, Vantage: "internet"}, nil, findings)
}

// TestMergeTakesNoOrder holds that neither the order of the runs nor whether some
// of them were merged before makes a difference, and that no run gets lost.
func TestMergeTakesNoOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	passes := 0
	for range 1000 {
		var baseline *exposure.Baseline
		if r.IntN(2) == 0 {
			baseline = baselineOn(t)
		}
		vantages := []string{"internet", "internet", []string{"internet", "lan"}[r.IntN(2)]}
		var runs []*savedRun
		for n, v := range vantages {
			runs = append(runs, randomRun(t, r, n+1, v))
		}
		_, c := mergedOf(t, baseline, runs)
		want := told(&c)
		for _, run := range runs {
			if c.verdict.Code == exposure.ExitPass {
				passes++
				if !run.summary.Complete || run.summary.Incomplete {
					t.Fatalf("a pass although %s is not complete:\n%s", run.file, want)
				}
			}
		}
		for _, order := range [][]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			_, c := mergedOf(t, baseline, []*savedRun{runs[order[0]], runs[order[1]], runs[order[2]]})
			if got := told(&c); got != want {
				t.Fatalf("in the order %v:\n%s\nelse:\n%s", order, got, want)
			}
		}
		if vantages[2] != "internet" {
			continue
		}
		m, two := mergedOf(t, nil, runs[:2])
		pair := saved(t, "two.json", m, two)
		_, later := mergedOf(t, baseline, []*savedRun{pair, runs[2]})
		if got := told(&later); got != want && !assumes(runs) || exposure.Worse(c.verdict.Code, later.verdict.Code) != later.verdict.Code {
			t.Fatalf("merged in two steps:\n%s\nelse:\n%s", got, want)
		}
		if err := (&merger{rules: m.rules, runs: []*savedRun{pair, runs[r.IntN(2)]}}).check(); err == nil {
			t.Fatal("a run that the merged one holds was taken again")
		}
	}
	if passes == 0 {
		t.Error("no merged run passes")
	}
}

// TestMergedAgain holds that what a merged run lacks is lacking as well where that
// run is merged with others.
func TestMergedAgain(t *testing.T) {
	closed := func(addr string) mergePort { return mergePort{addr: addr, state: result.StateClosed} }
	m, c := mergedOf(t, nil, []*savedRun{madeRun(t, "1.json", "internet", "1/2", closed("192.0.2.1"))})
	other := madeRun(t, "o.json", "internet", "", closed("198.51.100.1"))
	other.run.Scope.SHA256 = strings.Repeat("60", 32)
	_, again := mergedOf(t, nil, []*savedRun{saved(t, "half.json", m, c), other})
	if again.verdict.Code != exposure.ExitIncomplete || !again.summary.Incomplete {
		t.Errorf("a shard is missing, and got %s", told(&again))
	}
}

// TestMergeProvesSilenceByRun holds that a silent port of a run that heard nothing
// of its host is not fixed because another run heard of it.
func TestMergeProvesSilenceByRun(t *testing.T) {
	baseline := baselineOn(t)
	baseline.Entries = baseline.Entries[:1]
	other := func(name string, port uint16, state result.State) *savedRun {
		r := madeRun(t, name, "internet", "", mergePort{addr: "192.0.2.1", state: state})
		r.ports[0].Port, r.run.Scope.SHA256 = port, strings.Repeat(fmt.Sprintf("%02x", port%255), 32)
		return r
	}
	silent, heard := other("silent.json", 10027, result.StateFiltered), other("heard.json", 25, result.StateClosed)
	both := other("both.json", 10027, result.StateFiltered)
	both.ports = append(both.ports, heard.ports[0])
	shown := other("shown.json", 10027, result.StateFiltered)
	shown.notices = []result.Notice{{Code: exposure.NoticeReferencePort, Level: "note", Target: "192.0.2.1", Message: "shown by an answer from 25/tcp."}}
	for _, tt := range []struct {
		runs []*savedRun
		want exposure.Drift
	}{
		{[]*savedRun{silent}, exposure.DriftUnverified},
		{[]*savedRun{silent, heard}, exposure.DriftUnverified},
		{[]*savedRun{both}, exposure.DriftFixed},
		{[]*savedRun{shown}, exposure.DriftFixed},
	} {
		if _, c := mergedOf(t, baseline, tt.runs); len(c.findings) != 1 || c.findings[0].Drift != tt.want {
			t.Errorf("%d runs: want %s, got %s", len(tt.runs), tt.want, told(&c))
		}
	}
}
