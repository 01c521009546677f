//go:build !linux

package sockets

import (
	"net"
	"net/netip"
	"slices"
)

// ownAddresses returns the addresses of the interfaces of this machine, without loopback
// ones; nil if they cannot be read.
func ownAddresses() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var list []netip.Addr
	for _, a := range found {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok && !addr.Unmap().IsLoopback() {
				list = append(list, addr.Unmap())
			}
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}
