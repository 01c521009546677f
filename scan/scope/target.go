package scope

import (
	"net/netip"

	"github.com/mxsweep/mxsweep/result"
	"go4.org/netipx"
)

// A Target is what the user named: an address, a prefix, a range or a host name, after
// resolution, with its ports.
type Target struct {
	// Ranges are the addresses, in the order given (for a name: all of its addresses,
	// sorted). It is empty only if Err is set.
	Ranges []netipx.IPRange

	// Bulk holds many entries of a long list; then all other fields but the file of
	// Anchor are empty. It is nil for all other targets.
	Bulk *Bulk

	// Name is the host name that the target was given as, or empty.
	Name string

	// Unusable are addresses of the Name that no single host has, like 0.0.0.0, or
	// link-local ones, sorted. They are not in Ranges.
	Unusable []netip.Addr

	// Zone is the interface of a link-local address, by name or number, or empty.
	// Ranges, which have no zones, are then only that address.
	Zone string

	// Ports are the ports of the target ("mx1:10025"). Empty means the ports of the
	// run.
	Ports PortSet

	// Anchor is where the target was written. For the command line, only its Text is
	// set.
	Anchor result.Anchor

	// Err says why the Name has no addresses, or why some of them may be missing; else
	// it is nil. A run with such a target is incomplete. The cause is a [names.Error].
	Err error
}

// Single returns the address of a target that is exactly one address.
func (t Target) Single() (netip.Addr, bool) {
	if len(t.Ranges) == 1 && t.Ranges[0].From() == t.Ranges[0].To() {
		return t.Ranges[0].From().WithZone(t.Zone), true
	}
	return netip.Addr{}, false
}

// never contains the addresses that no single host has: "this host" (RFC 1122, Section
// 3.2.1.3; connecting to it reaches this machine), multicast (RFC 5771, RFC 4291
// Section 2.7), limited broadcast, link-local addresses without a zone, which are
// another host on each link (RFC 4007, Section 6), and IPv4-mapped IPv6 addresses,
// which are replaced by their IPv4 address.
var never = mustSet("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8", "fe80::/10", "::ffff:0:0/96")

// mustSet makes a set of constant prefixes.
func mustSet(prefixes ...string) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, p := range prefixes {
		b.AddPrefix(netip.MustParsePrefix(p))
	}
	set, err := b.IPSet()
	if err != nil {
		panic(err) // only if a constant above is wrong
	}
	return set
}
