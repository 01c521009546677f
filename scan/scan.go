// Package scan finds out which TCP ports answer.
//
// A [Scanner] probes every address and port of a [scope.Space] for whether the port is
// open, and reports a [result.State] with the [result.Reason] for it. It sends nothing
// that a client of the service would not send; package fingerprint finds out what
// answers.
//
// Nothing outside the [scope.Set] is ever contacted: the scope is checked right before
// a connection or packet is sent, and again when an answer arrives.
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

// The bounds of the options of a scan, for flags and policies.
const (
	MaxTimeout     = time.Hour   // for one answer
	MaxRetries     = 20          // of one probe
	MaxRate        = 100_000_000 // probes a second
	MaxConcurrency = 1_000_000   // probes that wait for an answer
	MaxPerHost     = 1_000_000   // connections to one host
)

// A Result is the state of one address and port after its probes.
type Result struct {
	// Target is the address and port that was probed. The address is never IPv4-mapped.
	Target netip.AddrPort

	State  result.State
	Reason result.Reason

	// RTT is the time from the SYN that was answered to its answer. Zero means that
	// nothing answered.
	RTT time.Duration

	// From is the sender of the ICMP error that Reason rests on. The zero Addr means
	// that there was none, or that the Scanner does not see the sender.
	From netip.Addr

	// Attempts is how many probes were sent, at least 1 unless State is
	// StateSkipped or StateUnknown.
	Attempts int

	// Time is when the answer arrived, or when the wait for one ended.
	Time time.Time

	// Err says why State is StateUnknown or StateSkipped. For StateFiltered it is the
	// ICMP error, if there was one and the Scanner sees it. It is nil otherwise.
	Err error

	// WasClosed is set if the pair was yielded as closed before: this Result replaces
	// that one. It is open, because the pair answered a further probe with a SYN-ACK,
	// or unknown, because another device than the host seems to have refused it.
	WasClosed bool

	// Conn is the open connection that found the port, of which nothing has been read,
	// so that the first dialogue needs no second handshake. It is set only if State is
	// StateOpen and the Scanner hands connections on; the consumer of the Result must
	// close it.
	Conn net.Conn
}

// FromTarget reports whether the target itself sent a packet: a SYN-ACK, a RST, or an
// ICMP error. It shows that the host is up.
func (r *Result) FromTarget() bool {
	switch r.State {
	case result.StateOpen, result.StateClosed:
		return true
	}
	return r.Reason == result.ReasonZeroWindow || r.From.IsValid() && r.From.Unmap() == r.Target.Addr().Unmap()
}

// A Scanner sweeps a Space.
type Scanner interface {
	// Scan yields one Result for every address and port of space, in the order in which
	// they become known, and a second one only to replace the first
	// ([Result].WasClosed). The sequence ends only when all workers have ended.
	// Canceling ctx stops it early: pairs under way are then yielded with StateUnknown,
	// and those that were not probed yet are not yielded. A Scan can be ranged over
	// once.
	Scan(ctx context.Context, space *scope.Space) iter.Seq[Result]
}

// Stats are the counts of a scan since its start, for progress lines.
type Stats struct {
	Planned uint64 // pairs in the space
	Done    uint64 // pairs with a Result
	Probed  uint64 // pairs probed at least once; only a Connect scanner counts them
	Tries   int    // probes that a silent pair gets, as far as known; 0 as for Probed
	Waived  uint64 // silent pairs that get only one, as far as known
	// Wait is how much longer the latest probe is awaited if it stays silent; 0 as for
	// Probed.
	Wait     time.Duration
	Sent     uint64 // probes sent, including repetitions
	Answered uint64 // pairs that were answered (SYN-ACK, RST, or ICMP)
	Open     uint64 // pairs found open
	Lost     uint64 // probes whose repetition was answered: loss on the path
	Inflight int    // probes that await an answer now
	Rate     float64

	// Controls counts the probes that checked whether a host that is up still answers.
	// They are included in Sent.
	Controls uint64

	// BlockedHosts counts the hosts that stopped answering, BlockedPairs their unknown
	// pairs, and Blocked names the first MaxBlocked of the hosts. All are known once
	// the scan has ended.
	BlockedHosts uint64
	BlockedPairs uint64
	Blocked      []BlockedHost

	// SilentTwice is set, once the scan has ended, if every silent address was probed on
	// two occasions: again after all pairs had been probed once.
	SilentTwice bool
}
