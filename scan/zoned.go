package scan

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// interfaceName is the name of the interface that a zone means, which may give
// its number instead (RFC 4007, Section 11.2): the same host under both must
// not be two, of which only one is excluded. A zone that no interface has stays.
func interfaceName(zone string) string {
	number, err := strconv.Atoi(zone)
	if err != nil {
		return zone
	}
	if _, err := net.InterfaceByName(zone); err == nil {
		return zone // a name of digits comes first, as it does on connecting
	}
	if iface, err := net.InterfaceByIndex(number); err == nil {
		return iface.Name
	}
	return zone
}

// zonedOf returns the link-local addresses of targets that have a zone (RFC
// 4007, Section 11), sorted and without repeats.
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
// is about all zones.
func (s *Scope) addZoned(b Bounds) {
	excluded := zonedOf(b.Excluded)
	out := func(a netip.Addr) bool {
		return slices.Contains(excluded, a) || s.excluded.holds(a.WithZone(""))
	}
	s.zoned = slices.DeleteFunc(zonedOf(b.Allowed), out)
	asked := zonedOf(s.swept)
	s.zonedAsked = slices.DeleteFunc(slices.Clone(asked), out)
	s.spared += uint64(len(asked) - len(s.zonedAsked))
	s.zonedAsked = slices.DeleteFunc(s.zonedAsked, func(a netip.Addr) bool { return !slices.Contains(s.zoned, a) })
}

// zonedSpans are the spans of the link-local addresses that scope sweeps.
func zonedSpans(scope *Scope, ports []uint16) []span {
	var out []span
	for _, a := range scope.zonedAsked {
		var own []uint16
		for i := range scope.swept {
			t := &scope.swept[i]
			if single, ok := t.Single(); !ok || single != a {
				continue
			}
			if t.Ports == nil {
				own = append(own, ports...)
			}
			own = append(own, t.Ports...)
		}
		slices.Sort(own)
		if own = slices.Compact(own); len(own) > 0 {
			out = append(out, span{first: spotOf(a), zone: a.Zone(), hosts: 1, ports: own})
		}
	}
	return out
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
