package view

import (
	"cmp"
	"net/netip"
	"sort"

	"github.com/mxsweep/mxsweep/result"
)

// comparePorts orders ports by number and protocol.
func comparePorts(a, b *result.Port) int {
	return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
}

// samePlace reports whether two records are of one address and port.
func samePlace(a, b *result.Port) bool { return a.IP == b.IP && comparePorts(a, b) == 0 }

// portsByPlace sorts ports by address, number and protocol.
type portsByPlace struct {
	ports []result.Port
	addrs []netip.Addr // of the ports, read once
}

func (s portsByPlace) Len() int { return len(s.ports) }

func (s portsByPlace) Less(i, j int) bool {
	return cmp.Or(s.addrs[i].Compare(s.addrs[j]), comparePorts(&s.ports[i], &s.ports[j])) < 0
}

func (s portsByPlace) Swap(i, j int) {
	s.ports[i], s.ports[j] = s.ports[j], s.ports[i]
	s.addrs[i], s.addrs[j] = s.addrs[j], s.addrs[i]
}

func sortPorts(ports []result.Port) {
	s := portsByPlace{ports, make([]netip.Addr, len(ports))}
	for i := range ports {
		s.addrs[i] = ports[i].Address()
	}
	sort.Stable(s)
}
