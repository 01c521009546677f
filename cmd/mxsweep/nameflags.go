package main

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// nameFlags are the flags that decide which addresses a name has.
type nameFlags struct {
	ipv4Only bool
	ipv6Only bool
	resolver resolverAddr
}

func (f *nameFlags) register(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.ipv4Only, "ipv4", "4", false, "look up and contact IPv4 addresses only")
	flags.BoolVarP(&f.ipv6Only, "ipv6", "6", false, "look up and contact IPv6 addresses only")
	flags.Var(&f.resolver, "resolver", "look names up at the DNS server `HOST[:PORT]`, an address (default the system's)")
}

// family is which addresses may be looked up and contacted.
func (f *nameFlags) family() scope.Family {
	switch {
	case f.ipv4Only:
		return scope.IPv4Only
	case f.ipv6Only:
		return scope.IPv6Only
	}
	return scope.BothFamilies
}

// A resolverAddr is the flag HOST[:PORT]. The zero value is the system's
// resolver.
type resolverAddr struct{ netip.AddrPort }

func (r *resolverAddr) String() string {
	if !r.IsValid() {
		return ""
	}
	return r.AddrPort.String()
}

func (r *resolverAddr) Type() string { return "HOST[:PORT]" }

func (r *resolverAddr) Set(value string) error {
	host, port := value, "53" // RFC 1035, Section 4.2
	if h, p, err := net.SplitHostPort(value); err == nil {
		host, port = h, p
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || n == 0 {
		return errors.New("not an address with an optional port, like 192.0.2.53 or [2001:db8::53]:5353")
	}
	r.AddrPort = netip.AddrPortFrom(addr, uint16(n))
	return nil
}
