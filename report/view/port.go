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

// samePlace reports whether two records have the same address and port, and the same network
// interface if they are of a machine that shows it, or the same listener of a file.
func samePlace(a, b *result.Port) bool {
	return a.IP == b.IP && comparePorts(a, b) == 0 && interfaceOf(a) == interfaceOf(b) && fileOf(a.Host, a.Listener) == fileOf(b.Host, b.Listener) && nameOf(a.Listener) == nameOf(b.Listener)
}

// interfaceOf returns the network interface to which a port is bound, "" if it is not known.
func interfaceOf(p *result.Port) string {
	if p.Socket == nil {
		return ""
	}
	return p.Socket.Interface()
}

// sortPorts sorts ports by address, number and protocol; those of files by file first.
func sortPorts(ports []result.Port) {
	slices.SortStableFunc(ports, func(a, b result.Port) int {
		return cmp.Or(
			cmp.Compare(fileOf(a.Host, a.Listener), fileOf(b.Host, b.Listener)),
			a.IP.Compare(b.IP), comparePorts(&a, &b), cmp.Compare(interfaceOf(&a), interfaceOf(&b)),
			cmp.Compare(nameOf(a.Listener), nameOf(b.Listener)),
		)
	})
}
