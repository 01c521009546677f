package main

import (
	"net"
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

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
func (p *plan) isOwn(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(p.own, a.Unmap().WithZone(""))
}

// reachability is how it is known that ports of the address can be reached from
// the vantage point. What this machine hears of its own addresses passes no
// firewall, whatever the vantage point is called; only what is judged as seen
// from the host itself needs no assumption. Loopback is never seen from
// elsewhere: whoever names another vantage point for it asks what would be.
func (p *plan) reachability(a netip.Addr) result.Reachability {
	if a.IsLoopback() || p.judge.Vantage.Class == exposure.ClassHost || !p.isOwn(a) {
		return ""
	}
	return result.ReachabilityAssumed
}

// ownPorts are notices about the addresses of this machine with open ports.
func ownPorts(open []exposure.Port) []exposure.Notice {
	var notices []exposure.Notice
	var last netip.Addr
	for _, p := range open {
		addr := p.Target.Addr()
		if p.Reachability != result.ReachabilityAssumed || addr == last || len(notices) == maxNamed {
			continue
		}
		last = addr
		notices = append(notices, exposure.NewNotice(exposure.NoticeOwnAddress, addr.String(), p.Anchor,
			"%s is an address of this machine: that its open ports can be reached from elsewhere is assumed.", withName(addr.String(), p.Host)))
	}
	return notices
}
