package scan

import (
	"net/netip"
	"slices"
)

// Counterparts returns, for each IPv6 address that was given by name, the IPv4
// addresses of the same names, sorted. An address that has none is not in it.
func (s *Scope) Counterparts() map[netip.Addr][]netip.Addr {
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
