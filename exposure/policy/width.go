package policy

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// Limits of what the entries of a policy may cover in total. Beyond them they
// would no longer be exceptions, and a gate over them could not fail.
const (
	maxPermitIPv4  = 1 << 16 // addresses
	maxPermitIPv6  = 48      // length of the shortest prefix, in bits
	maxPermitPorts = 1024

	// maxWidePorts is the maximum number of ports on which a single rule may be
	// accepted for more hosts than that.
	maxWidePorts = 16
)

// A permit is an entry that prevents findings from failing a run.
type permit struct {
	what  string // "the expected services"
	hosts Selector
	ports PortSelector
	at    place
}

// permits yields all entries of expect and accept that apply to all rules, or to
// notices.
func (p *Policy) permits(yield func(permit) bool) {
	for i := range p.Expect {
		e := &p.Expect[i]
		if !yield(permit{"the expected services", e.Hosts, e.Ports, e.place}) {
			return
		}
	}
	for i := range p.Accept {
		a := &p.Accept[i]
		if !a.ofOneRule() && !yield(permit{"the accepted risks", a.Hosts, a.Ports, a.place}) {
			return
		}
	}
}

// ofOneRule reports whether the entry applies to findings of a single rule.
func (a *AcceptedRisk) ofOneRule() bool { return a.Rule != "*" && !a.isNotice() }

// checkWidth returns an error if entries cover too much in total. It compares
// addresses, not spelling: several entries that add up to a wide one are as wide
// as that.
func (p *Policy) checkWidth(rules *exposure.RuleSet) error {
	byRule := map[string][]*AcceptedRisk{}
	for i := range p.Accept {
		if a := &p.Accept[i]; a.ofOneRule() {
			byRule[a.Rule] = append(byRule[a.Rule], a)
		}
	}
	errs := []error{p.tooWide()}
	everyRule := map[uint16]int{} // number of rules that are accepted widely on a port
	for rule, list := range byRule {
		ports := widePorts(list)
		if len(ports) > maxWidePorts {
			errs = append(errs, p.widthError(list[0].Anchor(), "name the hosts, or at most 16 ports for all of them",
				"%s is accepted on more than %d ports of more than %d hosts", rule, maxWidePorts, maxPermitIPv4))
		}
		for _, port := range ports[:min(len(ports), maxWidePorts)] {
			everyRule[port]++
		}
	}
	for port, n := range everyRule {
		if rules != nil && n == len(rules.All()) {
			errs = append(errs, p.widthError(p.Accept[0].Anchor(), "name the hosts", "every rule is accepted on port %d of more than %d hosts", port, maxPermitIPv4))
			break
		}
	}
	return errors.Join(errs...)
}

// tooWide returns an error if entries for all rules cover too much. The error is
// at the entry that exceeds the limit.
func (p *Policy) tooWide() error {
	var ports scope.PortSet
	known := map[*portList]bool{}
	for e := range p.permits {
		if known[e.ports.list] {
			continue
		}
		known[e.ports.list] = true
		if ports = ports.Union(e.ports.set()); e.ports.Any() || ports.Len() > maxPermitPorts {
			return p.widthError(e.at.Anchor(), "name the ports that are used",
				"%s cover more than %d ports, this entry and those before it", e.what, maxPermitPorts)
		}
	}
	if e, wide := firstWide(p.permits); wide {
		return p.widthError(e.at.Anchor(), "name the hosts, or accept one rule on a few ports",
			"%s cover more than %d IPv4 addresses or an IPv6 /%d, this entry and those before it", e.what, maxPermitIPv4, maxPermitIPv6)
	}
	return nil
}

// widthError returns an error at the entry with the anchor.
func (p *Policy) widthError(at *result.Anchor, hint, format string, args ...any) error {
	e := &userfile.Error{File: p.File, Problem: fmt.Sprintf(format, args...), Hint: hint}
	if at != nil {
		e.Line, e.Column = at.Line, max(at.EndColumn-len(at.Text), 1)
		e.SetSource(strings.Repeat(" ", e.Column-1) + at.Text)
	}
	return e
}

// widePorts returns the ports on which the entries, all for one rule, cover too
// many hosts for an exception, sorted. It stops beyond maxWidePorts.
func widePorts(list []*AcceptedRisk) []uint16 {
	if !wideHosts(list) {
		return nil
	}
	// Between these edges, each entry matches either all ports or none.
	var edge [1<<16 + 1]bool
	edge[1] = true
	var several []*AcceptedRisk
	single := map[uint16][]*AcceptedRisk{} // entries of one port
	for _, e := range list {
		if e.Ports.set().Len() != 1 {
			several = append(several, e)
		}
		for first, last := range e.Ports.set().Runs() {
			edge[first], edge[int(last)+1] = true, true
			if e.Ports.set().Len() == 1 {
				single[first] = append(single[first], e)
			}
		}
	}
	var wide []uint16
	isWide := false
	for port := 1; port < 1<<16 && len(wide) <= maxWidePorts; port++ {
		if edge[port] {
			isWide = wideHosts(append(onPort(several, uint16(port)), single[uint16(port)]...))
		}
		if isWide {
			wide = append(wide, uint16(port))
		}
	}
	return wide
}

// onPort returns the entries that match the port.
func onPort(list []*AcceptedRisk, port uint16) []*AcceptedRisk {
	return slices.DeleteFunc(slices.Clone(list), func(e *AcceptedRisk) bool { return !e.Ports.Matches(port) })
}

// wideHosts reports whether the entries together cover too many hosts for an
// exception.
func wideHosts(list []*AcceptedRisk) bool {
	_, wide := firstWide(func(yield func(permit) bool) {
		for _, a := range list {
			if !yield(permit{hosts: a.Hosts}) {
				return
			}
		}
	})
	return wide
}

// wide returns the acceptances of one rule that cover too many hosts for an
// exception.
func (p *Policy) wide() []*AcceptedRisk {
	if p == nil {
		return nil
	}
	var list []*AcceptedRisk
	for i := range p.Accept {
		if a := &p.Accept[i]; !a.Hosts.Single() && a.ofOneRule() && wideHosts([]*AcceptedRisk{a}) {
			list = append(list, a)
		}
	}
	return list
}

// A hostCount is the set of addresses that entries cover together. A name is not
// counted: it is one host.
type hostCount struct {
	any bool         // "*" is among them
	v4  []addresses4 // sorted, without overlap
	v6  *netipx.IPSet
}

// addresses4 are IPv4 addresses from first to last.
type addresses4 struct{ first, last uint32 }

// countStep is how many entries are added at a time. The ranges counted so far
// are at most that many; otherwise the result would already be wide.
const countStep = 1 << 14

// firstWide returns the entry with which the entries together cover too many
// hosts for an exception. It reports false if they do not.
func firstWide(list iter.Seq[permit]) (permit, bool) {
	counted := &hostCount{v6: &netipx.IPSet{}}
	var step []permit
	grow := func() (permit, bool) {
		all := counted.with(step)
		if !all.wide() {
			counted, step = all, step[:0]
			return permit{}, false
		}
		return step[sort.Search(len(step)-1, func(i int) bool { return counted.with(step[:i+1]).wide() })], true
	}
	for e := range list {
		if step = append(step, e); len(step) == countStep {
			if e, wide := grow(); wide {
				return e, true
			}
		}
	}
	return grow()
}

// with adds further entries.
func (c *hostCount) with(list []permit) *hostCount {
	all := &hostCount{any: c.any, v4: slices.Clone(c.v4), v6: c.v6}
	var b netipx.IPSetBuilder
	b.AddSet(c.v6)
	more := false
	for _, e := range list {
		all.any = all.any || e.hosts.Any()
		if e.hosts.v4 != 0 {
			all.v4 = append(all.v4, addresses4{e.hosts.v4, e.hosts.v4})
			continue
		}
		for _, r := range e.hosts.ranges() {
			if r.From().Is4() {
				all.v4 = append(all.v4, addresses4{number4(r.From()), number4(r.To())})
			} else {
				b.AddRange(r)
				more = true
			}
		}
	}
	all.merge()
	if more {
		set, err := b.IPSet()
		all.v6, all.any = set, all.any || err != nil // ranges that cannot be counted count as wide
	}
	return all
}

// merge sorts the IPv4 ranges and merges those that overlap.
func (c *hostCount) merge() {
	slices.SortFunc(c.v4, func(a, b addresses4) int { return cmp.Compare(a.first, b.first) })
	out := c.v4[:0]
	for _, r := range c.v4 {
		if n := len(out); n > 0 && r.first <= out[n-1].last {
			out[n-1].last = max(out[n-1].last, r.last)
		} else {
			out = append(out, r)
		}
	}
	c.v4 = out
}

// wide reports whether the set has too many hosts for an exception.
func (c *hostCount) wide() bool {
	if c.any {
		return true
	}
	v4, v6 := uint64(0), new(big.Int)
	for _, r := range c.v4 {
		v4 += uint64(r.last-r.first) + 1
	}
	for _, r := range c.v6.Ranges() {
		v6.Add(v6, width(r))
	}
	return v4 > maxPermitIPv4 || v6.Cmp(new(big.Int).Lsh(big.NewInt(1), 128-maxPermitIPv6)) > 0
}

// width returns how many addresses a range has.
func width(r netipx.IPRange) *big.Int {
	number := func(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }
	n := new(big.Int).Sub(number(r.To()), number(r.From()))
	return n.Add(n, big.NewInt(1))
}
