package gate

import (
	"errors"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
)

// TestVerdictIncomplete checks that too little coverage is reported whatever
// determines the code.
func TestVerdictIncomplete(t *testing.T) {
	high := []exposure.Violation{exposuretest.Finding(t, "MXS1002", nil)}
	unverified := []exposure.Violation{exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Drift = result.DriftUnverified })}
	unresolved := RunFacts{Coverage: full, Unresolved: []UnresolvedName{{Name: "x"}}}
	tests := []struct {
		name     string
		facts    RunFacts
		findings []exposure.Violation
		want     bool
	}{
		{"pass", RunFacts{Coverage: full}, nil, false},
		{"fail", RunFacts{Coverage: full}, high, false},
		{"incomplete", unresolved, nil, true},
		{"fail and incomplete", unresolved, high, true},
		{"unverified", RunFacts{Coverage: full}, unverified, true},
		{"output failed", RunFacts{Coverage: full, Failed: []error{errors.New("disk full")}}, nil, false},
		{"output failed, and incomplete", RunFacts{Coverage: PairCounts{Planned: 9}, Failed: []error{errors.New("disk full")}}, nil, true},
		{"aborted", RunFacts{Coverage: full, Aborted: errors.New("interface down")}, high, true},
		{"signal", RunFacts{Coverage: full, Signal: 15}, nil, true},
	}
	for _, tt := range tests {
		if v := Decide(Criteria{MinCoverage: DefaultMinCoverage}, tt.facts, tt.findings); v.Incomplete != tt.want {
			t.Errorf("%s: incomplete is %v, gate %s", tt.name, v.Incomplete, v.Gate)
		}
	}
}
