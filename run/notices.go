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

// rejections count the ports of which someone else than their host said that
// they cannot be reached, by who did.
type rejections map[netip.Addr]uint64

// maxRejecters is how many senders of ICMP errors are told apart.
const maxRejecters = 1 << 10

// rejectedOnTheWay reports whether a result rests on an error of someone else than
// the host that was asked. What this machine itself says of a host is not one.
func rejectedOnTheWay(r scan.Result, own []netip.Addr) bool {
	return r.From.IsValid() && !r.FromTarget() && !slices.Contains(own, r.From)
}

// add counts a port.
func (s rejections) add(from netip.Addr) {
	if _, ok := s[from]; ok || len(s) < maxRejecters {
		s[from]++
	}
}

// countedPairs remember which pairs the notices count already: hosts that turn up
// late are asked a second time. Beyond maxCountedPairs a pair may count twice.
type countedPairs map[netip.AddrPort]countedAs

// maxCountedPairs bounds the memory of countedPairs.
const maxCountedPairs = 1 << 16

// countedAs are the counts that a pair is in.
type countedAs uint8

const (
	asRejected countedAs = 1 << iota
	asUnknown
)

// first notes that a pair is counted, and reports whether it was not before.
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

// notices name those that rejected most.
func (s rejections) notices() []result.Notice {
	const most = 10
	from := slices.SortedFunc(maps.Keys(s), func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(s[b], s[a]), a.Compare(b))
	})
	var notices []result.Notice
	for _, a := range from[:min(len(from), most)] {
		notices = append(notices, exposure.NewNotice(exposure.NoticeRejected, a.String(), nil,
			"%s, a device on the path and not the target itself, reported %d ports as unreachable.", a, s[a]))
	}
	return notices
}

// ownAddresses are the addresses of this machine's interfaces; none if they
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

// isOwn reports whether an address is one of this machine: what it answers
// passes no network.
func (p *Plan) isOwn(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(p.own, a.Unmap().WithZone(""))
}

// reachability is how it is known that ports of the address can be reached from
// the vantage point. What this machine hears of its own addresses passes no
// firewall, whatever the vantage point is called; only what is judged as seen
// from the host itself needs no assumption. Loopback is never seen from
// elsewhere: whoever names another vantage point for it asks what would be.
func (p *Plan) reachability(a netip.Addr) result.Reachability {
	if a.IsLoopback() || p.judge.Vantage.Class == exposure.ClassHost || !p.isOwn(a) {
		return ""
	}
	return result.ReachabilityAssumed
}

// ownPorts are notices about the addresses of this machine with open ports.
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
