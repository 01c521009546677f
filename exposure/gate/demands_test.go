package gate

import (
	"testing"

	"github.com/mxsweep/mxsweep/exposure/policy"
)

// TestDemands checks that a demand overrides the policy, and the policy the
// default, also with the value none.
func TestDemands(t *testing.T) {
	coverage := 0.5
	file := &policy.Policy{Gate: policy.Gate{FailOn: "rule:MXS1002", MinCoverage: &coverage, MinConfidence: 4}}
	for _, tt := range []struct {
		name          string
		demands       Demands
		file          *policy.Policy
		failOn        string
		minCoverage   float64
		minConfidence int
	}{
		{"defaults", Demands{}, nil, policy.DefaultFailOn, 0.95, 0},
		{"empty policy", Demands{}, &policy.Policy{}, policy.DefaultFailOn, 0.95, 0},
		{"policy", Demands{}, file, "rule:MXS1002", 0.5, 4},
		{"demands", Demands{FailOn: "none", MinCoverage: -1, MinHosts: 2, SoftFail: true}, file, "none", 0, 4},
		{"a coverage", Demands{MinCoverage: 0.25}, file, "rule:MXS1002", 0.25, 4},
	} {
		c, err := tt.demands.Criteria(tt.file, nil)
		if err != nil || c.FailOn.String() != tt.failOn || c.MinCoverage != tt.minCoverage || c.MinConfidence != tt.minConfidence ||
			c.MinHosts != tt.demands.MinHosts || c.SoftFail != tt.demands.SoftFail {
			t.Errorf("%s: %+v, %v", tt.name, c, err)
		}
	}
	if c, err := (Demands{FailOn: "loud"}).Criteria(nil, nil); err == nil || c.MinCoverage != 0 {
		t.Errorf("a severity that does not exist: %+v", c)
	}
	if c, err := (Demands{}).Criteria(&policy.Policy{Gate: policy.Gate{FailOn: "none"}}, nil); err != nil || !c.FailOn.None() {
		t.Errorf("none of the policy: %+v, %v", c, err)
	}
}
