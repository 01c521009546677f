package view

import (
	"cmp"
	"slices"

	"github.com/mxsweep/mxsweep/result"
)

// comparePorts orders ports by number and protocol.
func comparePorts(a, b *result.Port) int {
	return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
}

// samePlace reports whether two records have the same address and port, or the same listener
// of a file.
func samePlace(a, b *result.Port) bool {
	return a.IP == b.IP && comparePorts(a, b) == 0 && fileOf(a.Host, a.Listener) == fileOf(b.Host, b.Listener) && nameOf(a.Listener) == nameOf(b.Listener)
}

// sortPorts sorts ports by address, number and protocol; those of files by file first.
func sortPorts(ports []result.Port) {
	slices.SortStableFunc(ports, func(a, b result.Port) int {
		return cmp.Or(
			cmp.Compare(fileOf(a.Host, a.Listener), fileOf(b.Host, b.Listener)),
			a.IP.Compare(b.IP), comparePorts(&a, &b),
			cmp.Compare(nameOf(a.Listener), nameOf(b.Listener)),
		)
	})
}
