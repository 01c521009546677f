package scope

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// interfaceName returns the name of the interface of a zone, which may be given as a
// number (RFC 4007, Section 11.2), so that one host does not count as two, of which
// only one is excluded. A zone without an interface is unchanged.
func interfaceName(zone string) string {
	number, err := strconv.Atoi(zone)
	if err != nil {
		return zone
	}
	if _, err := net.InterfaceByName(zone); err == nil {
		return zone // a name of digits has priority, as in the net package
	}
	if iface, err := net.InterfaceByIndex(number); err == nil {
		return iface.Name
	}
	return zone
}

// zonedOf returns the link-local addresses of targets that have a zone (RFC 4007,
// Section 11), sorted and without duplicates.
func zonedOf(targets []Target) []netip.Addr {
	var out []netip.Addr
	for i := range targets {
		if a, ok := targets[i].Single(); ok && a.Zone() != "" {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// addZoned adds the link-local addresses with a zone. An exclude without a zone
// applies to all zones.
func (s *Set) addZoned(b Bounds) {
	excluded := zonedOf(b.Excluded)
	out := func(a netip.Addr) bool {
		return isAmong(excluded, a) || s.excluded.holds(a.WithZone(""))
	}
	s.zoned = slices.DeleteFunc(zonedOf(b.Allowed), out)
	asked := zonedOf(s.swept)
	s.zonedAsked = slices.DeleteFunc(slices.Clone(asked), out)
	s.spared += uint64(len(asked) - len(s.zonedAsked))
	s.zonedAsked = slices.DeleteFunc(s.zonedAsked, func(a netip.Addr) bool { return !isAmong(s.zoned, a) })
}

// isAmong reports whether a is one of sorted addresses.
func isAmong(sorted []netip.Addr, a netip.Addr) bool {
	_, found := slices.BinarySearchFunc(sorted, a, netip.Addr.Compare)
	return found
}

// zonedRanges returns the ranges of the link-local addresses that scope sweeps, with
// the usual ports for targets that have none; u lists the ports.
func zonedRanges(scope *Set, usual PortSet, u *portUnion) ([]addrRange, error) {
	if len(scope.zonedAsked) == 0 {
		return nil, nil
	}
	own := map[netip.Addr][]*Target{}
	for i := range scope.swept {
		if a, ok := scope.swept[i].Single(); ok && a.Zone() != "" {
			own[a] = append(own[a], &scope.swept[i])
		}
	}
	var out []addrRange
	for _, a := range scope.zonedAsked {
		all := UnionPorts(func(yield func(PortSet) bool) {
			for _, t := range own[a] {
				set := t.Ports
				if set.Empty() {
					set = usual
				}
				if !yield(set) {
					return
				}
			}
		})
		if all.Empty() {
			continue
		}
		id, ok := u.number(u.hashOf(all), func() []uint16 { return u.portsOf(all) })
		if !ok {
			return nil, tooManyPorts(own[a][0].Anchor)
		}
		out = append(out, addrRange{first: ipNumOf(a), zone: a.Zone(), hosts: 1, ports: u.unions[id]})
	}
	return out, nil
}

// Zoned returns the addresses of s that have a zone, sorted.
func (s *Space) Zoned() []netip.Addr {
	var zoned []netip.Addr
	for sp := range s.exact() {
		if sp.zone != "" {
			zoned = append(zoned, sp.addr(0))
		}
	}
	return zoned
}
