package scan

import (
	"net/netip"

	"go4.org/netipx"
)

// An Anchor is the line of a file that put an address into a run. Findings
// point at it.
type Anchor struct {
	File      string // as it was named on the command line or in an include
	Line      int    // from 1
	EndColumn int    // column behind the last byte of the entry, from 1; 0 is unknown
	Text      string // the entry itself, comment and blanks removed
}

// A Target is one thing that the user named: an address, a prefix, a range or
// a host name, after resolution, with the ports it carries.
type Target struct {
	// Ranges are the addresses, in the order given (for a name: all of its
	// addresses, sorted).
	Ranges []netipx.IPRange

	// Name is the host name that the target was given as, or empty.
	Name string

	// Ports are the ports written behind the target ("mx1:10025"). Nil means
	// the ports of the run.
	Ports []uint16

	// Anchor is where the target was written. The zero Anchor means the
	// command line.
	Anchor Anchor
}

// Single reports the address of a target that is exactly one address.
func (t Target) Single() (netip.Addr, bool) {
	if len(t.Ranges) == 1 && t.Ranges[0].From() == t.Ranges[0].To() {
		return t.Ranges[0].From(), true
	}
	return netip.Addr{}, false
}
