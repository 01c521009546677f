package listening

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/result"
)

// scopeSHA256 returns the hash of the name of the machine: the scope of an audit.
func (a *Audit) scopeSHA256() string {
	sum := sha256.Sum256([]byte(a.Name))
	return hex.EncodeToString(sum[:])
}

// drift compares the findings with the baseline. The id of a finding is that of the rule,
// the name of the machine and the port: process, line and address may change.
func (a *Audit) drift(findings []exposure.Violation, open []exposure.Subject) ([]exposure.Violation, []result.Notice) {
	return a.comparison(open).Finish(findings, nil, a.Policy, a.Now)
}

// comparison returns the comparison of the ports that are open with the baseline.
func (a *Audit) comparison(open []exposure.Subject) *drift.Comparison {
	return drift.Compare(a.Baseline, drift.Conditions{
		Vantage: vantage, ScopeSHA256: a.scopeSHA256(),
		Gone: func(e *drift.Entry) (bool, string) { return a.gone(e, open) },
	}, a.Rules)
}

// gone reports whether the port of an entry, which no finding is about, is known not to
// break its rule any longer, and why.
func (a *Audit) gone(e *drift.Entry, open []exposure.Subject) (fixed bool, why string) {
	if e.Vantage != vantage.String() || exposure.CanonicalName(e.Host) != exposure.CanonicalName(a.Name) {
		return false, fmt.Sprintf("this run is of what listens on %s", a.Name)
	}
	loopback := false
	for i := range open {
		switch p := &open[i]; {
		case p.Target.Port() != e.Port || p.Socket.Apart():
		case local(p):
			loopback = true
		case unnamed(p):
			return false, "the port is open, but this run did not see who listens"
		case e.Rule == exposure.RuleBehindFilter && a.judge().BehindFilter(*p, "") != nil:
			if a.reached(e.Port) {
				return true, "the port is reachable now"
			}
			return false, "the port is bound as before, and this run does not show whether only a filter protects it"
		case a.outside != nil && a.breaks(p, e.Rule):
			return false, "the port is bound as before, and only a filter on the way protects it"
		default:
			return true, "the port is open and no longer breaks the rule"
		}
	}
	gap := func(k sockets.GapKind) bool {
		return slices.ContainsFunc(a.snapshot.Gaps, func(g sockets.Gap) bool { return g.Kind == k })
	}
	switch {
	case gap(sockets.GapLimit):
		return false, "this run did not list everything that listens"
	case loopback:
		return true, "the port is bound to loopback now"
	case gap(sockets.GapForwards):
		return false, "nothing listens on the port, but this run did not read all rules of address translation, which may pass it on"
	}
	return true, "nothing listens on the port any longer"
}

// reached reports whether the scan from outside found a port open on an address that leads to
// this machine.
func (a *Audit) reached(port uint16) bool {
	return slices.ContainsFunc(a.addresses, func(ip netip.Addr) bool { return a.outside.States(ip)[port] == result.StateOpen })
}

// breaks reports whether a port breaks a rule by how it is bound, whatever the scan from
// outside shows.
func (a *Audit) breaks(p *exposure.Subject, rule string) bool {
	return slices.ContainsFunc(a.judge().Findings(*p), func(f exposure.Violation) bool { return f.Rule.ID == rule })
}
