package saved

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// mergedUnder judges runs as one, with a policy.
func mergedUnder(t *testing.T, text string, runs ...*RunFile) Merged {
	t.Helper()
	p, err := policy.Load("mxsweep.yaml", []byte("version: 1\n"+text), policy.Context{Rules: runs[0].rules})
	if err != nil {
		t.Fatal(err)
	}
	m := &Merger{Rules: runs[0].rules, Policy: p, Now: time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC), Runs: runs}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	return m.Conclude()
}

// noticed returns the messages of the notices with a code.
func noticed(c Merged, code string) string {
	var list []string
	for _, n := range c.Decision.Notices {
		if n.Code == code {
			list = append(list, n.Message)
		}
	}
	return strings.Join(list, "\n")
}

// TestMergeRequiresWhatThePolicyNames checks that a pair that the policy of the
// merged run expects, or requires to be closed, and that is unknown in the runs,
// makes it incomplete, as in a scan.
func TestMergeRequiresWhatThePolicyNames(t *testing.T) {
	const closed = "must_be_closed: [{target: 192.0.2.9, ports: 10027}]\n"
	const expect = "expect: [{target: 192.0.2.9, ports: 10027}]\n"
	for name, tt := range map[string]struct {
		state  result.State
		policy string
		want   gate.ExitCode
	}{
		"closed, unknown":       {result.StateUnknown, closed, gate.ExitIncomplete},
		"expected, unknown":     {result.StateUnknown, expect, gate.ExitIncomplete},
		"of another, unknown":   {result.StateUnknown, strings.ReplaceAll(closed, "2.9", "2.8"), gate.ExitPass},
		"expected, silent":      {result.StateFiltered, expect, gate.ExitIncomplete},
		"closed, is closed":     {result.StateClosed, closed, gate.ExitPass},
		"expected, is closed":   {result.StateClosed, expect, gate.ExitPass},
		"closed, is open":       {result.StateOpen, closed, gate.ExitFail},
		"expected, may be open": {result.StateOpen, expect, gate.ExitPass},
	} {
		r := madeRun(t, "a.json", "internet", "", mergePort{addr: "192.0.2.1", state: result.StateClosed}, mergePort{addr: "192.0.2.9", state: tt.state})
		r.Summary.Coverage.Planned, r.Summary.Coverage.Answered = 100, 99
		c := mergedUnder(t, tt.policy, r)
		told := noticed(c, exposure.NoticeRequired)
		if c.Decision.Code != tt.want || (told != "") != (tt.want == gate.ExitIncomplete) || told != "" && !strings.Contains(told, "192.0.2.9:10027") {
			t.Errorf("%s: exit code %d, want %d; %q", name, c.Decision.Code, tt.want, told)
		}
		forbidden := slices.ContainsFunc(c.Findings, func(f exposure.Violation) bool { return f.Rule.ID == exposure.RuleForbidden })
		if forbidden != (tt.state == result.StateOpen && tt.policy == closed) {
			t.Errorf("%s: forbidden %v: %v", name, forbidden, c.Findings)
		}
	}

	// A notice in a run is enough, if it is about that pair.
	const head = "1 port must have a conclusive result and has none: "
	for message, want := range map[string]int{
		head + "192.0.2.9:10027 (expected by the policy).":                                                                1,
		head + "1192.0.2.9:10027 (expected by the policy).":                                                               2,
		"2 ports must have a conclusive result and have none: 192.0.2.9:10027, 192.0.2.1:10027 (expected by the policy).": 1,
	} {
		r := madeRun(t, "a.json", "internet", "", mergePort{addr: "192.0.2.9", state: result.StateUnknown}, mergePort{addr: "192.0.2.1", state: result.StateClosed})
		r.notices = append(r.notices, report.Clean(exposure.NewNotice(exposure.NoticeRequired, "", nil, "%s", message), ""))
		told := noticed(mergedUnder(t, closed, r), exposure.NoticeRequired)
		if strings.Count(told, "must have a conclusive result") != want || !strings.Contains(told, message) {
			t.Errorf("told %q, want %d notices", told, want)
		}
	}
}

// TestMergeReportsUnscannedEntries checks that an entry of must_be_closed that no
// run probed is reported, as far as known.
func TestMergeReportsUnscannedEntries(t *testing.T) {
	for name, tt := range map[string]struct {
		entry   string
		a, b    []string
		missing bool
	}{
		"asked by the second":    {"{target: 192.0.2.77, ports: 10027}", []string{"192.0.2.1"}, []string{"192.0.2.64-192.0.2.95"}, false},
		"another address":        {"{target: 192.0.2.77, ports: 10027}", []string{"192.0.2.1"}, []string{"192.0.2.64-192.0.2.76"}, true},
		"another port":           {"{target: 192.0.2.1, ports: 10028}", []string{"192.0.2.1"}, []string{"192.0.2.2"}, true},
		"another port anywhere":  {`{target: "*", ports: 10028}`, nil, nil, true},
		"anywhere":               {`{target: "*", ports: 10027}`, nil, nil, false},
		"a name":                 {"{target: mx1.example.org, ports: 10027}", []string{"192.0.2.1", "MX1.example.org"}, []string{"192.0.2.2"}, false},
		"another name":           {"{target: mx2.example.org, ports: 10027}", []string{"192.0.2.1", "mx1.example.org"}, []string{"192.0.2.2"}, true},
		"a run that is not told": {"{target: 192.0.2.77, ports: 10027}", []string{"192.0.2.1"}, nil, false},
	} {
		a := madeRun(t, "a.json", "internet", "", mergePort{addr: "192.0.2.1", state: result.StateClosed})
		b := madeRun(t, "b.json", "lan", "", mergePort{addr: "192.0.2.2", state: result.StateClosed})
		a.Record.Scope.Asked, b.Record.Scope.Asked = tt.a, tt.b
		told := noticed(mergedUnder(t, "must_be_closed: ["+tt.entry+"]\n", a, b), exposure.NoticeExpectedMissing)
		if (told != "") != tt.missing || tt.missing && !strings.Contains(told, "names no host and port that this run probed") {
			t.Errorf("%s: told %q", name, told)
		}
	}
}

// TestMergeOwnCanary checks that a canary on the scanner's own machine shows
// nothing about the network in a merged run either.
func TestMergeOwnCanary(t *testing.T) {
	for name, tt := range map[string]struct {
		own    []bool // of the canary of each run
		reason string
		stays  bool
	}{
		"own":          {[]bool{true}, "no canary on another machine was probed", true},
		"own, twice":   {[]bool{true, true}, "no canary on another machine was probed", true},
		"elsewhere":    {[]bool{false}, "", false},
		"one of them":  {[]bool{true, false}, "", false},
		"the other":    {[]bool{false, true}, "", false},
		"none, is old": {nil, "no canary was probed", false},
	} {
		runs := []*RunFile{madeRun(t, "a.json", "internet", "", mergePort{addr: "192.0.2.1", state: result.StateClosed}),
			madeRun(t, "b.json", "lan", "", mergePort{addr: "192.0.2.2", state: result.StateClosed})}
		for i, r := range runs {
			r.Summary.Coverage.CoverageCounts = &result.CoverageCounts{Closed: 1}
			if i < len(tt.own) {
				ok := true
				r.Summary.Coverage.CanariesOK, r.Summary.Coverage.CanariesOwn = &ok, tt.own[i]
			}
		}
		c := mergedUnder(t, "", runs...)
		if (tt.reason == "") != (c.Decision.Reason == "") || !strings.Contains(c.Decision.Reason, tt.reason) || c.summary.Coverage.CanariesOwn != tt.stays {
			t.Errorf("%s: reason %q, own %v", name, c.Decision.Reason, c.summary.Coverage.CanariesOwn)
		}
	}
}

// TestAskedRange reads what askedHosts writes.
func TestAskedRange(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1-192.0.2.1", "192.0.2.0-192.0.2.15": "192.0.2.0-192.0.2.15", "2001:db8::1": "2001:db8::1-2001:db8::1",
		"fe80::1%eth0": "fe80::1-fe80::1", "mx1.example.org": "", "192.0.2.9-192.0.2.1": "", "192.0.2.1-2001:db8::1": "", "a-b": "",
	} {
		r, ok := result.ParseRange(text)
		if ok != (want != "") || ok && r.String() != want {
			t.Errorf("%q: %v, %v", text, r, ok)
		}
	}
}
