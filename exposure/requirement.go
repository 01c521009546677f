package exposure

import (
	"net/netip"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// A Requirement is why a pair must have a conclusive result for a run to pass,
// whatever the floor of coverage is. "" is none.
type Requirement string

// The requirements.
const (
	RequiredTarget   Requirement = "a target of its own"
	RequiredBaseline Requirement = "a finding of the baseline"
	RequiredExpect   Requirement = "expected by the policy"
	RequiredClosed   Requirement = "to be closed by the policy"
	RequiredOpen     Requirement = "on a host with open ports that stopped answering"
)

// Requirements tells which addresses are expected to be up, and which pairs
// must have a conclusive result. The zero Requirements asks for nothing.
type Requirements struct {
	// Targets are the addresses that the user named one by one, by address or
	// by name.
	Targets map[netip.Addr]bool

	// Listed reports whether the user named an address in a long list; nil means
	// no.
	Listed func(netip.Addr) bool

	// Policy gives the services that are expected and the ports that must be
	// closed; nil means none.
	Policy *Policy

	// Canaries are those of the run.
	Canaries []Canary

	known map[netip.AddrPort]bool
	hosts map[netip.Addr]bool
}

// Baseline adds the open findings of a baseline; nil has none.
func (q *Requirements) Baseline(b *Baseline) {
	if b == nil {
		return
	}
	q.known, q.hosts = map[netip.AddrPort]bool{}, map[netip.Addr]bool{}
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.Status != "" {
			continue // suppressed, or fixed
		}
		for _, addr := range e.addresses() {
			q.known[netip.AddrPortFrom(addr, e.Port)] = true
			q.hosts[addr] = true
		}
	}
}

// Target reports whether the user named an address by itself.
func (q *Requirements) Target(addr netip.Addr) bool {
	return q.Targets[addr] || q.Listed != nil && q.Listed(addr)
}

// Expected reports whether an address counts although it is silent: it is a
// target of its own, is named by the policy, or has a finding in the baseline.
// Hosts are its names in scope.
func (q *Requirements) Expected(addr netip.Addr, hosts ...string) bool {
	if q.Target(addr) || q.hosts[addr] {
		return true
	}
	for i := range q.Canaries {
		if s := &q.Canaries[i].Selector; s.single() && s.Matches(addr, hosts...) {
			return true
		}
	}
	if q.Policy == nil {
		return false
	}
	for i := range q.Policy.Expect {
		if s := &q.Policy.Expect[i].Hosts; s.single() && s.Matches(addr, hosts...) {
			return true
		}
	}
	return false
}

// Of gives the requirement of a pair. Hosts are the names of its address in scope.
func (q *Requirements) Of(pair netip.AddrPort, hosts ...string) Requirement {
	if q.Target(pair.Addr()) {
		return RequiredTarget
	}
	return q.OfPort(pair, hosts...)
}

// OfPort gives the requirement that a pair has of its own, whatever its host is. It
// stands where the policy accepts that the host cannot be judged.
func (q *Requirements) OfPort(pair netip.AddrPort, hosts ...string) Requirement {
	addr, port := pair.Addr(), pair.Port()
	switch {
	case q.known[pair]:
		return RequiredBaseline
	case q.Policy.forbids(addr, hosts, port) != nil:
		return RequiredClosed
	case q.Policy.expects(addr, hosts, port):
		return RequiredExpect
	}
	return ""
}

// AnyPort reports whether a pair can have a requirement other than that its host
// is a target of its own.
func (q *Requirements) AnyPort() bool {
	return len(q.known) > 0 || q.Policy != nil && len(q.Policy.Expect)+len(q.Policy.MustBeClosed) > 0
}

// single reports whether the selector names one host.
func (s Selector) single() bool {
	if s.hosts != nil {
		return s.hosts.name != "" || len(s.hosts.ranges) == 1 && s.hosts.ranges[0].From() == s.hosts.ranges[0].To()
	}
	return s.v4 != 0
}

// expects reports whether an entry of expect covers a pair.
func (p *Policy) expects(addr netip.Addr, hosts []string, port uint16) bool {
	if p == nil {
		return false
	}
	for i := range p.Expect {
		if e := &p.Expect[i]; e.Hosts.Matches(addr, hosts...) && e.Ports.Matches(port) {
			return true
		}
	}
	return false
}

// Assessed reports whether what is known of an open port is conclusive: a
// dialogue settled what answers, or it heard the protocol that the policy
// expects there.
func (p *Policy) Assessed(port Port) bool {
	s := port.Service
	if s == nil {
		return false
	}
	if s.Inconclusive == "" {
		return true
	}
	if p == nil || port.State != result.StateOpen || s.Protocol == "" || s.Method == "table" {
		return false
	}
	for i := range p.Expect {
		e := &p.Expect[i]
		if e.Protocol() != "" && e.Hosts.Matches(port.Target.Addr(), port.names()...) && e.Ports.Matches(port.Target.Port()) && strings.EqualFold(e.Protocol(), s.Protocol) {
			return true
		}
	}
	return false
}
