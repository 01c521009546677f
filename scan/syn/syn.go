// Package syn asks which TCP ports answer by single SYN segments, for ranges
// where a connection each takes too long.
//
// A [Scanner] remembers nothing of a probe but one bit, whether its pair has
// answered. The sequence number of each SYN is a keyed hash of its flow, so
// only who saw the SYN can acknowledge it, and the source port tells when it
// left. What stays silent is asked again: how often depends on how much is
// lost, which is measured by asking pairs again that are known to answer.
//
// Hosts that are up are remembered too. Each is asked again on a pair that it
// answers, its control: what is silent of it is filtered only if a control was
// answered after that was asked last. Where controls stay silent the host is
// waited for, and its silent pairs are asked anew; those for which no control
// was answered in the end are unknown, with scan.ReasonBlocked.
//
// It needs Linux and the right to raw sockets (CAP_NET_RAW). Elsewhere, and
// for the addresses of this machine itself, package scan's connects do.
package syn

import (
	"io"
	"iter"
	"net/netip"
	"time"

	"mxsweep/scan"
)

// A Config says how a [Scanner] sweeps. The zero Config with a Scope is ready
// to use: as fast as accuracy allows, on the interface that the routing table
// names.
type Config struct {
	// Scope is asked for each address before a SYN leaves. Nil allows
	// nothing.
	Scope *scan.Scope

	// Interface is the name of the interface to send on. Empty means the one
	// that the kernel's routing table says, for each target.
	Interface string

	// Rate is how many SYNs leave in a second, at most. Zero means as fast
	// as accuracy allows: the rate falls where more of them get lost for it.
	Rate float64

	// Others, if not nil, returns how many connections others have opened since
	// it was last asked. They count towards Rate. It is asked by one goroutine.
	Others func() int

	// Retries is how many passes follow the first, at least, over what is
	// still silent. Zero means 2, less than zero none. Measured loss adds
	// more, unless it is less than zero; and where hundreds of probes show
	// that nothing gets lost, one will do.
	Retries int

	// Timeout is how long to wait for an answer at most; the real wait
	// follows the round-trip times met. Zero means 3 seconds.
	Timeout time.Duration

	// Hosts bounds the time of each host. What was not settled in it is
	// scan.StateUnknown with scan.ReasonHostTimeout. If nil, there is no bound.
	Hosts *scan.HostClock

	// Cooldown is how long to listen on behind the last SYN. Zero means as
	// long as the round-trip times met suggest.
	Cooldown time.Duration

	// NotAfter is the first moment that is too late for a packet to leave: a
	// SYN, or the question for a neighbour's hardware address. The sweep then
	// ends with a *scan.ExpiredError. The zero Time is no bound.
	NotAfter time.Time

	// Threads is how many transmitters share the work, each on a processor
	// of its own; MaxThreads at most. Zero means 1.
	Threads int

	// Seed is the order; same seed, same order.
	Seed uint64

	// SourcePorts are the first and the last port to send from. Zeros mean a
	// range that the kernel does not use for connections of its own, so that
	// nothing gets between them and the SYNs. Less than 64 ports are refused:
	// they tell when a SYN left.
	SourcePorts [2]uint16

	// Pcap, if not nil, gets every SYN that leaves and every answer that
	// arrives, as a capture file of raw IP packets. It costs speed. The
	// first error of a write ends the run.
	Pcap io.Writer

	// Earlier are the results of earlier runs of the same sweep, or nil. Their
	// pairs have no result in this one. They are not asked again, but for a
	// few of those that answered: they tell how much gets lost. It is ranged
	// over once, before the first SYN leaves.
	Earlier iter.Seq[scan.Result]

	// Begin is how far earlier runs of the same sweep came, with the same Seed:
	// [Scanner.Progress]. What they had asked is not asked again in the same
	// pass. The zero Progress begins anew, and so does that of a Space with
	// another number of pairs.
	Begin Progress

	// OpenOnly leaves all but the open pairs out of the results; they are
	// still counted. Large sweeps take far less time for it.
	OpenOnly bool
}

// A Progress says how far a sweep is in its order.
type Progress struct {
	Pass  int    // the pass under way, from 0
	Asked uint64 // counts of its order in front of which all is asked
	Pairs uint64 // of the Space
}

// Stats are the running totals of a sweep.
type Stats struct {
	scan.Stats

	Closed   uint64 // pairs that refused
	Rejected uint64 // pairs of which ICMP said that they cannot be reached

	ZeroWindow uint64 // pairs whose SYN-ACK has no room for data

	Pass      int           // the pass under way, from 1; further ones are over the silent pairs
	Asked     uint64        // counts of the pass that are done with
	ToAsk     uint64        // counts of the pass
	Loss      float64       // share of probes or answers that got lost, 0 to 1; those of hosts that are gone do not count
	Settled   float64       // SYNs a second that the run settled on
	Why       string        // what that rests on, for people
	RoundTrip time.Duration // the longest met that is sure to be one; 0 if none

	WrongAck   uint64 // answers that acknowledge nothing of ours
	OtherPort  uint64 // SYN-ACKs to ports that we do not send from
	OutOfScope uint64 // answers from addresses or ports that were not asked for
	Duplicates uint64 // answers to what was answered already
	RingDrops  uint64 // answers for which the receive ring had no room
	SendDrops  uint64 // SYNs that met a full queue here and were sent again
	Stalls     uint64 // times the transmitters waited for the receiver

	// ShutOut is whether those who had answered stopped to in the end, at any
	// rate, and did not come back: what is silent is then unknown, with
	// scan.ReasonBlocked, also that of hosts that never answered.
	ShutOut bool

	// Wildcards counts the hosts that have every port open that was asked
	// for, of wildcardPorts or more: most likely no host but something in
	// front that answers for all. WildcardHosts names the first hundred.
	Wildcards     uint64
	WildcardHosts []netip.Addr
}

// MaxThreads is the most that [Config] takes for Threads.
const MaxThreads = 64

// wildcardPorts is the least number of ports that says something if all are
// open.
const wildcardPorts = 8
