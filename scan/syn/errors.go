package syn

import (
	"fmt"
	"strings"

	"go4.org/netipx"
)

// A RightsError says that raw packets may not be sent or received.
type RightsError struct {
	Err error // the kernel's answer
}

// Error says what was refused.
func (e *RightsError) Error() string {
	return "opening a raw packet socket: " + e.Err.Error()
}

// Unwrap returns the kernel's answer.
func (e *RightsError) Unwrap() error { return e.Err }

// ErrorHint says how to get the right, and how to do without.
func (e *RightsError) ErrorHint() string {
	return "--mode syn needs CAP_NET_RAW: run `sudo setcap cap_net_raw+ep \"$(command -v mxsweep)\"`, " +
		"give a container --cap-add NET_RAW, or omit --mode syn to scan with full connections"
}

// A LocalError says that addresses are this machine's own, which are reached
// through no network; a connect scan asks them.
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

// ErrorHint says what to do.
func (e *LocalError) ErrorHint() string {
	return "scan these addresses with full connections"
}

// A LinkError says that an interface is of a kind that is not understood.
type LinkError struct {
	Interface string
	Hardware  uint16 // its ARPHRD number (linux/if_arp.h)
}

// Error names the interface and its kind.
func (e *LinkError) Error() string {
	return fmt.Sprintf("sending on interface %q: neither Ethernet nor a link without a header (hardware type %d)", e.Interface, e.Hardware)
}

// ErrorHint says what to do.
func (e *LinkError) ErrorHint() string {
	return "omit --mode syn: full connections work on any interface"
}

// A SetupError says why a run cannot begin, and what helps.
type SetupError struct {
	Doing string
	Err   error
	Hint  string
}

// Error says what failed.
func (e *SetupError) Error() string { return e.Doing + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SetupError) Unwrap() error { return e.Err }

// ErrorHint says what helps.
func (e *SetupError) ErrorHint() string { return e.Hint }
