package saved

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// told returns the result of a merge, without what depends on the order of the
// runs.
func told(c *Merged) string {
	var lines []string
	for _, f := range c.Findings {
		lines = append(lines, fmt.Sprintf("finding %s %s %v %s %s %s", f.Rule.ID, f.Vantage, f.AllAddresses(), f.Severity, f.Status, f.Drift))
	}
	for _, n := range c.Decision.Notices {
		if n.Level == result.LevelError && n.Code != exposure.NoticePartIncomplete { // which names a file
			lines = append(lines, "error "+n.Code+" "+n.Message)
		}
	}
	for _, p := range c.ports {
		lines = append(lines, fmt.Sprintf("port %s %s", p.IP, p.State))
	}
	slices.Sort(lines)
	s := c.summary
	return fmt.Sprintf("code %d gate %s complete %t incomplete %t: %d of %d, %d up, %d silent\n", c.Decision.Code, s.Gate, s.Complete, s.Incomplete,
		s.Coverage.Answered, s.Coverage.Planned, s.Coverage.HostsUp, s.Coverage.HostsSilent) + strings.Join(slices.Compact(lines), "\n")
}

// mergedOf judges runs as one, with a baseline or nil.
func mergedOf(t *testing.T, baseline *drift.Baseline, runs []*RunFile) (*Merger, Merged) {
	t.Helper()
	m := &Merger{Rules: runs[0].rules, Baseline: baseline, Now: runs[0].Record.StartTime.Time, Runs: runs, Gate: gate.Criteria{MinCoverage: gate.DefaultMinCoverage}}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	return m, m.Conclude()
}

// saved returns a merged run as it is read back.
func saved(t *testing.T, name string, m *Merger, c Merged) *RunFile {
	t.Helper()
	r := &RunFile{File: name, rules: m.Rules, services: newServices(), whole: true}
	run := m.run(nil)
	if err := r.Start(result.Tool{Name: "mxsweep", Version: "1"}, run); err != nil {
		t.Fatal(err)
	}
	for _, p := range c.ports {
		_ = r.Port(*p)
	}
	for _, f := range c.Findings {
		_ = r.Finding(report.Clean(f.Finding(), ""))
	}
	for _, n := range c.Decision.Notices {
		_ = r.Notice(report.Clean(n, ""))
	}
	_ = r.End(run, c.summary)
	return r
}

// randomRun returns a random run over some addresses, with a scope of its own.
func randomRun(t *testing.T, r *rand.Rand, n int, vantage string) *RunFile {
	t.Helper()
	var ports []mergePort
	conclusive := uint64(0)
	states := []result.State{result.StateClosed, result.StateFiltered, result.StateUnknown, result.StateOpen, ""}
	if r.IntN(2) == 0 {
		states = states[:1] // no anomalies
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
	run.Record.Scope.SHA256 = strings.Repeat(fmt.Sprintf("%02x", n), 32)
	run.Summary.Coverage.Answered = conclusive
	switch r.IntN(8) {
	case 0:
		run.Summary.Complete, run.Summary.Gate = false, result.GateError
		run.notices = append(run.notices, result.Notice{Code: exposure.NoticeAborted, Level: "error", Message: "The run was aborted."})
	case 1:
		run.Summary.Gate, run.Summary.Incomplete = result.GateIncomplete, true
		run.notices = append(run.notices, result.Notice{Code: exposure.NoticeCanary, Level: "error", Message: fmt.Sprintf("The canary of run %d did not answer.", n)})
	}
	return run
}

// assumes reports whether a run scanned the machine on which it ran. The merged
// run keeps one record of each port, so that a later one lowers less.
func assumes(runs []*RunFile) bool {
	return slices.ContainsFunc(runs, func(r *RunFile) bool {
		return slices.ContainsFunc(r.ports, func(p *result.Port) bool { return p.Reachability != "" })
	})
}

// baselineOn returns a baseline with a finding on each of the addresses.
func baselineOn(t *testing.T) *drift.Baseline {
	t.Helper()
	run := madeRun(t, "baseline", "internet", "", mergePort{addr: "192.0.2.1", state: result.StateOpen}, mergePort{addr: "192.0.2.2", state: result.StateOpen},
		mergePort{addr: "192.0.2.3", state: result.StateOpen}, mergePort{addr: "192.0.2.4", state: result.StateOpen})
	return drift.NewBaseline(drift.Header{Created: run.Record.StartTime.Time, Vantage: "internet"}, nil, run.judged())
}

// TestMergeOrderDoesNotMatter checks that neither the order of the runs nor
// whether some of them were merged before makes a difference, and that no run
// gets lost.
func TestMergeOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	passes := 0
	for range 1000 {
		var baseline *drift.Baseline
		if r.IntN(2) == 0 {
			baseline = baselineOn(t)
		}
		vantages := []string{"internet", "internet", []string{"internet", "lan"}[r.IntN(2)]}
		var runs []*RunFile
		for n, v := range vantages {
			runs = append(runs, randomRun(t, r, n+1, v))
		}
		_, c := mergedOf(t, baseline, runs)
		want := told(&c)
		for _, run := range runs {
			if c.Decision.Code == gate.ExitPass {
				passes++
				if !run.Summary.Complete || run.Summary.Incomplete {
					t.Fatalf("a pass although %s is not complete:\n%s", run.File, want)
				}
			}
		}
		for _, order := range [][]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			_, c := mergedOf(t, baseline, []*RunFile{runs[order[0]], runs[order[1]], runs[order[2]]})
			if got := told(&c); got != want {
				t.Fatalf("in the order %v:\n%s\nelse:\n%s", order, got, want)
			}
		}
		if vantages[2] != "internet" {
			continue
		}
		m, two := mergedOf(t, nil, runs[:2])
		pair := saved(t, "two.json", m, two)
		_, later := mergedOf(t, baseline, []*RunFile{pair, runs[2]})
		if got := told(&later); got != want && !assumes(runs) || gate.Worse(c.Decision.Code, later.Decision.Code) != later.Decision.Code {
			t.Fatalf("merged in two steps:\n%s\nelse:\n%s", got, want)
		}
		if err := (&Merger{Rules: m.Rules, Runs: []*RunFile{pair, runs[r.IntN(2)]}}).Check(); err == nil {
			t.Fatal("a run that the merged one holds was taken again")
		}
	}
	if passes == 0 {
		t.Error("no merged run passes")
	}
}

// TestMergedAgain checks that what a merged run lacks is also missing if that run
// is merged with others.
func TestMergedAgain(t *testing.T) {
	closed := func(addr string) mergePort { return mergePort{addr: addr, state: result.StateClosed} }
	m, c := mergedOf(t, nil, []*RunFile{madeRun(t, "1.json", "internet", "1/2", closed("192.0.2.1"))})
	other := madeRun(t, "o.json", "internet", "", closed("198.51.100.1"))
	other.Record.Scope.SHA256 = strings.Repeat("60", 32)
	_, again := mergedOf(t, nil, []*RunFile{saved(t, "half.json", m, c), other})
	if again.Decision.Code != gate.ExitIncomplete || !again.summary.Incomplete {
		t.Errorf("a shard is missing, and got %s", told(&again))
	}
}

// TestMergeProvesSilenceByRun checks that a silent port of a run without any
// answer of its host is not fixed because the host answered another run.
func TestMergeProvesSilenceByRun(t *testing.T) {
	baseline := baselineOn(t)
	baseline.Entries = baseline.Entries[:1]
	other := func(name string, port uint16, state result.State) *RunFile {
		r := madeRun(t, name, "internet", "", mergePort{addr: "192.0.2.1", state: state})
		r.ports[0].Port, r.Record.Scope.SHA256 = port, strings.Repeat(fmt.Sprintf("%02x", port%255), 32)
		return r
	}
	silent, heard := other("silent.json", 10027, result.StateFiltered), other("heard.json", 25, result.StateClosed)
	both := other("both.json", 10027, result.StateFiltered)
	both.ports = append(both.ports, heard.ports[0])
	shown := other("shown.json", 10027, result.StateFiltered)
	shown.notices = []result.Notice{{Code: exposure.NoticeReferencePort, Level: "note", Target: "192.0.2.1", Message: "shown by an answer from 25/tcp."}}
	for _, tt := range []struct {
		runs []*RunFile
		want result.Drift
	}{
		{[]*RunFile{silent}, result.DriftUnverified},
		{[]*RunFile{silent, heard}, result.DriftUnverified},
		{[]*RunFile{both}, result.DriftFixed},
		{[]*RunFile{shown}, result.DriftFixed},
	} {
		if _, c := mergedOf(t, baseline, tt.runs); len(c.Findings) != 1 || c.Findings[0].Drift != tt.want {
			t.Errorf("%d runs: want %s, got %s", len(tt.runs), tt.want, told(&c))
		}
	}
}
