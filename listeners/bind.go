package listeners

import (
	"fmt"
	"net/netip"
	"strings"
)

// Bind sets Host, and Address to what it means: "" and "*" are each address of both
// families, an IPv6 address may be in brackets, and localhost is 127.0.0.1. For other
// names Address is the zero Addr and Doubt says why.
func (l *Listener) Bind(host string) {
	l.Host, l.Address = host, netip.Addr{}
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	switch a, err := netip.ParseAddr(bare); {
	case err == nil:
		l.Address = a
	case bare == "", bare == "*":
	case strings.EqualFold(bare, "localhost"):
		l.Address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case strings.EqualFold(bare, "ip6-localhost"):
		l.Address = netip.IPv6Loopback()
	default:
		l.Doubt = fmt.Sprintf("the address of %q is not in the files", host)
	}
}

// BindFamily is Bind for a daemon whose listener without an address is each IPv4 address,
// or with v6 each IPv6 address.
func (l *Listener) BindFamily(host string, v6 bool) {
	l.Bind(host)
	switch {
	case host != "" && host != "*":
	case v6:
		l.Address = netip.IPv6Unspecified()
	default:
		l.Address = netip.IPv4Unspecified()
	}
}
