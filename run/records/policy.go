package records

import (
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// Policy returns inner with the ports that the records declare as public: they are expected, as those
// under expect of a policy are. It returns inner if there are no domains.
func (d *Domains) Policy(inner exposure.Policy) exposure.Policy {
	if d == nil {
		return inner
	}
	return &declaredPolicy{inner, d}
}

// A declaredPolicy is a policy that expects what records declare as well.
type declaredPolicy struct {
	exposure.Policy
	domains *Domains
}

// Apply implements [exposure.Policy].
func (p *declaredPolicy) Apply(f *exposure.Violation, now time.Time) {
	p.Policy.Apply(f, now)
	if f.Status == result.StatusOpen && f.Rule != nil && p.domains.expects(f) {
		f.Status = result.StatusExpected
	}
}

// expects reports whether records declare the port of a finding on all of its addresses, and the
// finding is about its reachability or what it discloses, as for an entry under expect.
func (d *Domains) expects(f *exposure.Violation) bool {
	switch f.Rule.Kind {
	case exposure.KindListener, exposure.KindDisclosure, exposure.KindJoined:
	default:
		return false
	}
	for _, a := range f.AllAddresses() {
		if !slices.Contains(d.ports[a], f.Target.Port()) {
			return false
		}
	}
	return true
}
