package gate

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
)

// Demands are the gate options of a run. A zero field means the value of the
// policy, or else the default.
type Demands struct {
	FailOn      string  // which findings fail the run; "none" for none of them
	MinCoverage float64 // the minimum ratio of conclusive pairs; negative for none
	MinHosts    uint64
	SoftFail    bool
}

// Criteria returns the demands, with zero fields filled in from the policy, which
// may be nil. If rules is not nil, it must have the rules that they name.
func (d Demands) Criteria(file *policy.Policy, rules *exposure.RuleSet) (Criteria, error) {
	var p policy.Gate
	if file != nil {
		p = file.Gate
	}
	failOn, err := policy.ParseFailOn(cmp.Or(d.FailOn, p.FailOn, policy.DefaultFailOn), rules)
	if err != nil {
		var errs []error
		for _, one := range fault.Parts(err) {
			errs = append(errs, fault.As(fault.Usage, fmt.Errorf("reading --fail-on: %w", one)))
		}
		return Criteria{}, errors.Join(errs...)
	}
	c := Criteria{FailOn: failOn, MinCoverage: DefaultMinCoverage, MinHosts: d.MinHosts, MinConfidence: p.MinConfidence, SoftFail: d.SoftFail}
	switch {
	case d.MinCoverage != 0:
		c.MinCoverage = max(d.MinCoverage, 0)
	case p.MinCoverage != nil:
		c.MinCoverage = *p.MinCoverage
	}
	if d.FailOn == "" {
		c.FailOnAt = p.FailOnAt
	}
	return c, nil
}
