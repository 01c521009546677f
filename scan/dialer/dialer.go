// Package dialer opens many TCP connections at once and says how each attempt
// ended.
package dialer

import (
	"net"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// A Dialer opens connections. Each is known by a number that the caller gives it,
// its slot, and that is free again once the connection has ended or was dropped,
// taken or reset. All methods but Wake are called from one goroutine.
type Dialer interface {
	// Begin starts to connect. If the outcome is known at once it is returned,
	// with ended set; otherwise Wait returns it later.
	Begin(slot int32, to netip.AddrPort) (e Ending, ended bool)

	// Wait adds to list the connections that have ended since. If there is
	// none it waits for one, for at most d, or until Wake is called. A d of
	// zero does not wait; a negative one waits without limit.
	Wait(list []Ending, d time.Duration) []Ending

	// Drop gives up a connection that has not ended.
	Drop(slot int32)

	// Take returns a connection that has ended without an error, which is the
	// caller's from then on. It returns nil if there is no longer one.
	Take(slot int32) net.Conn

	// Reset closes a connection that has ended without an error, by RST, so
	// that nothing of it stays behind here or there.
	Reset(slot int32)

	// Wake ends a wait, now or next.
	Wake()

	// Close gives up all connections. Nothing may be called after it.
	Close()
}

// An Ending is how an attempt to connect ended.
type Ending struct {
	Slot int32
	As   Outcome
	From netip.Addr // who sent the ICMP error, if that is known
	Err  error      // the cause, for outcomes that are no answer
}

// An Outcome says what the end of a connection attempt means.
type Outcome uint8

// The outcomes.
const (
	Connected         Outcome = iota // a SYN-ACK came
	Refused                          // a RST came
	HostUnreachable                  // the host cannot be reached, says the network
	NetUnreachable                   // the net cannot be reached, says the network
	Prohibited                       // a firewall or router says no
	ZeroWindow                       // a SYN-ACK came that offers no room for data
	Silent                           // nothing came, says the kernel
	ResourceExhausted                // this machine lacks something for now
	SelfConnect                      // connected to itself; nobody listens there
	LocalFailure                     // this machine cannot ask at all
)

// Unreachable reports whether o is what an ICMP error says.
func (o Outcome) Unreachable() bool {
	return o == HostUnreachable || o == NetUnreachable || o == Prohibited
}

// Reason returns the words of the result schema for a pair that is neither
// open nor closed.
func (o Outcome) Reason() result.Reason {
	switch o {
	case HostUnreachable:
		return result.ReasonHostUnreach
	case NetUnreachable:
		return result.ReasonNetUnreach
	case Prohibited:
		return result.ReasonAdminProhibited
	case ZeroWindow:
		return result.ReasonZeroWindow
	case Silent:
		return result.ReasonNoResponse
	}
	return result.ReasonUnknown
}

// Exhausted reports whether err says that this machine, and nothing on the way
// or at the target, kept a connection from coming about: no file, no port or
// no memory was left for it. Such an attempt says nothing about the target.
func Exhausted(err error) bool {
	o, ok := errnoOutcome(err)
	return ok && o == ResourceExhausted
}
