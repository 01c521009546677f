package syn

import (
	"net/netip"

	"mxsweep/scan"
	"mxsweep/scan/syn/rawnet"
)

// A hop is the next step to a set of addresses: out of which interface, from
// which address, to whose hardware address.
type hop struct {
	out      int // place of the interface among the Scanner's
	template *rawnet.Template
	source   netip.Addr
	source4  uint32 // the same, for the cookie
	source6  [16]byte

	// onLink is whether there is no router between: each address then has
	// a hardware address of its own, if anybody has the address at all.
	onLink bool
	macs   map[netip.Addr][6]byte

	// err is why the addresses cannot be asked; reason is it in one word.
	err    error
	reason scan.Reason
}

// newHop is a hop from an address.
func newHop(source netip.Addr, onLink bool) *hop {
	h := &hop{source: source, onLink: onLink}
	if source.Is4() {
		h.source4 = be4(source)
	} else {
		h.source6 = source.As16()
	}
	return h
}
