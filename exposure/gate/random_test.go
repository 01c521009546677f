package gate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// randomFacts returns random facts of a run with the reasons why the run must not
// pass and must be incomplete.
func randomFacts(r *rand.Rand, gate Criteria) (facts RunFacts, missing []string) {
	silent := netip.MustParseAddr("192.0.2.1")
	n := func() uint64 { return []uint64{0, 0, 1, 19, 400}[r.IntN(5)] }
	once := func(weight int) bool { return r.IntN(weight) == 0 }
	lacks := func(why string) { missing = append(missing, why) }
	c := PairCounts{Open: n(), Closed: n(), Filtered: n(), HostsUp: n(), HostsSilent: n(), HostsVacant: n(), Accepted: n()}
	c.VacantPairs = 2 * c.HostsVacant
	c.Planned = c.Open + c.Closed + c.Filtered + []uint64{0, 0, 1, 30}[r.IntN(4)]
	facts.Unknown = &UnknownPairs{}
	unknown := func(port uint16, reason result.Reason, why Requirement) {
		c.Planned++
		facts.Unknown.Add(exposure.Subject{Result: scan.Result{Target: netip.AddrPortFrom(silent, port), State: result.StateUnknown, Reason: reason}}, why)
	}
	answered := false
	if once(3) {
		canary := WatchedCanary{Answered: !once(4)}
		if facts.Canaries = []WatchedCanary{canary}; !canary.Answered {
			lacks("a canary")
		}
		answered = canary.Answered
	}
	if once(6) {
		t := SilentTarget{Addr: silent, Pairs: 2}
		if once(2) {
			t.Acceptance = &result.Acceptance{ID: "AR-1"}
		} else if lacks("a target"); once(3) {
			unknown(25, result.ReasonNetUnreach, RequiredTarget)
		}
		facts.Silent = []SilentTarget{t}
	}
	if once(8) {
		why := []Requirement{RequiredTarget, RequiredBaseline, RequiredExpect, RequiredClosed, RequiredOpen, ""}[r.IntN(6)]
		reason := []result.Reason{result.ReasonBlocked, result.ReasonNetUnreach, result.ReasonZeroWindow, result.ReasonHostTimeout, result.ReasonUnknown}[r.IntN(5)]
		unknown(26, reason, why)
		if why != "" {
			lacks("a required port")
		}
	}
	if once(8) {
		facts.Short = []ScopeLine{{Text: "192.0.2.0/24", MinHosts: 1}}
		lacks("hosts of a line")
	}
	if once(8) {
		facts.Blocked = true
		lacks("what had answered")
	}
	if once(8) {
		facts.Unresolved = []UnresolvedName{{Name: "mx.example.org"}}
		lacks("a name")
	}
	if once(8) {
		facts.Incomplete = []result.Notice{exposure.NewNotice(exposure.NoticeShardMissing, "2/2", nil, "Shard 2/2 is missing.")}
		lacks("a shard")
	}
	if once(10) {
		facts.Expired = time.Unix(1, 0)
		lacks("authorization")
	}
	if once(10) {
		facts.TimeUp = time.Second
		lacks("time")
	}
	if once(10) {
		facts.Signal = 15
		lacks("an end of its own")
	}
	if once(10) {
		facts.Aborted = errors.New("interface down")
		lacks("an end without an error")
	}
	switch {
	case c.Planned+c.VacantPairs+c.Accepted == 0:
		lacks("anything in scope")
	case c.HostsUp == 0 && !answered:
		lacks("anything that answers")
	case c.Planned > 0 && c.Conclusive() == 0:
		lacks("anything conclusive")
	case c.Planned > 0 && float64(c.Conclusive())/float64(c.Planned) < gate.MinCoverage:
		lacks("the floor")
	}
	if c.HostsUp < gate.MinHosts {
		lacks("hosts")
	}
	facts.Coverage = c
	return facts, missing
}

// TestGatePromises checks random runs against the meaning of each exit code: a
// run that lacks something never passes, is incomplete whatever determines its
// code, and says why; one that lacks nothing passes or fails by its findings.
func TestGatePromises(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 2))
	high, info := exposuretest.Finding(t, "MXS1002", nil), exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Severity = result.SeverityInfo })
	accepted := exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Status = result.StatusAccepted })
	lost := exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Drift, f.Carried = result.DriftUnverified, true })
	gone := exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Drift, f.Status = result.DriftFixed, result.StatusFixed })
	edge, unsure := exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Confidence = 5 }), exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Confidence = 4 })
	news, err := policy.ParseFailOn("new:high", nil)
	if err != nil {
		t.Fatal(err)
	}
	none, err := policy.ParseFailOn("none", nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[ExitCode]int{}
	for range 50000 {
		on := r.IntN(3)
		gate := Criteria{MinCoverage: []float64{0, DefaultMinCoverage, 1}[r.IntN(3)], MinHosts: uint64(r.IntN(2)), SoftFail: r.IntN(4) == 0,
			MinConfidence: 5, FailOn: []policy.FailOn{{}, news, none}[on]}
		facts, missing := randomFacts(r, gate)
		var findings []exposure.Violation
		fails := 0
		for range r.IntN(3) {
			f := []exposure.Violation{high, info, accepted, lost, gone, edge, unsure}[r.IntN(7)]
			findings = append(findings, f)
			if f.Status == result.StatusOpen && f.Severity >= result.SeverityHigh && f.Confidence >= gate.MinConfidence && (on == 0 || on == 1 && f.Drift == result.DriftNone) {
				fails++
			}
			if f.Drift == result.DriftUnverified {
				missing = append(missing, "what became of a finding")
			}
		}
		v := Decide(gate, facts, findings)
		seen[v.Code]++
		want := ExitPass
		switch {
		case facts.Signal > 0:
			want = 143
		case facts.Aborted != nil:
			want = ExitError
		case fails > 0 && !gate.SoftFail:
			want = ExitFail
		case len(missing) > 0:
			want = ExitIncomplete
		}
		told := fmt.Sprintf("lacks %q, %d fail, gate %+v: %+v", missing, fails, gate, v)
		if v.Code != want {
			t.Fatalf("code %d, want %d: %s", v.Code, want, told)
		}
		if v.Incomplete != (len(missing) > 0) || v.Failing != fails || v.Complete == (facts.stopped()) {
			t.Fatalf("incomplete %t, failing %d, complete %t: %s", v.Incomplete, v.Failing, v.Complete, told)
		}
		reasons := 0
		for _, n := range v.Notices {
			if n.Level != result.LevelNote {
				reasons++
			}
		}
		if len(missing) > 0 && reasons == 0 {
			t.Fatalf("no notice says why: %s", told)
		}
	}
	for _, code := range []ExitCode{ExitPass, ExitFail, ExitIncomplete, ExitError, 143} {
		if seen[code] == 0 {
			t.Errorf("no run ended with %d", code)
		}
	}
}
