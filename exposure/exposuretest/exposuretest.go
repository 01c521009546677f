package exposuretest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// Time is when the ports of the tests were probed.
var Time = time.Date(2026, 11, 20, 6, 0, 31, 0, time.UTC)

// Rules returns the built-in rules.
func Rules(t testing.TB) *exposure.RuleSet {
	t.Helper()
	rules, err := exposure.Builtin()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	return rules
}

// Ports returns the ports that count as internal and as public in tests.
func Ports() exposure.PortSets {
	return exposure.NewPortSets([]uint16{10024, 10025, 10026, 10027, 10028, 10029, 10030, 10031, 11211, 12345}, []uint16{25, 443, 465, 587, 993})
}

// OpenPort returns an open port of 192.0.2.10; a nil service means not
// identified.
func OpenPort(port uint16, s *fingerprint.Identification) exposure.Subject {
	return exposure.Subject{Result: scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.10"), port),
		State: result.StateOpen, Reason: result.ReasonSynAck, Time: Time}, Service: s}
}

// Service returns a service that a dialogue identified with confidence 9, with
// the given observations.
func Service(protocol string, role result.Role, product string, observations ...string) *fingerprint.Identification {
	s := &fingerprint.Identification{Service: result.Service{Name: protocol, Role: role, Product: product, Method: result.MethodProbed, Confidence: 9}}
	s.Observations = append(s.Observations, observations...)
	return s
}

// Finding returns a finding of a rule on 192.0.2.10:10025. If change is not nil,
// it is applied to the finding.
func Finding(t testing.TB, rule string, change func(*exposure.Violation)) exposure.Violation {
	t.Helper()
	r := Rules(t).Lookup(rule)
	f := exposure.Violation{Rule: r, Severity: r.Severity, Confidence: 9, Status: result.StatusOpen, Drift: result.DriftNone,
		Target: netip.MustParseAddrPort("192.0.2.10:10025")}
	if change != nil {
		change(&f)
	}
	return f
}

// OnHost returns the joined findings of one run on a name with these addresses.
func OnHost(t testing.TB, identity exposure.Identity, name string, addresses ...string) []exposure.Violation {
	t.Helper()
	j := &exposure.Judge{Rules: Rules(t), Knowledge: Ports(), Identity: identity}
	var list []exposure.Violation
	for _, a := range addresses {
		p := OpenPort(10024, Service("smtp", "content-filter", "amavisd-new"))
		p.Target, p.Host = netip.AddrPortFrom(netip.MustParseAddr(a), 10024), name
		list = append(list, j.Findings(p)...)
	}
	return exposure.JoinAddresses(list)
}
