package gate

import (
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/result"
)

// TestForbiddenPortIsCertain checks that a port that must be closed fails the run
// even if its service is unknown and the gate requires confidence.
func TestForbiddenPortIsCertain(t *testing.T) {
	closed, err := policy.Load("mxsweep.yaml", []byte("version: 1\nmust_be_closed: [{target: \"*\", ports: \"10025\"}]\n"), policy.Context{})
	if err != nil {
		t.Fatal(err)
	}
	j := exposure.Judge{Rules: exposuretest.Rules(t), Policy: closed}
	v := Decide(Criteria{MinConfidence: 9}, RunFacts{Coverage: PairCounts{Planned: 1, Open: 1, HostsUp: 1}}, j.Findings(exposuretest.OpenPort(10025, nil)))
	if v.Code != ExitFail {
		t.Errorf("code %d, notices %v", v.Code, v.Notices)
	}
}

func TestAcceptedNameDoesNotResolve(t *testing.T) {
	saw := RunFacts{Coverage: full, Unresolved: []UnresolvedName{{Name: "mx9.example.org"}}}
	if v := Decide(Criteria{}, saw, nil); v.Code != ExitIncomplete {
		t.Errorf("code %d", v.Code)
	}
	saw.Unresolved[0].Acceptance = &result.Acceptance{ID: "AR-2", Expires: result.NewDate(exposuretest.Time)}
	if v := Decide(Criteria{}, saw, nil); v.Code != ExitPass || len(v.Notices) != 1 || v.Notices[0].Level != result.LevelNote {
		t.Errorf("code %d, notices %v", v.Code, v.Notices)
	}
}
