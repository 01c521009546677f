package run

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// rejections counts ports reported unreachable by another device than their host,
// by device.
type rejections map[netip.Addr]uint64

// maxRejecters is the maximum number of devices in rejections.
const maxRejecters = 1 << 10

// rejectedOnTheWay reports whether a result is based on an ICMP error of another
// device than the host. Errors of this machine itself do not count.
func rejectedOnTheWay(r scan.Result, own []netip.Addr) bool {
	return r.From.IsValid() && !r.FromTarget() && !slices.Contains(own, r.From)
}

// add counts a port.
func (s rejections) add(from netip.Addr) {
	if _, ok := s[from]; ok || len(s) < maxRejecters {
		s[from]++
	}
}

// countedPairs records which pairs are already counted in notices, because hosts
// found late are probed a second time. Beyond maxCountedPairs a pair may be
// counted twice.
type countedPairs map[netip.AddrPort]countedAs

// maxCountedPairs is the maximum number of entries in countedPairs.
const maxCountedPairs = 1 << 16

// countedAs is the set of counts that include a pair.
type countedAs uint8

const (
	asRejected countedAs = 1 << iota
	asUnknown
)

// first records that a pair is counted, and reports whether it was not counted
// before.
func (c *countedPairs) first(pair netip.AddrPort, as countedAs) bool {
	before, known := (*c)[pair]
	if before&as != 0 {
		return false
	}
	if *c == nil {
		*c = countedPairs{}
	}
	if known || len(*c) < maxCountedPairs {
		(*c)[pair] = before | as
	}
	return true
}

// notices returns notices about the devices that rejected most.
func (s rejections) notices() []result.Notice {
	const most = 10
	from := slices.SortedFunc(maps.Keys(s), func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(s[b], s[a]), a.Compare(b))
	})
	var notices []result.Notice
	for _, a := range from[:min(len(from), most)] {
		notices = append(notices, exposure.NewNotice(exposure.NoticeRejected, a.String(), nil,
			"%s, a device on the path and not the target itself, reported %s as unreachable.", a, wording.Plural(s[a], "port")))
	}
	return notices
}

// ownAddresses returns the addresses of this machine's interfaces, nil if they
// cannot be read.
func ownAddresses() []netip.Addr {
	var own []netip.Addr
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if ipnet, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(ipnet.IP); ok {
				own = append(own, addr.Unmap())
			}
		}
	}
	return own
}

// isOwn reports whether an address belongs to this machine: its answers pass no
// network.
func (p *Plan) isOwn(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(p.own, a.Unmap().WithZone(""))
}

// reachability says how it is known that ports of the address can be reached from
// the vantage point. Packets to this machine's own addresses pass no firewall, so
// that reachability is assumed, unless the vantage point is the host itself. For
// loopback it is never assumed: with another vantage point the user asks what
// would be.
func (p *Plan) reachability(a netip.Addr) result.Reachability {
	if a.IsLoopback() || p.judge.Vantage.Class == exposure.ClassHost || !p.isOwn(a) {
		return ""
	}
	return result.ReachabilityAssumed
}

// ownPorts returns notices about addresses of this machine with open ports.
func ownPorts(open []exposure.Subject) []result.Notice {
	var notices []result.Notice
	var last netip.Addr
	for _, p := range open {
		addr := p.Target.Addr()
		if p.Reachability != result.ReachabilityAssumed || addr == last || len(notices) == maxNamed {
			continue
		}
		last = addr
		notices = append(notices, exposure.NewNotice(exposure.NoticeOwnAddress, addr.String(), p.Anchor,
			"%s is an address of this machine: its open ports are assumed to be reachable from elsewhere.", wording.Named(addr, p.Host)))
	}
	return notices
}
