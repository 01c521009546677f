package gate

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
)

// Demands are what the user asks of a run for it to pass. A field that is zero
// leaves it to the policy, or else to the default.
type Demands struct {
	FailOn      string  // which findings fail the run; "none" for none of them
	MinCoverage float64 // the least ratio of conclusive pairs; negative for none
	MinHosts    uint64
	SoftFail    bool
}

// Criteria are the demands with what the policy, which may be nil, says where they
// say nothing. Rules, if not nil, must know the rules that they name.
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
