package gate_test

import (
	"fmt"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/result"
)

// Decides how a run ends that saw all ports and found one severe exposure.
func ExampleDecide() {
	facts := gate.RunFacts{Coverage: gate.PairCounts{Planned: 2, Open: 1, Closed: 1, HostsUp: 1}}
	found := []exposure.Violation{{Severity: result.SeverityHigh, Status: result.StatusOpen, Drift: result.DriftNone, Confidence: 9}}
	verdict := gate.Decide(gate.Criteria{MinCoverage: gate.DefaultMinCoverage}, facts, found)
	fmt.Println(verdict.Code, verdict.Gate, verdict.Failing)
	// Output: 1 fail 1
}
