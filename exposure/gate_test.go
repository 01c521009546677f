package exposure

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func found(t testing.TB, id string, change func(*Finding)) Finding {
	t.Helper()
	r := testRules(t).Lookup(id)
	f := Finding{Rule: r, Severity: r.Severity, Confidence: 9, Status: StatusOpen, Drift: DriftNone,
		Target: netip.MustParseAddrPort("192.0.2.10:10025")}
	if change != nil {
		change(&f)
	}
	return f
}

func TestParseFailOn(t *testing.T) {
	rules := testRules(t)
	for _, tt := range []struct{ in, out, err string }{
		{"", "any:high", ""},
		{"none", "none", ""},
		{"new:high, any:critical", "new:high,any:critical", ""},
		{"rule:MXS1002,rule:MXS1002", "rule:MXS1002", ""},
		{"unverified:low", "unverified:low", ""},
		{"high", "", "needs a colon"},
		{"old:high", "", `"old" is not a drift state`},
		{"fixed:high", "", `"fixed" is not a drift state`},
		{"any:severe", "", `unknown severity "severe"`},
		{"rule:MXS8888", "", `no rule "MXS8888"`},
		{"rule:x", "", `no rule "x"`},
		{"any:high,", "", `fail-on ""`},
	} {
		f, err := ParseFailOn(tt.in, rules)
		if tt.err != "" {
			var hinted interface{ Hint() string }
			if err == nil || !strings.Contains(err.Error(), tt.err) || !errors.As(err, &hinted) || hinted.Hint() == "" {
				t.Errorf("%q: got %v, want an error with a hint and %q", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || f.String() != tt.out {
			t.Errorf("%q: got %q, %v, want %q", tt.in, f, err, tt.out)
		}
	}
}

func TestFailOnMatch(t *testing.T) {
	for _, tt := range []struct {
		on     string
		rule   string
		change func(*Finding)
		want   bool
	}{
		{"", "MXS1002", nil, true},
		{"", "MXS1201", nil, false},
		{"none", "MXS1004", nil, false},
		{"any:medium", "MXS1201", nil, true},
		{"new:high", "MXS1002", nil, true}, // no baseline: all is new
		{"new:high", "MXS1002", func(f *Finding) { f.Drift = DriftUnchanged }, false},
		{"new:high,any:critical", "MXS1004", func(f *Finding) { f.Drift = DriftUnchanged }, true},
		{"rule:MXS1901", "MXS1901", nil, true},
		{"any:info", "MXS1002", func(f *Finding) { f.Status = StatusAccepted }, false},
		{"any:info", "MXS1002", func(f *Finding) { f.Status = StatusExpected }, false},
		{"any:info", "MXS1002", func(f *Finding) { f.Drift = DriftFixed }, false},
		{"any:info", "MXS1002", func(f *Finding) { f.Drift = DriftUnverified }, true},
	} {
		on, err := ParseFailOn(tt.on, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := found(t, tt.rule, tt.change)
		if got := on.Match(&f); got != tt.want {
			t.Errorf("%q on %s (%s, %s): got %v", tt.on, tt.rule, f.Status, f.Drift, got)
		}
	}
}

var full = Coverage{Planned: 100, Open: 2, Closed: 98, HostsUp: 10}

func TestDecide(t *testing.T) {
	high := found(t, "MXS1002", nil)
	unverified := found(t, "MXS1201", func(f *Finding) { f.Drift = DriftUnverified })
	gate := Gate{MinCoverage: DefaultMinCoverage}
	answered := []Canary{{Answered: true}}
	silent := []SilentTarget{{Addr: netip.MustParseAddr("192.0.2.1"), Pairs: 4}}
	required := &UnknownPairs{}
	required.Require("192.0.2.1:25", 1, RequiredBaseline)
	for _, tt := range []struct {
		name     string
		gate     Gate
		facts    RunFacts
		findings []Finding
		code     ExitCode
		verdict  string
		codes    string // of the notices
	}{
		{"all seen, nothing found", gate, RunFacts{Coverage: full}, nil, ExitPass, "pass", ""},
		{"found", gate, RunFacts{Coverage: full}, []Finding{high}, ExitFail, "fail", ""},
		{"soft fail", Gate{SoftFail: true}, RunFacts{Coverage: full}, []Finding{high}, ExitPass, "fail", ""},
		{"soft fail of a run that saw nothing", Gate{SoftFail: true}, RunFacts{Coverage: Coverage{Planned: 9}}, []Finding{high}, ExitIncomplete, "fail", NoticeNothingSeen},
		{"not sure enough", Gate{MinConfidence: 10}, RunFacts{Coverage: full}, []Finding{high}, ExitPass, "pass", NoticeConfidence},
		{"nothing in scope", gate, RunFacts{}, nil, ExitIncomplete, "incomplete", NoticeNothingInScope},
		{"only canaries asked", gate, RunFacts{Canaries: answered}, nil, ExitIncomplete, "incomplete", NoticeNothingInScope},
		{"nothing seen, no floor", Gate{}, RunFacts{Coverage: Coverage{Planned: 5, HostsSilent: 1}}, nil, ExitIncomplete, "incomplete", NoticeNothingSeen},
		{"all vacant, no canary", Gate{}, RunFacts{Coverage: Coverage{VacantPairs: 5, HostsVacant: 1}}, nil, ExitIncomplete, "incomplete", NoticeNothingSeen},
		{"all vacant, a canary", gate, RunFacts{Coverage: Coverage{VacantPairs: 5, HostsVacant: 1}, Canaries: answered}, nil, ExitPass, "pass", ""},
		{"all vacant, a canary of the scanner's own", gate, RunFacts{Coverage: Coverage{VacantPairs: 5, HostsVacant: 1}, Canaries: []Canary{{Answered: true, Own: true}}}, nil, ExitIncomplete, "incomplete", NoticeNothingSeen},
		{"up, and nothing conclusive, no floor", Gate{}, RunFacts{Coverage: Coverage{Planned: 5, HostsUp: 1}}, nil, ExitIncomplete, "incomplete", NoticeCoverage},
		{"silent target, a canary", Gate{}, RunFacts{Coverage: Coverage{Planned: 5, HostsSilent: 1}, Canaries: answered, Silent: silent}, nil, ExitIncomplete, "incomplete", NoticeSilent + " " + NoticeCoverage},
		{"accepted silent target, no canary", Gate{}, RunFacts{Coverage: Coverage{Accepted: 5, HostsSilent: 1}, Silent: []SilentTarget{{Addr: netip.MustParseAddr("192.0.2.1"), Pairs: 5, Acceptance: &Acceptance{ID: "AR-1"}}}}, nil, ExitIncomplete, "incomplete", NoticeNothingSeen + " " + NoticeSilent},
		{"silent target among many", gate, RunFacts{Coverage: full, Silent: silent}, nil, ExitIncomplete, "incomplete", NoticeSilent},
		{"required", gate, RunFacts{Coverage: full, Unknown: required}, nil, ExitIncomplete, "incomplete", NoticeRequired},
		{"short line", gate, RunFacts{Coverage: full, Short: []ScopeLine{{Text: "192.0.2.0/28", MinHosts: 1}}}, nil, ExitIncomplete, "incomplete", NoticeFewHosts},
		{"few hosts", Gate{MinHosts: 11}, RunFacts{Coverage: full}, nil, ExitIncomplete, "incomplete", NoticeFewHosts},
		{"enough hosts", Gate{MinHosts: 10}, RunFacts{Coverage: full}, nil, ExitPass, "pass", ""},
		{"below the floor", gate, RunFacts{Coverage: Coverage{Planned: 100, Open: 1, Closed: 93, HostsUp: 1, HostsSilent: 1}}, nil, ExitIncomplete, "incomplete", NoticeCoverage},
		{"at the floor", gate, RunFacts{Coverage: Coverage{Planned: 100, Open: 1, Filtered: 94, HostsUp: 1}}, nil, ExitPass, "pass", ""},
		{"floor that is no number", Gate{MinCoverage: math.NaN()}, RunFacts{Coverage: full}, nil, ExitIncomplete, "incomplete", NoticeCoverage},
		{"nothing open", gate, RunFacts{Coverage: Coverage{Planned: 9, Closed: 9, HostsUp: 1}}, nil, ExitPass, "pass", NoticeNothingOpen},
		{"nothing open, a canary", gate, RunFacts{Coverage: Coverage{Planned: 9, Closed: 9, HostsUp: 1}, Canaries: answered}, nil, ExitPass, "pass", ""},
		{"name", gate, RunFacts{Coverage: full, Unresolved: []UnresolvedName{{Name: "mx.example.org"}}}, nil, ExitIncomplete, "incomplete", NoticeUnresolved},
		{"canary", gate, RunFacts{Coverage: full, Canaries: []Canary{{}}}, nil, ExitIncomplete, "incomplete", NoticeCanary},
		{"canary answered", gate, RunFacts{Coverage: full, Canaries: answered}, nil, ExitPass, "pass", ""},
		{"unverified", gate, RunFacts{Coverage: full}, []Finding{unverified}, ExitIncomplete, "incomplete", NoticeUnverified},
		{"found before incomplete", gate, RunFacts{Coverage: full, Unresolved: []UnresolvedName{{Name: "x"}}}, []Finding{high}, ExitFail, "fail", NoticeUnresolved},
		{"output before found", gate, RunFacts{Coverage: full, Failed: []error{errors.New("disk full")}}, []Finding{high}, ExitError, "error", NoticeOutput},
		{"aborted", gate, RunFacts{Coverage: full, Aborted: errors.New("interface down")}, nil, ExitError, "error", NoticeAborted},
		{"refused before all", gate, RunFacts{Refused: errors.New("outside the scope"), Aborted: errors.New("x")}, nil, ExitRefused, "error", NoticeRefused + " " + NoticeAborted},
		{"signal", gate, RunFacts{Coverage: full, Signal: 2}, nil, 130, "incomplete", NoticeSignal},
		{"shut out", gate, RunFacts{Coverage: full, Shut: true}, nil, ExitIncomplete, "incomplete", NoticeShutOut},
	} {
		v := tt.gate.Decide(tt.facts, tt.findings)
		var codes []string
		for _, n := range v.Notices {
			codes = append(codes, n.Code)
			if n.Message == "" || n.Level == "" {
				t.Errorf("%s: empty notice %+v", tt.name, n)
			}
		}
		if v.Code != tt.code || v.Gate != tt.verdict || strings.Join(codes, " ") != tt.codes {
			t.Errorf("%s: got %d %s %v, want %d %s %s", tt.name, v.Code, v.Gate, codes, tt.code, tt.verdict, tt.codes)
		}
	}
}

// choices calls try with every combination of one value below each size.
func choices(sizes []int, try func([]int)) {
	at := make([]int, len(sizes))
	for {
		try(at)
		i := 0
		for ; i < len(sizes); i++ {
			if at[i]++; at[i] < sizes[i] {
				break
			}
			at[i] = 0
		}
		if i == len(sizes) {
			return
		}
	}
}

// TestNeverFalselyGreen feeds the gate every combination of a small domain and
// holds each pass against what a pass promises.
func TestNeverFalselyGreen(t *testing.T) {
	high := found(t, "MXS1002", nil)
	lost := found(t, "MXS1002", func(f *Finding) { f.Drift = DriftUnverified })
	passes := 0
	//           open closed unknown up silent vacant canary required short signal findings name floor shut soft
	choices([]int{2, 2, 3, 2, 2, 2, 3, 2, 2, 2, 3, 2, 3, 2, 2}, func(c []int) {
		cover := Coverage{Open: uint64(c[0]), Closed: uint64(9 * c[1]), HostsUp: uint64(c[3]), HostsSilent: uint64(c[4]), HostsVacant: uint64(c[5]), VacantPairs: uint64(4 * c[5])}
		unknown := []uint64{0, 1, 10}[c[2]]
		cover.Planned = cover.Open + cover.Closed + unknown
		facts := RunFacts{Coverage: cover, Unknown: &UnknownPairs{}, Signal: 15 * c[9], Shut: c[13] == 1}
		if c[4] == 1 {
			facts.Silent = []SilentTarget{{Addr: netip.MustParseAddr("192.0.2.1"), Pairs: 1}}
		}
		canary := c[6] == 2
		if c[6] > 0 {
			facts.Canaries = []Canary{{Answered: canary}}
		}
		if c[7] == 1 {
			facts.Unknown.Require("192.0.2.1:25", 1, RequiredTarget)
		}
		if c[8] == 1 {
			facts.Short = []ScopeLine{{MinHosts: 1}}
		}
		if c[11] == 1 {
			facts.Unresolved = []UnresolvedName{{Name: "mx"}}
		}
		findings := [][]Finding{nil, {high}, {lost}}[c[10]]
		gate := Gate{MinCoverage: []float64{0, 0.95, 1}[c[12]], SoftFail: c[14] == 1}
		v := gate.Decide(facts, findings)
		if v.Code != ExitPass {
			return
		}
		passes++
		switch {
		case cover.HostsUp == 0 && !canary, cover.Planned == 0 && cover.HostsVacant == 0, cover.Planned > 0 && cover.Conclusive() == 0,
			cover.Ratio() < gate.MinCoverage, len(facts.Silent) > 0, facts.Unknown.Required() > 0, len(facts.Short) > 0,
			facts.Signal > 0, facts.Shut, len(facts.Unresolved) > 0, c[6] == 1, c[10] > 0 && !gate.SoftFail:
			t.Fatalf("pass from %+v with %d findings and gate %+v", facts, len(findings), gate)
		case v.Gate == "pass" && cover.Open == 0 && !canary && v.Reason == "":
			t.Fatalf("a pass that rests on nothing does not say so: %+v", facts)
		}
	})
	if passes == 0 {
		t.Error("no combination passes")
	}
}

func TestWorse(t *testing.T) {
	for i, a := range precedence {
		for _, b := range precedence[i:] {
			if Worse(a, b) != a || Worse(b, a) != a {
				t.Errorf("of %d and %d, %d must win", a, b, a)
			}
		}
	}
}

func TestNoticeKinds(t *testing.T) {
	last := "MXS9000"
	for _, k := range NoticeKinds() {
		if k.Code <= last || len(k.Code) != 7 {
			t.Errorf("code %s is out of order", k.Code)
		}
		last = k.Code
		if k.Name == "" || k.Level == "" || k.Title == "" || k.Why == "" || k.Help == "" {
			t.Errorf("%s lacks a text", k.Code)
		}
	}
}

// TestCoverageAdvice: what holds for silent addresses of ranges is told where there
// are some.
func TestCoverageAdvice(t *testing.T) {
	single := []SilentTarget{{Addr: netip.MustParseAddr("192.0.2.1"), Pairs: 4}}
	for _, tt := range []struct {
		name   string
		facts  RunFacts
		canary bool
	}{
		{"a port that cannot be told", RunFacts{Coverage: Coverage{Planned: 1, HostsUp: 1}}, false},
		{"a silent target", RunFacts{Coverage: Coverage{Planned: 5, Closed: 1, HostsUp: 1, HostsSilent: 1}, Silent: single}, false},
		{"silent addresses of a range", RunFacts{Coverage: Coverage{Planned: 5, Closed: 1, HostsUp: 1, HostsSilent: 3}, Silent: single}, true},
	} {
		v := Gate{MinCoverage: 0.95}.Decide(tt.facts, nil)
		i := slices.IndexFunc(v.Notices, func(n Notice) bool { return n.Code == NoticeCoverage })
		if i < 0 || strings.Contains(v.Notices[i].Message, "--canary") != tt.canary {
			t.Errorf("%s: %+v", tt.name, v.Notices)
		}
	}
}
