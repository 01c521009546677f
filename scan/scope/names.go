package scope

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/scan/names"
)

// A Family is the address family that a run may look up and contact. The zero Family
// is both.
type Family int

// The families.
const (
	BothFamilies Family = iota
	IPv4Only
	IPv6Only
)

// networks returns the names that the net package has for the family.
func (f Family) networks() []string {
	switch f {
	case IPv4Only:
		return []string{"ip4"}
	case IPv6Only:
		return []string{"ip6"}
	}
	return []string{"ip4", "ip6"}
}

var allV4, allV6 = mustSet("0.0.0.0/0"), mustSet("::/0")

// left returns the addresses of the other family.
func (f Family) left() *netipx.IPSet {
	switch f {
	case IPv4Only:
		return allV6
	case IPv6Only:
		return allV4
	}
	return &netipx.IPSet{}
}

// resolve fills in the addresses of every target that is a name. A name for which a
// lookup failed, or that has no address, gets an Err, or makes resolve fail if must is
// set. All addresses of a name are used: a finding on any of them belongs to the name.
// A Parser looks up each name once, so that the scope, the targets and the excludes of
// a run have the same addresses.
func (p *Parser) resolve(ctx context.Context, targets []Target, must bool) error {
	if err := p.lookUp(ctx, targets); err != nil {
		return err
	}
	var excluded userfile.Collector
	for i := range targets {
		t := &targets[i]
		if t.Name == "" {
			continue
		}
		a := p.answers[t.Name]
		t.Ranges, t.Unusable = a.Ranges, a.Unusable
		if a.Err == nil {
			continue
		}
		failed := &InputError{Text: t.Name, Problem: "the name does not resolve", Err: a.Err,
			Hint: "check the spelling and the resolver, or write the address"}
		locate(failed, t.Anchor)
		if must {
			failed.Problem = "the excluded name does not resolve"
			excluded.Add(failed)
			continue
		}
		t.Err = failed
	}
	return excluded.Err()
}

// lookUp looks up the names of targets that were not looked up before.
func (p *Parser) lookUp(ctx context.Context, targets []Target) error {
	if p.answers == nil {
		p.answers = map[string]names.Answer{}
	}
	l := names.Lookups{Resolver: p.Resolver, Networks: p.Family.networks(), Timeout: p.LookupTimeout,
		Usable: func(a netip.Addr) bool { return !never.Contains(a) }}
	answers, err := l.Of(ctx, func(yield func(string) bool) {
		for i := range targets {
			name := targets[i].Name
			if _, known := p.answers[name]; name != "" && !known && !yield(name) {
				return
			}
		}
	})
	maps.Copy(p.answers, answers)
	return err
}

// Counterparts returns, for each IPv6 address that was given by name, the IPv4
// addresses of the same names, sorted. Addresses without any are missing.
func (s *Set) Counterparts() map[netip.Addr][]netip.Addr {
	if s == nil {
		return nil
	}
	byName := map[string][]netip.Addr{}
	for addr, names := range s.names {
		if addr.Is4() {
			for _, name := range names {
				byName[name] = append(byName[name], addr)
			}
		}
	}
	found := map[netip.Addr][]netip.Addr{}
	for addr, names := range s.names {
		if addr.Is4() {
			continue
		}
		var list []netip.Addr
		for _, name := range names {
			list = append(list, byName[name]...)
		}
		if slices.SortFunc(list, netip.Addr.Compare); len(list) > 0 {
			found[addr] = slices.Compact(list)
		}
	}
	return found
}
