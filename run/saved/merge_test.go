package saved

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// mergePort is a port of a test run: open with DKIMproxy, or only a state.
type mergePort struct {
	addr    string
	host    string
	state   result.State
	assumed bool
}

// madeRun returns a run as saved by a scan from the vantage point.
func madeRun(t *testing.T, name, vantage, shard string, ports ...mergePort) *RunFile {
	t.Helper()
	rules, err := exposure.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	v, err := exposure.ParseVantage(vantage, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	j := exposure.Judge{Rules: rules, Vantage: v, Knowledge: exposure.NewPortSets([]uint16{10027}, nil)}
	r := &RunFile{File: name, rules: rules, services: newServices(), whole: true}
	run := result.Run{ID: report.NewRunID(), StartTime: result.NewTime(now), EndTime: result.NewTime(now.Add(time.Minute)), Vantage: vantage, Shard: shard,
		Scope: result.Scope{Name: "scope.txt", SHA256: strings.Repeat("5f", 32), Ports: "10027", Addresses: uint64(len(ports))}}
	if err := r.Start(result.Tool{Name: "mxsweep", Version: "1"}, run); err != nil {
		t.Fatal(err)
	}
	var findings []exposure.Violation
	up := 0
	for _, p := range ports {
		port := exposure.Subject{Host: p.host, Result: scan.Result{State: p.state, Reason: result.ReasonSynAck, Time: now,
			Target: netip.AddrPortFrom(netip.MustParseAddr(p.addr), 10027)}}
		if p.assumed {
			port.Reachability = result.ReachabilityAssumed
		}
		if p.state == result.StateOpen {
			port.Service = &fingerprint.Identification{Service: result.Service{Name: "smtp", Role: "signing-proxy", Product: "DKIMproxy", Method: "probed", Confidence: 9}}
		}
		up++
		findings = append(findings, j.Findings(port)...)
		if err := r.Port(report.Clean(port.Port(), "")); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range exposure.JoinAddresses(findings) {
		if err := r.Finding(report.Clean(f.Finding(), "")); err != nil {
			t.Fatal(err)
		}
	}
	n := uint64(len(ports))
	if err := r.End(run, result.Summary{Complete: true, Gate: result.GatePass, Coverage: result.Coverage{Planned: n, Answered: n, HostsUp: up}}); err != nil {
		t.Fatal(err)
	}
	return r
}

// merged judges runs as one and returns its findings as "address severity drift".
func merged(t *testing.T, baseline *drift.Baseline, runs ...*RunFile) (string, Merged) {
	t.Helper()
	m := &Merger{Rules: runs[0].rules, Baseline: baseline, Now: runs[0].Record.StartTime.Time, Runs: runs}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	c := m.Conclude()
	var words []string
	for _, f := range c.Findings {
		words = append(words, fmt.Sprintf("%s %s %s", f.Target.Addr(), f.Severity, f.Drift))
	}
	slices.Sort(words)
	return strings.Join(words, ", "), c
}

func TestMergeLowersFindingsOnlyTheHostReaches(t *testing.T) {
	own := mergePort{addr: "192.0.2.1", state: result.StateOpen, assumed: true}
	at := func(state result.State) mergePort { return mergePort{addr: "192.0.2.1", state: state} }
	inside := madeRun(t, "own.json", "internet", "", own)
	for _, tt := range []struct {
		name  string
		other *RunFile
		want  string
	}{
		{"seen closed from outside", madeRun(t, "o.json", "lan", "", at(result.StateClosed)), "192.0.2.1 info none"},
		{"not told from outside", madeRun(t, "o.json", "lan", "", mergePort{addr: "192.0.2.9", state: result.StateClosed}), "192.0.2.1 critical none"},
		{"silent from outside, as the whole host is", madeRun(t, "o.json", "lan", "", at(result.StateFiltered)), "192.0.2.1 critical none"},
		{"not known from outside", madeRun(t, "o.json", "lan", "", at(result.StateUnknown)), "192.0.2.1 critical none"},
		{"seen open from outside", madeRun(t, "o.json", "lan", "", at(result.StateOpen)), "192.0.2.1 critical none, 192.0.2.1 critical none"},
		{"seen closed by itself", madeRun(t, "o.json", "host", "", at(result.StateClosed)), "192.0.2.1 critical none"},
	} {
		if got, _ := merged(t, nil, inside, tt.other); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestMergedShardsOfAName checks that a name whose addresses are in different
// shards has one finding, which is fixed only if all of them are closed.
func TestMergedShardsOfAName(t *testing.T) {
	at := func(addr string, state result.State) mergePort {
		return mergePort{addr: addr, host: "mx1.example.org", state: state}
	}
	one := madeRun(t, "1.json", "internet", "1/2", at("192.0.2.1", result.StateOpen))
	two := madeRun(t, "2.json", "internet", "2/2", at("192.0.2.2", result.StateOpen))
	text, c := merged(t, nil, one, two)
	if len(c.Findings) != 1 || len(c.Findings[0].Addresses) != 2 {
		t.Fatalf("got %s", text)
	}
	baseline := drift.NewBaseline(drift.Header{Created: one.Record.StartTime.Time, Vantage: "internet"}, nil, c.Findings)
	closedOne := madeRun(t, "1.json", "internet", "1/2", at("192.0.2.1", result.StateClosed))
	closedTwo := madeRun(t, "2.json", "internet", "2/2", at("192.0.2.2", result.StateClosed))
	unknown := madeRun(t, "2.json", "internet", "2/2", at("192.0.2.2", result.StateUnknown))
	for _, tt := range []struct {
		one, two *RunFile
		want     string
	}{
		{one, two, "192.0.2.1 critical unchanged"},
		{closedOne, two, "192.0.2.2 critical unchanged"},
		{closedOne, unknown, "192.0.2.1 critical unverified"},
		{closedOne, closedTwo, "192.0.2.1 critical fixed"},
	} {
		if got, _ := merged(t, baseline, tt.one, tt.two); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// TestMergedHostsUp checks that a host seen from two vantage points counts as one
// host up.
func TestMergedHostsUp(t *testing.T) {
	closed := func(addr string) mergePort { return mergePort{addr: addr, state: result.StateClosed} }
	inside := madeRun(t, "1.json", "lan", "", closed("192.0.2.1"), closed("192.0.2.2"))
	outside := madeRun(t, "2.json", "internet", "", closed("192.0.2.1"), closed("192.0.2.3"))
	inside.Summary.Coverage.Up = []string{"192.0.2.1", "192.0.2.2"}
	outside.Summary.Coverage.Up = []string{"192.0.2.1", "192.0.2.3"}
	if _, c := merged(t, nil, inside, outside); c.summary.Coverage.HostsUp != 3 || c.summary.Coverage.Planned != 4 {
		t.Errorf("got %+v", c.summary.Coverage)
	}
	outside.Summary.Coverage.Up = []string{"192.0.2.1-192.0.2.2"} // a range is as many hosts as it has addresses
	if _, c := merged(t, nil, inside, outside); c.summary.Coverage.HostsUp != 2 {
		t.Errorf("got %+v", c.summary.Coverage)
	}
	outside.Summary.Coverage.Up = nil // it does not list which ones were up
	if _, c := merged(t, nil, inside, outside); c.summary.Coverage.HostsUp != 4 {
		t.Errorf("of an older run: %+v", c.summary.Coverage)
	}
}

func TestMergedCoverage(t *testing.T) {
	one := madeRun(t, "1.json", "internet", "1/3", mergePort{addr: "192.0.2.1", state: result.StateClosed})
	two := madeRun(t, "2.json", "internet", "2/3", mergePort{addr: "192.0.2.2", state: result.StateClosed})
	empty := madeRun(t, "3.json", "internet", "3/3")
	empty.Summary.Gate, empty.Summary.Incomplete = result.GateIncomplete, true
	empty.notices = []result.Notice{{Code: exposure.NoticeNothingInScope, Level: "error", Message: "Nothing was in scope."}}
	if _, c := merged(t, nil, one, two, empty); c.Decision.Code != gate.ExitPass || c.summary.Coverage.Planned != 2 || c.summary.Incomplete {
		t.Errorf("with an empty shard: %+v", c.summary)
	}
	if _, c := merged(t, nil, one, empty); c.Decision.Code != gate.ExitIncomplete {
		t.Errorf("without shard 2: %+v", c.summary)
	}
	_, c := merged(t, nil, empty)
	var codes []string
	for _, n := range c.Decision.Notices {
		codes = append(codes, n.Code)
	}
	if c.Decision.Code != gate.ExitIncomplete || !slices.Contains(codes, exposure.NoticeShardMissing) || slices.Contains(codes, exposure.NoticeNothingInScope) {
		t.Errorf("with nothing but an empty shard: %v, %+v", codes, c.summary)
	}
	blind := madeRun(t, "2.json", "internet", "2/3", mergePort{addr: "192.0.2.2", state: result.StateClosed})
	blind.notices = []result.Notice{{Code: exposure.NoticeCanary, Level: "error", Message: "The canary did not answer."}}
	blind.Summary.Gate = result.GateIncomplete
	if _, c := merged(t, nil, one, blind, empty); c.Decision.Code != gate.ExitIncomplete || c.Decision.Gate != "incomplete" {
		t.Errorf("with a shard that was incomplete: %+v", c.summary)
	}
	cut := madeRun(t, "2.json", "internet", "2/3", mergePort{addr: "192.0.2.2", state: result.StateClosed})
	cut.Summary.Complete, cut.Summary.Gate = false, result.GateError
	if _, c := merged(t, nil, one, cut, empty); c.Decision.Code != gate.ExitIncomplete || c.summary.Complete {
		t.Errorf("with a shard that was cut short: %+v", c.summary)
	}
}

func TestMergeRefusals(t *testing.T) {
	port := mergePort{addr: "192.0.2.1", state: result.StateClosed}
	whole := madeRun(t, "a.json", "internet", "", port)
	other := madeRun(t, "b.json", "internet", "", port)
	shard := madeRun(t, "c.json", "internet", "1/2", port)
	third := madeRun(t, "d.json", "internet", "2/3", port)
	ports := madeRun(t, "e.json", "internet", "2/2", port)
	ports.Record.Scope.Ports, ports.Record.Scope.SHA256 = "25", strings.Repeat("60", 32)
	part := madeRun(t, "f.json", "lan", "", port)
	part.Record.Merged = []string{whole.Record.ID}
	renamed := &RunFile{}
	*renamed = *whole
	renamed.File = "g.json"
	for _, tt := range []struct {
		runs []*RunFile
		want string
	}{
		{[]*RunFile{whole, whole}, `merging "a.json": the file is given more than once`},
		{[]*RunFile{whole, whole, whole}, `merging "a.json": the file is given more than once`},
		{[]*RunFile{whole, renamed}, `merging "g.json": it is the same run as "a.json"`},
		{[]*RunFile{shard, shard}, `merging "c.json": the file is given more than once`},
		{[]*RunFile{whole, part}, `merging "f.json": it contains a run that "a.json" also contains`},
		{[]*RunFile{whole, other}, `it is the same sweep as "a.json"`},
		{[]*RunFile{shard, third}, `it is shard 2/3, and "c.json" is shard 1/2`},
		{[]*RunFile{shard, ports}, `its shard has the port 25, and that of "c.json" the port 10027`},
	} {
		err := (&Merger{Rules: whole.rules, Runs: tt.runs}).Check()
		var bad *fault.Error
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") || !errors.As(err, &bad) || bad.Kind != fault.Usage {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}
