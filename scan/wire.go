package scan

import (
	"net"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// A wire makes the connections that a sweep asks for. Connections are known
// by the slot that the sweep gives them. All methods but wake are called from
// one goroutine.
type wire interface {
	// begin starts to connect. If the outcome is known at once it is
	// returned with ended set; otherwise wait returns it later.
	begin(slot int32, to netip.AddrPort) (e ending, ended bool)

	// wait adds to list the connections that have ended since. If there is
	// none it waits for one, for at most d, or until wake is called. A d of
	// zero does not wait; a negative one waits without limit.
	wait(list []ending, d time.Duration) []ending

	// drop gives up a connection that has not ended.
	drop(slot int32)

	// hand gives away a connection that has ended without an error. It
	// returns nil if there is no longer one.
	hand(slot int32) net.Conn

	// reset closes a connection that has ended without an error, by RST, so
	// that nothing of it stays behind here or there.
	reset(slot int32)

	// wake ends a wait, now or next.
	wake()

	// close gives up all connections. Nothing may be called after it.
	close()
}

// An ending is how an attempt to connect ended.
type ending struct {
	slot int32
	as   outcome
	from netip.Addr // who sent the ICMP error, if that is known
	err  error      // the cause, for outcomes that are no answer
}

// An outcome says what the end of a connection attempt means.
type outcome uint8

const (
	connected       outcome = iota // a SYN-ACK came
	refused                        // a RST came
	hostUnreachable                // the host cannot be reached, says the network
	netUnreachable                 // the net cannot be reached, says the network
	prohibited                     // a firewall or router says no
	windowless                     // a SYN-ACK came that offers no room for data
	silent                         // nothing came, says the kernel
	starved                        // this machine lacks something for now
	looped                         // connected to itself; nobody listens there
	impossible                     // this machine cannot ask at all
)

// unreachable reports whether o is what an ICMP error says.
func (o outcome) unreachable() bool {
	return o == hostUnreachable || o == netUnreachable || o == prohibited
}

// reason returns the words of the result schema for a pair that is neither
// open nor closed.
func (o outcome) reason() result.Reason {
	switch o {
	case hostUnreachable:
		return result.ReasonHostUnreach
	case netUnreachable:
		return result.ReasonNetUnreach
	case prohibited:
		return result.ReasonAdminProhibited
	case windowless:
		return result.ReasonZeroWindow
	case silent:
		return result.ReasonNoResponse
	}
	return result.ReasonUnknown
}

// Starved reports whether err says that this machine, and nothing on the way
// or at the target, kept a connection from coming about: no file, no port or
// no memory was left for it. Such an attempt says nothing about the target.
func Starved(err error) bool {
	o, ok := errnoOutcome(err)
	return ok && o == starved
}
