package gate

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
)

var full = PairCounts{Planned: 100, Open: 2, Closed: 98, HostsUp: 10}

func TestDecide(t *testing.T) {
	high := exposuretest.Finding(t, "MXS1002", nil)
	unverified := exposuretest.Finding(t, "MXS1201", func(f *exposure.Violation) { f.Drift = result.DriftUnverified })
	gate := Criteria{MinCoverage: DefaultMinCoverage}
	answered := []WatchedCanary{{Answered: true}}
	silent := []SilentTarget{{Addr: netip.MustParseAddr("192.0.2.1"), Pairs: 4}}
	required := &UnknownPairs{}
	required.Require("192.0.2.1:25", 1, RequiredBaseline)
	for _, tt := range []struct {
		name     string
		gate     Criteria
		facts    RunFacts
		findings []exposure.Violation
		code     ExitCode
		verdict  string
		codes    string // of the notices
	}{
		{"all seen, nothing found", gate, RunFacts{Coverage: full}, nil, ExitPass, "pass", ""},
		{"found", gate, RunFacts{Coverage: full}, []exposure.Violation{high}, ExitFail, "fail", ""},
		{"soft fail", Criteria{SoftFail: true}, RunFacts{Coverage: full}, []exposure.Violation{high}, ExitPass, "fail", ""},
		{"soft fail of a run that saw nothing", Criteria{SoftFail: true}, RunFacts{Coverage: PairCounts{Planned: 9}}, []exposure.Violation{high}, ExitIncomplete, "fail", exposure.NoticeNothingSeen},
		{"not sure enough", Criteria{MinConfidence: 10}, RunFacts{Coverage: full}, []exposure.Violation{high}, ExitPass, "pass", exposure.NoticeConfidence},
		{"nothing in scope", gate, RunFacts{}, nil, ExitIncomplete, "incomplete", exposure.NoticeNothingInScope},
		{"only canaries asked", gate, RunFacts{Canaries: answered}, nil, ExitIncomplete, "incomplete", exposure.NoticeNothingInScope},
		{"nothing seen, no floor", Criteria{}, RunFacts{Coverage: PairCounts{Planned: 5, HostsSilent: 1}}, nil, ExitIncomplete, "incomplete", exposure.NoticeNothingSeen},
		{"all vacant, no canary", Criteria{}, RunFacts{Coverage: PairCounts{VacantPairs: 5, HostsVacant: 1}}, nil, ExitIncomplete, "incomplete", exposure.NoticeNothingSeen},
		{"all vacant, a canary", gate, RunFacts{Coverage: PairCounts{VacantPairs: 5, HostsVacant: 1}, Canaries: answered}, nil, ExitPass, "pass", ""},
		{"all vacant, a canary of the scanner's own", gate, RunFacts{Coverage: PairCounts{VacantPairs: 5, HostsVacant: 1}, Canaries: []WatchedCanary{{Answered: true, Own: true}}}, nil, ExitIncomplete, "incomplete", exposure.NoticeNothingSeen},
		{"up, and nothing conclusive, no floor", Criteria{}, RunFacts{Coverage: PairCounts{Planned: 5, HostsUp: 1}}, nil, ExitIncomplete, "incomplete", exposure.NoticeCoverage},
		{"silent target, a canary", Criteria{}, RunFacts{Coverage: PairCounts{Planned: 5, HostsSilent: 1}, Canaries: answered, Silent: silent}, nil, ExitIncomplete, "incomplete", exposure.NoticeSilent + " " + exposure.NoticeCoverage},
		{"accepted silent target, no canary", Criteria{}, RunFacts{Coverage: PairCounts{Accepted: 5, HostsSilent: 1}, Silent: []SilentTarget{{Addr: netip.MustParseAddr("192.0.2.1"), Pairs: 5, Acceptance: &result.Acceptance{ID: "AR-1"}}}}, nil, ExitIncomplete, "incomplete", exposure.NoticeNothingSeen + " " + exposure.NoticeSilent},
		{"silent target among many", gate, RunFacts{Coverage: full, Silent: silent}, nil, ExitIncomplete, "incomplete", exposure.NoticeSilent},
		{"required", gate, RunFacts{Coverage: full, Unknown: required}, nil, ExitIncomplete, "incomplete", exposure.NoticeRequired},
		{"short line", gate, RunFacts{Coverage: full, Short: []ScopeLine{{Text: "192.0.2.0/28", MinHosts: 1}}}, nil, ExitIncomplete, "incomplete", exposure.NoticeFewHosts},
		{"few hosts", Criteria{MinHosts: 11}, RunFacts{Coverage: full}, nil, ExitIncomplete, "incomplete", exposure.NoticeFewHosts},
		{"enough hosts", Criteria{MinHosts: 10}, RunFacts{Coverage: full}, nil, ExitPass, "pass", ""},
		{"below the floor", gate, RunFacts{Coverage: PairCounts{Planned: 100, Open: 1, Closed: 93, HostsUp: 1, HostsSilent: 1}}, nil, ExitIncomplete, "incomplete", exposure.NoticeCoverage},
		{"at the floor", gate, RunFacts{Coverage: PairCounts{Planned: 100, Open: 1, Filtered: 94, HostsUp: 1}}, nil, ExitPass, "pass", ""},
		{"floor that is no number", Criteria{MinCoverage: math.NaN()}, RunFacts{Coverage: full}, nil, ExitIncomplete, "incomplete", exposure.NoticeCoverage},
		{"nothing open", gate, RunFacts{Coverage: PairCounts{Planned: 9, Closed: 9, HostsUp: 1}}, nil, ExitPass, "pass", exposure.NoticeNothingOpen},
		{"nothing open, a canary", gate, RunFacts{Coverage: PairCounts{Planned: 9, Closed: 9, HostsUp: 1}, Canaries: answered}, nil, ExitPass, "pass", ""},
		{"name", gate, RunFacts{Coverage: full, Unresolved: []UnresolvedName{{Name: "mx.example.org"}}}, nil, ExitIncomplete, "incomplete", exposure.NoticeUnresolved},
		{"canary", gate, RunFacts{Coverage: full, Canaries: []WatchedCanary{{}}}, nil, ExitIncomplete, "incomplete", exposure.NoticeCanary},
		{"canary answered", gate, RunFacts{Coverage: full, Canaries: answered}, nil, ExitPass, "pass", ""},
		{"unverified", gate, RunFacts{Coverage: full}, []exposure.Violation{unverified}, ExitIncomplete, "incomplete", exposure.NoticeUnverified},
		{"found before incomplete", gate, RunFacts{Coverage: full, Unresolved: []UnresolvedName{{Name: "x"}}}, []exposure.Violation{high}, ExitFail, "fail", exposure.NoticeUnresolved},
		{"output before found", gate, RunFacts{Coverage: full, Failed: []error{errors.New("disk full")}}, []exposure.Violation{high}, ExitError, "error", exposure.NoticeOutput},
		{"aborted", gate, RunFacts{Coverage: full, Aborted: errors.New("interface down")}, nil, ExitError, "error", exposure.NoticeAborted},
		{"signal", gate, RunFacts{Coverage: full, Signal: 2}, nil, 130, "incomplete", exposure.NoticeSignal},
		{"shut out", gate, RunFacts{Coverage: full, Blocked: true}, nil, ExitIncomplete, "incomplete", exposure.NoticeAllBlocked},
	} {
		v := Decide(tt.gate, tt.facts, tt.findings)
		var codes []string
		for _, n := range v.Notices {
			codes = append(codes, n.Code)
			if n.Message == "" || n.Level == "" {
				t.Errorf("%s: empty notice %+v", tt.name, n)
			}
		}
		if v.Code != tt.code || string(v.Gate) != tt.verdict || strings.Join(codes, " ") != tt.codes {
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

// TestIncompleteRunNeverPasses tries every combination of a small domain and
// checks each pass against the meaning of a pass.
func TestIncompleteRunNeverPasses(t *testing.T) {
	high := exposuretest.Finding(t, "MXS1002", nil)
	lost := exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Drift = result.DriftUnverified })
	passes := 0
	//           open closed unknown up silent vacant canary required short signal findings name floor shut soft
	choices([]int{2, 2, 3, 2, 2, 2, 3, 2, 2, 2, 3, 2, 3, 2, 2}, func(c []int) {
		cover := PairCounts{Open: uint64(c[0]), Closed: uint64(9 * c[1]), HostsUp: uint64(c[3]), HostsSilent: uint64(c[4]), HostsVacant: uint64(c[5]), VacantPairs: uint64(4 * c[5])}
		unknown := []uint64{0, 1, 10}[c[2]]
		cover.Planned = cover.Open + cover.Closed + unknown
		facts := RunFacts{Coverage: cover, Unknown: &UnknownPairs{}, Signal: 15 * c[9], Blocked: c[13] == 1}
		if c[4] == 1 {
			facts.Silent = []SilentTarget{{Addr: netip.MustParseAddr("192.0.2.1"), Pairs: 1}}
		}
		canary := c[6] == 2
		if c[6] > 0 {
			facts.Canaries = []WatchedCanary{{Answered: canary}}
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
		findings := [][]exposure.Violation{nil, {high}, {lost}}[c[10]]
		gate := Criteria{MinCoverage: []float64{0, 0.95, 1}[c[12]], SoftFail: c[14] == 1}
		v := Decide(gate, facts, findings)
		if v.Code != ExitPass {
			return
		}
		passes++
		switch {
		case cover.HostsUp == 0 && !canary, cover.Planned == 0 && cover.HostsVacant == 0, cover.Planned > 0 && cover.Conclusive() == 0,
			cover.Ratio() < gate.MinCoverage, len(facts.Silent) > 0, facts.Unknown.Required() > 0, len(facts.Short) > 0,
			facts.Signal > 0, facts.Blocked, len(facts.Unresolved) > 0, c[6] == 1, c[10] > 0 && !gate.SoftFail:
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

// TestCoverageAdvice checks that the advice for silent addresses of ranges is
// given if there are some.
func TestCoverageAdvice(t *testing.T) {
	single := []SilentTarget{{Addr: netip.MustParseAddr("192.0.2.1"), Pairs: 4}}
	for _, tt := range []struct {
		name   string
		facts  RunFacts
		canary bool
	}{
		{"a port that cannot be told", RunFacts{Coverage: PairCounts{Planned: 1, HostsUp: 1}}, false},
		{"a silent target", RunFacts{Coverage: PairCounts{Planned: 5, Closed: 1, HostsUp: 1, HostsSilent: 1}, Silent: single}, false},
		{"silent addresses of a range", RunFacts{Coverage: PairCounts{Planned: 5, Closed: 1, HostsUp: 1, HostsSilent: 3}, Silent: single}, true},
	} {
		v := Decide(Criteria{MinCoverage: 0.95}, tt.facts, nil)
		i := slices.IndexFunc(v.Notices, func(n result.Notice) bool { return n.Code == exposure.NoticeCoverage })
		if i < 0 || strings.Contains(v.Notices[i].Message, "--canary") != tt.canary {
			t.Errorf("%s: %+v", tt.name, v.Notices)
		}
	}
}
