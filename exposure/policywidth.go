package exposure

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"sort"

	"go4.org/netipx"

	"mxsweep/scan"
)

// What the entries of a policy may permit together. Beyond it they are no
// exceptions any more, and a gate over them could not fail.
const (
	maxPermitIPv4  = 1 << 16 // addresses
	maxPermitIPv6  = 48      // bits of the shortest prefix
	maxPermitPorts = 1024

	// maxWidePorts is on how many ports a single rule may be accepted for more
	// hosts than that.
	maxWidePorts = 16
)

// A permit is an entry that keeps findings from failing a run.
type permit struct {
	what   string // "an expectation"
	rule   string // the one rule that it is about; "" for all, and for notices
	hosts  Selector
	ports  PortSelector
	anchor *scan.Anchor
}

// permits gives all entries of expect and accept.
func (p *Policy) permits() []permit {
	var list []permit
	for i := range p.Expect {
		e := &p.Expect[i]
		list = append(list, permit{"the expected services", "", e.Hosts, e.Ports, e.Anchor})
	}
	for i := range p.Accept {
		a := &p.Accept[i]
		rule := a.Rule
		if rule == "*" || a.isNotice() {
			rule = ""
		}
		list = append(list, permit{"the accepted risks", rule, a.Hosts, a.Ports, a.Anchor})
	}
	return list
}

// checkWidth refuses entries that permit too much together, by value: several
// entries that add up to a wide one are as wide as that.
func (p *Policy) checkWidth(rules *RuleSet) error {
	var general []permit
	byRule := map[string][]permit{}
	for _, e := range p.permits() {
		if e.rule == "" {
			general = append(general, e)
		} else {
			byRule[e.rule] = append(byRule[e.rule], e)
		}
	}
	errs := []error{p.tooWide(general)}
	everyRule := map[uint16]int{} // how many rules are accepted widely on a port
	for _, list := range byRule {
		ports := widePorts(list)
		if len(ports) > maxWidePorts {
			errs = append(errs, p.widthError(list[0].anchor, "name the hosts, or at most 16 ports for all of them",
				"%s is accepted on more than %d ports of more than %d hosts", list[0].rule, maxWidePorts, maxPermitIPv4))
		}
		for _, port := range ports[:min(len(ports), maxWidePorts)] {
			everyRule[port]++
		}
	}
	for port, n := range everyRule {
		if rules != nil && n == len(rules.All()) {
			errs = append(errs, p.widthError(p.Accept[0].Anchor, "name the hosts", "every rule is accepted on port %d of more than %d hosts", port, maxPermitIPv4))
			break
		}
	}
	return errors.Join(errs...)
}

// tooWide refuses entries about all rules that cover too much. The error is at
// the entry with which they do.
func (p *Policy) tooWide(list []permit) error {
	var ports scan.PortSet
	for i := range list {
		if ports = ports.Union(list[i].ports.ports); list[i].ports.Any() || ports.Len() > maxPermitPorts {
			return p.widthError(list[i].anchor, "name the ports that are used",
				"%s cover more than %d ports, this entry and those before it", list[i].what, maxPermitPorts)
		}
	}
	if !wideHosts(list) {
		return nil
	}
	hosts := sort.Search(len(list)-1, func(i int) bool { return wideHosts(list[:i+1]) })
	return p.widthError(list[hosts].anchor, "name the hosts, or accept one rule on a few ports",
		"%s cover more than %d IPv4 addresses or an IPv6 /%d, this entry and those before it", list[hosts].what, maxPermitIPv4, maxPermitIPv6)
}

// widthError is a mistake in the entry at the anchor.
func (p *Policy) widthError(at *scan.Anchor, hint, format string, args ...any) error {
	e := &UserError{File: p.File, Msg: fmt.Sprintf(format, args...), HintText: hint}
	if at != nil {
		e.Line, e.Column, e.Source = at.Line, 1, at.Text
	}
	return e
}

// widePorts gives the ports on which the entries, all about one rule, cover
// more hosts than an exception does, sorted. It stops beyond maxWidePorts.
func widePorts(list []permit) []uint16 {
	if !wideHosts(list) {
		return nil
	}
	// Between the ends of the entries' runs, the same entries name all ports.
	var edge [1<<16 + 1]bool
	edge[1] = true
	for _, e := range list {
		for first, last := range e.ports.ports.Runs() {
			edge[first], edge[int(last)+1] = true, true
		}
	}
	var wide []uint16
	isWide := false
	for port := 1; port < 1<<16 && len(wide) <= maxWidePorts; port++ {
		if edge[port] {
			isWide = wideHosts(onPort(list, uint16(port)))
		}
		if isWide {
			wide = append(wide, uint16(port))
		}
	}
	return wide
}

// onPort gives the entries that name the port.
func onPort(list []permit, port uint16) []permit {
	return slices.DeleteFunc(slices.Clone(list), func(e permit) bool { return !e.ports.Matches(port) })
}

// wideHosts reports whether the entries together cover more hosts than an
// exception does. A name counts for nothing: it is one host.
func wideHosts(list []permit) bool {
	var b netipx.IPSetBuilder
	for _, e := range list {
		if e.hosts.Any() {
			return true
		}
		for _, r := range e.hosts.ranges {
			b.AddRange(r)
		}
	}
	set, err := b.IPSet()
	if err != nil {
		return true // ranges that cannot be counted are not narrow
	}
	v4, v6 := new(big.Int), new(big.Int)
	for _, r := range set.Ranges() {
		if r.From().Is4() {
			v4.Add(v4, width(r))
		} else {
			v6.Add(v6, width(r))
		}
	}
	return v4.Cmp(big.NewInt(maxPermitIPv4)) > 0 || v6.Cmp(new(big.Int).Lsh(big.NewInt(1), 128-maxPermitIPv6)) > 0
}

// width gives how many addresses a range has.
func width(r netipx.IPRange) *big.Int {
	number := func(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }
	n := new(big.Int).Sub(number(r.To()), number(r.From()))
	return n.Add(n, big.NewInt(1))
}

// wide gives the acceptances of one rule that cover more hosts than an
// exception does.
func (p *Policy) wide() []*AcceptedRisk {
	if p == nil {
		return nil
	}
	var list []*AcceptedRisk
	for i := range p.Accept {
		if a := &p.Accept[i]; a.Rule != "*" && !a.isNotice() && wideHosts([]permit{{hosts: a.Hosts}}) {
			list = append(list, a)
		}
	}
	return list
}
