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
// was answered in the end are unknown, with result.ReasonBlocked.
//
// It needs Linux and the right to raw sockets (CAP_NET_RAW). Elsewhere, and
// for the addresses of this machine itself, package scan's connects do.
package syn

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/bits"
	"time"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A Config says how a [Scanner] sweeps. The zero Config with a Scope is ready
// to use: as fast as accuracy allows, on the interface that the routing table
// names.
type Config struct {
	// Scope is asked for each address before a SYN leaves. Nil allows
	// nothing.
	Scope *scope.Set

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

	// Clock bounds the time of each host. What was not settled in it is
	// result.StateUnknown with result.ReasonHostTimeout. If nil, there is no bound.
	Clock *hosts.Clock

	// NotAfter is the first moment that is too late for a packet to leave: a
	// SYN, or the question for a neighbour's hardware address. The sweep then
	// ends with a *scan.ExpiredError. The zero Time is no bound.
	NotAfter time.Time

	// Threads is how many transmitters share the work, each on a processor
	// of its own; MaxThreads at most. Zero means 1.
	Threads int

	// Seed is the order; same seed, same order.
	Seed uint64

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
}

// A Progress says how far a sweep is in its order.
type Progress struct {
	Pass  int    // the pass under way, from 0
	Asked uint64 // counts of its order in front of which all is asked
	Pairs uint64 // of the Space
}

// MaxThreads is the most that [Config] takes for Threads.
const MaxThreads = 64

// check puts values in place of zeros and refuses what makes no sense.
func (c *Config) check() error {
	if c.Scope == nil {
		return errors.New("sweeping without a scope: nothing may be contacted")
	}
	if c.Rate < 0 || math.IsNaN(c.Rate) {
		return fault.Hintf("0 is as fast as accuracy allows", "sweeping at %v a second: not a rate", c.Rate)
	}
	if c.Threads < 0 || c.Threads > MaxThreads {
		return fault.Hintf("one sends as fast as most networks carry", "sweeping with %d threads: %w", c.Threads, fmt.Errorf("not between 1 and %d", MaxThreads))
	}
	if c.Rate == 0 {
		c.Rate = math.Inf(1)
	}
	if c.Threads == 0 {
		c.Threads = 1
	}
	if c.Timeout <= 0 {
		c.Timeout = 3 * time.Second
	}
	if c.Retries == 0 {
		c.Retries = 2
	}
	return nil
}

// An Estimate is what a sweep would take if nothing answered and nothing were
// known of loss: the most that it takes on a network that loses nothing.
type Estimate struct {
	Packets  uint64        // SYNs, all passes
	Bytes    uint64        // on Ethernet, headers included, preamble and gap not
	Duration time.Duration // 0 if the rate has no limit
}

// Plan reckons what sweeping space would take. It sends nothing and needs no
// right.
func Plan(space *scope.Space, config Config) Estimate {
	passes := uint64(3)
	if config.Retries > 0 {
		passes = uint64(config.Retries) + 1
	} else if config.Retries < 0 {
		passes = 1
	}
	var e Estimate
	hi, packets := bits.Mul64(space.Len(), passes)
	if hi != 0 {
		packets = ^uint64(0)
	}
	e.Packets = packets
	left := space.Len()
	for r, ports := range space.Ranges() {
		// A frame has 60 bytes and the check sequence at least (IEEE 802.3,
		// clause 4.4.2).
		frame := max(uint64(rawnet.FrameLen(r.From().Is6())), 60) + 4
		whole := newAddrRange(0, r, ports, nil)
		pairs := min(left, whole.pairs())
		left -= pairs
		e.Bytes += pairs * frame * passes
	}
	if config.Rate > 0 {
		e.Duration = time.Duration(float64(e.Packets) / config.Rate * float64(time.Second))
	}
	return e
}
