package scope

import (
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// A Family is which addresses a run may ask for and contact. The zero Family
// is both.
type Family int

// The families.
const (
	BothFamilies Family = iota
	IPv4Only
	IPv6Only
)

// networks are the words of the net package for the family.
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

// left are the addresses of the families that f is not.
func (f Family) left() *netipx.IPSet {
	switch f {
	case IPv4Only:
		return allV6
	case IPv6Only:
		return allV4
	}
	return &netipx.IPSet{}
}

// Counterparts returns, for each IPv6 address that was given by name, the IPv4
// addresses of the same names, sorted. An address that has none is not in it.
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
