// Package scan finds out which TCP ports answer.
//
// A [Scanner] asks one question of every address and port of a [scope.Space],
// "is this port open?", and reports a [result.State] with the [result.Reason] for it. It sends
// nothing that a client of the service would not send; finding out what
// answers is package fingerprint's job.
//
// Nothing outside the [scope.Set] is ever contacted: the scope is asked right
// before a connection or packet leaves, and again when an answer arrives.
package scan

import (
	"context"
	"iter"
	"net"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// The bounds of what a user may ask of a scan, by a flag or in a policy.
const (
	MaxTimeout = time.Hour // for one answer
	MaxRetries = 20        // of one probe
)

// A Result is what is known of one address and port after its probes.
type Result struct {
	// Target is the address and port that was asked. The address is never
	// 4-in-6 mapped.
	Target netip.AddrPort

	State  result.State
	Reason result.Reason

	// RTT is the time from the SYN that was answered to its answer. Zero
	// means that nothing answered.
	RTT time.Duration

	// From is who sent the ICMP error that Reason rests on. The zero Addr
	// means that there was none, or that the Scanner does not see who sent it.
	From netip.Addr

	// Attempts is how many probes were sent, at least 1 unless State is
	// StateSkipped or StateUnknown.
	Attempts int

	// Time is when the answer arrived, or when the wait for one ended.
	Time time.Time

	// Err is why State is StateUnknown or StateSkipped, and for
	// StateFiltered the ICMP error that said so, if one did and the Scanner
	// sees them; nil otherwise.
	Err error

	// WasClosed is set if the pair was yielded as closed before: this Result
	// takes the place of that one. It is open, because the pair answered a
	// further probe with a SYN-ACK, or unknown, because somebody else than the
	// host seems to have refused it.
	WasClosed bool

	// Conn is the open connection that found the port, not yet read from, so
	// that the first dialogue costs no second handshake. It is set only if
	// State is StateOpen and the Scanner hands connections on; who takes the
	// Result must close it.
	Conn net.Conn
}

// FromTarget reports whether a packet of the target's own arrived: a SYN-ACK,
// a RST, or an ICMP error that the target itself sent. It shows that the host
// is up.
func (r *Result) FromTarget() bool {
	switch r.State {
	case result.StateOpen, result.StateClosed:
		return true
	}
	return r.Reason == result.ReasonZeroWindow || r.From.IsValid() && r.From.Unmap() == r.Target.Addr().Unmap()
}

// A Scanner sweeps a Space.
type Scanner interface {
	// Scan yields one Result for every address and port of space, in the
	// order in which they become known, and a second one only where it takes
	// the first one back ([Result].WasClosed). The sequence ends only when all
	// workers have ended. Canceling ctx stops it early: pairs that were
	// under way are then yielded with StateUnknown and those that were not
	// yet asked are not yielded. A Scan can be ranged over once.
	Scan(ctx context.Context, space *scope.Space) iter.Seq[Result]
}

// Stats are the running totals of a scan, for progress lines. All counts are
// since the start of the scan.
type Stats struct {
	Planned  uint64 // pairs in the space
	Done     uint64 // pairs with a Result
	Sent     uint64 // probes sent, further tries included
	Answered uint64 // pairs that were answered (open, closed, or ICMP)
	Open     uint64 // pairs found open
	Lost     uint64 // probes whose repetition was answered: loss on the way
	Inflight int    // probes awaiting an answer now
	Rate     float64

	// Controls counts the probes that asked whether a host that is up still
	// answers. They are among those sent.
	Controls uint64

	// BlockedHosts counts the hosts that stopped answering, BlockedPairs the
	// pairs that are unknown for it, and Blocked names the first MaxBlocked of
	// the hosts. All are known once the scan has ended.
	BlockedHosts uint64
	BlockedPairs uint64
	Blocked      []BlockedHost

	// SilentTwice is set, once the scan has ended, if every pair that is
	// silent was asked on two occasions: again after all had been asked once.
	SilentTwice bool
}
