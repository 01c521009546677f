// Package dialer opens many TCP connections at once and says how each attempt
// ended.
package dialer

import (
	"net"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// A Dialer opens connections. The caller gives each a number, its slot, which is free
// again once the connection has failed or was dropped, taken or reset. All methods but
// Wake are called from one goroutine.
type Dialer interface {
	// Begin starts to connect. If the result is known at once it is returned, with
	// ended set; otherwise Wait returns it later.
	Begin(slot int32, to netip.AddrPort) (e Ending, ended bool)

	// Wait adds to list the connections that have ended since the last call. If there
	// is none it waits for one, for at most d, or until Wake is called. If d is zero it
	// does not wait; if negative, it waits without limit.
	Wait(list []Ending, d time.Duration) []Ending

	// Drop gives up a connection that has not ended.
	Drop(slot int32)

	// Take returns a connection that has ended without an error; the caller owns it
	// from then on. It returns nil if the connection no longer exists.
	Take(slot int32) net.Conn

	// Reset closes a connection that has ended without an error, by RST, so that
	// neither end keeps any state of it.
	Reset(slot int32)

	// Trim frees what is kept for further connections, but for as many as keep; some of
	// it at a time, so that it does not take long.
	Trim(keep int)

	// Wake ends the current wait, or the next one.
	Wake()

	// Close gives up all connections. No method may be called after it.
	Close()
}

// An Ending is how an attempt to connect ended.
type Ending struct {
	Slot int32
	As   Outcome
	From netip.Addr // the sender of the ICMP error, if known
	Err  error      // the cause, for outcomes without an answer

	// RTT is the time from the only SYN to the SYN-ACK, if the kernel has measured it; 0
	// otherwise. It lacks the time until the program looked, which may be much longer.
	RTT time.Duration
}

// An Outcome says what the end of a connection attempt means.
type Outcome uint8

// The outcomes.
const (
	Connected         Outcome = iota // a SYN-ACK came
	Refused                          // a RST came
	HostUnreachable                  // the network reports the host as unreachable
	NetUnreachable                   // the network reports the net as unreachable
	Prohibited                       // a firewall or router prohibits it
	ZeroWindow                       // a SYN-ACK came with a window of 0
	Silent                           // nothing came before the timeout of the kernel
	ResourceExhausted                // this machine has run out of a resource, temporarily
	SelfConnect                      // connected to itself; no one listens there
	LocalFailure                     // this machine cannot send the probe at all
)

// Unreachable reports whether o comes from an ICMP error.
func (o Outcome) Unreachable() bool {
	return o == HostUnreachable || o == NetUnreachable || o == Prohibited
}

// Reason returns the reason of the result schema for a pair that is neither open nor
// closed.
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

// Exhausted reports whether err means that this machine had no file, port or memory
// left for a connection. Such an attempt shows nothing about the target.
func Exhausted(err error) bool {
	o, ok := errnoOutcome(err)
	return ok && o == ResourceExhausted
}
