package syn

import (
	"fmt"
	"strings"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// rightsError says that raw packets may not be sent or received; err is the kernel's
// answer.
func rightsError(err error) error {
	return fault.Hintf("--mode syn needs CAP_NET_RAW: run `sudo setcap cap_net_raw+ep \"$(command -v mxsweep)\"`, "+
		"give a container --cap-add NET_RAW, or omit --mode syn to scan with full connections",
		"opening a raw packet socket: %w", err)
}

// A LocalError says that addresses belong to this machine. SYNs do not reach them
// through a network; a connect scan probes them.
type LocalError struct {
	Ranges []netipx.IPRange // sorted
}

// Error names the addresses.
func (e *LocalError) Error() string {
	var b strings.Builder
	for i, r := range e.Ranges {
		switch {
		case i == 3:
			fmt.Fprintf(&b, " and %d more", len(e.Ranges)-i)
		case i > 3:
		case r.From() == r.To():
			fmt.Fprintf(&b, " %v", r.From())
		default:
			fmt.Fprintf(&b, " %v", r)
		}
	}
	return "a SYN scan cannot reach this machine itself:" + b.String()
}

// linkError says that an interface is of a kind that is not understood; hardware is
// its ARPHRD number (linux/if_arp.h).
func linkError(name string, hardware uint16) error {
	return fault.Hintf("omit --mode syn: full connections work on any interface",
		"sending on interface %q: neither Ethernet nor a link without a header (hardware type %d)", name, hardware)
}
