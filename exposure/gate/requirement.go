package gate

import (
	"net/netip"

	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/policy"
)

// A Requirement is why a pair must have a conclusive result for a run to pass,
// whatever the minimum coverage is. "" means that it need not.
type Requirement string

// The requirements.
const (
	RequiredTarget   Requirement = "a single target"
	RequiredBaseline Requirement = "a finding of the baseline"
	RequiredExpect   Requirement = "expected by the policy"
	RequiredClosed   Requirement = "must be closed by the policy"
	RequiredOpen     Requirement = "on a host with open ports that stopped answering"
)

// Requirements determine which addresses must be up, and which pairs must have a
// conclusive result. The zero Requirements require nothing.
type Requirements struct {
	// Targets are the addresses that the user named individually, by address or
	// by name.
	Targets map[netip.Addr]bool

	// Listed reports whether the user named an address in a long list; nil means
	// that there is none.
	Listed func(netip.Addr) bool

	// Policy has the expected services and the ports that must be closed; nil
	// means none.
	Policy *policy.Policy

	// Canaries are those of the run.
	Canaries []policy.Canary

	known map[netip.AddrPort]bool
	hosts map[netip.Addr]bool
}

// Baseline adds the open findings of a baseline, which may be nil.
func (q *Requirements) Baseline(b *drift.Baseline) {
	if b == nil {
		return
	}
	q.known, q.hosts = map[netip.AddrPort]bool{}, map[netip.Addr]bool{}
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.Status != "" {
			continue // suppressed, or fixed
		}
		for _, addr := range e.AllAddresses() {
			q.known[netip.AddrPortFrom(addr, e.Port)] = true
			q.hosts[addr] = true
		}
	}
}

// Target reports whether the user named an address individually.
func (q *Requirements) Target(addr netip.Addr) bool {
	return q.Targets[addr] || q.Listed != nil && q.Listed(addr)
}

// Expected reports whether an address matters although it is silent: it is a
// named target, is named by the policy, or has a finding in the baseline. hosts
// are its names in scope.
func (q *Requirements) Expected(addr netip.Addr, hosts ...string) bool {
	if q.Target(addr) || q.hosts[addr] {
		return true
	}
	for i := range q.Canaries {
		if s := &q.Canaries[i].Selector; s.Single() && s.Matches(addr, hosts...) {
			return true
		}
	}
	if q.Policy == nil {
		return false
	}
	for i := range q.Policy.Expect {
		if s := &q.Policy.Expect[i].Hosts; s.Single() && s.Matches(addr, hosts...) {
			return true
		}
	}
	return false
}

// Of returns the requirement of a pair. hosts are the names of its address in
// scope.
func (q *Requirements) Of(pair netip.AddrPort, hosts ...string) Requirement {
	if q.Target(pair.Addr()) {
		return RequiredTarget
	}
	return q.OfPort(pair, hosts...)
}

// OfPort returns the requirement of a pair that does not depend on its host. It
// applies even if the policy accepts that the host cannot be assessed.
func (q *Requirements) OfPort(pair netip.AddrPort, hosts ...string) Requirement {
	addr, port := pair.Addr(), pair.Port()
	_, closed := q.Policy.Forbids(addr, hosts, port)
	switch {
	case q.known[pair]:
		return RequiredBaseline
	case closed:
		return RequiredClosed
	case q.Policy.Expects(addr, hosts, port):
		return RequiredExpect
	}
	return ""
}

// AnyPort reports whether a pair can have a requirement other than that its host
// is a named target.
func (q *Requirements) AnyPort() bool {
	return len(q.known) > 0 || q.Policy != nil && len(q.Policy.Expect)+len(q.Policy.MustBeClosed) > 0
}
