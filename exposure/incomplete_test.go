package exposure

import (
	"errors"
	"testing"
)

// TestVerdictIncomplete: whether too little was seen is told whatever decides
// the code.
func TestVerdictIncomplete(t *testing.T) {
	high := []Finding{found(t, "MXS1002", nil)}
	unverified := []Finding{found(t, "MXS1002", func(f *Finding) { f.Drift = DriftUnverified })}
	unresolved := Saw{Coverage: full, Unresolved: []UnresolvedName{{Name: "x"}}}
	tests := []struct {
		name     string
		saw      Saw
		findings []Finding
		want     bool
	}{
		{"pass", Saw{Coverage: full}, nil, false},
		{"fail", Saw{Coverage: full}, high, false},
		{"incomplete", unresolved, nil, true},
		{"fail and incomplete", unresolved, high, true},
		{"unverified", Saw{Coverage: full}, unverified, true},
		{"output failed", Saw{Coverage: full, Failed: []error{errors.New("disk full")}}, nil, false},
		{"output failed, and incomplete", Saw{Coverage: Coverage{Planned: 9}, Failed: []error{errors.New("disk full")}}, nil, true},
		{"aborted", Saw{Coverage: full, Aborted: errors.New("interface down")}, high, true},
		{"signal", Saw{Coverage: full, Signal: 15}, nil, true},
		{"refused", Saw{Refused: errors.New("outside the scope")}, nil, true},
	}
	for _, tt := range tests {
		if v := (Gate{MinCoverage: DefaultMinCoverage}).Decide(tt.saw, tt.findings); v.Incomplete != tt.want {
			t.Errorf("%s: incomplete is %v, gate %s", tt.name, v.Incomplete, v.Gate)
		}
	}
}
