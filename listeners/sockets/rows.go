package sockets

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/shirou/gopsutil/v4/net"
)

// listening returns the sockets that listen among the connections that gopsutil lists,
// ordered as in a Snapshot. process returns what is known of a process, which may be
// nil.
func listening(ctx context.Context, list []net.ConnectionStat, process func(context.Context, int32) *Process) []Socket {
	var sockets []Socket
	processes := map[int32]*Process{}
	for i := range list {
		c := &list[i]
		address, device, ok := boundTo(c.Laddr.IP, c.Family)
		if !ok || c.Status != "LISTEN" || c.Laddr.Port == 0 || c.Laddr.Port > 0xffff {
			continue
		}
		s := Socket{Address: address, Port: uint16(c.Laddr.Port), Interface: device, UID: -1}
		if address.Is4() {
			s.Dual = DualNo
		}
		if len(c.Uids) > 0 {
			s.UID = int(c.Uids[0])
		}
		if c.Pid > 0 {
			p, known := processes[c.Pid]
			if !known {
				p = process(ctx, c.Pid)
				processes[c.Pid] = p
			}
			if p != nil {
				s.Owners = []*Process{p}
			}
		}
		sockets = append(sockets, s)
	}
	slices.SortStableFunc(sockets, func(a, b Socket) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), a.Address.Compare(b.Address), cmp.Compare(a.Interface, b.Interface))
	})
	return joinOwners(sockets)
}

// joinOwners joins neighbors that are the same socket, held by several processes.
func joinOwners(sockets []Socket) []Socket {
	var joined []Socket
	for _, s := range sockets {
		last := len(joined) - 1
		if last >= 0 && joined[last].Address == s.Address && joined[last].Port == s.Port && joined[last].Interface == s.Interface {
			joined[last].Owners = append(joined[last].Owners, s.Owners...)
			continue
		}
		joined = append(joined, s)
	}
	for i := range joined {
		slices.SortFunc(joined[i].Owners, func(a, b *Process) int { return cmp.Compare(a.PID, b.PID) })
		joined[i].Owners = slices.Compact(joined[i].Owners)
	}
	return joined
}

// boundTo reads the local address of a connection. lsof writes an asterisk for each
// address of the family.
func boundTo(ip string, family uint32) (address netip.Addr, device string, ok bool) {
	switch ip {
	case "*", "":
		if family != syscall.AF_INET {
			return netip.IPv6Unspecified(), "", true
		}
		return netip.IPv4Unspecified(), "", true
	}
	a, err := netip.ParseAddr(strings.Trim(ip, "[]"))
	if err != nil {
		return netip.Addr{}, "", false
	}
	return a.WithZone(""), a.Zone(), true
}
