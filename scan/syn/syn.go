// Package syn finds out which TCP ports answer with single SYN segments, for ranges
// where full connections take too long.
//
// A [Scanner] stores one bit per pair: whether it has answered. The sequence number of
// each SYN is a keyed hash of its flow, so that only a host that saw the SYN can
// acknowledge it, and the source port shows when it was sent. Silent pairs are probed
// again: how often depends on the loss, which is measured by probing pairs again that
// are known to answer.
//
// Hosts that are up are stored too. Each is probed again on a pair that is known to
// answer, its control: a silent pair of it is filtered only if a control was answered
// after the pair's last probe. If controls stay silent, the sweep waits for the host
// and probes its silent pairs again; if no control is answered in the end, they are
// unknown, with result.ReasonBlocked.
//
// It needs Linux and the right to raw sockets (CAP_NET_RAW). On other systems, and for
// the addresses of this machine itself, package scan opens connections.
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

// A Config has the settings of a [Scanner]. The zero Config with a Scope is ready to
// use: as fast as accuracy allows, on the interface of the routing table.
type Config struct {
	// Scope is checked for each address before a SYN is sent. Nil allows nothing.
	Scope *scope.Set

	// Interface is the name of the interface to send on. Empty means the one of the
	// kernel's routing table, for each target.
	Interface string

	// Rate is the maximum number of SYNs per second. Zero means as fast as accuracy
	// allows: the rate is lowered if it causes loss.
	Rate float64

	// Others, if not nil, returns how many connections others have opened since the
	// last call. They count towards Rate. One goroutine calls it.
	Others func() int

	// Retries is the minimum number of passes after the first, over the silent pairs.
	// Zero means 2, less than zero none. If loss is measured there are more, unless it
	// is less than zero; if hundreds of probes show no loss, one suffices.
	Retries int

	// Timeout is the maximum wait for an answer; the actual wait adapts to the
	// round-trip times. Zero means 3 seconds.
	Timeout time.Duration

	// Clock limits the time of each host. Pairs that are not finished in it are
	// result.StateUnknown with result.ReasonHostTimeout. If nil, there is no limit.
	Clock *hosts.Clock

	// NotAfter is the first time at which no packet may be sent: no SYN, and no
	// question for a neighbor's hardware address. The sweep then ends with a
	// *scan.ExpiredError. The zero Time is no limit.
	NotAfter time.Time

	// Threads is the number of transmitters, each on its own processor; MaxThreads at
	// most. Zero means 1.
	Threads int

	// Seed is the seed of the order.
	Seed uint64

	// Pcap, if not nil, gets every SYN and every answer, as a capture file of raw IP
	// packets. It costs speed. The first error of a write ends the run.
	Pcap io.Writer

	// Earlier are the results of earlier runs of the same sweep, or nil. Their pairs
	// have no result in this one. They are not probed again, except for a few of those
	// that answered, to measure the loss. It is ranged over once, before the first SYN
	// is sent.
	Earlier iter.Seq[scan.Result]

	// Begin is the [Scanner.Progress] of earlier runs of the same sweep with the same
	// Seed. Pairs that they have probed are not probed again in the same pass. The zero
	// Progress starts from the beginning, and so does that of a Space with another
	// number of pairs.
	Begin Progress
}

// A Progress is how far a sweep is in its order.
type Progress struct {
	Pass  int    // the pass under way, from 0
	Asked uint64 // counts of its order below which all pairs were probed
	Pairs uint64 // of the Space
}

// MaxThreads is the maximum of Threads in [Config].
const MaxThreads = 64

// check fills in defaults and refuses invalid values.
func (c *Config) check() error {
	if c.Scope == nil {
		return errors.New("sweeping without a scope: nothing may be contacted")
	}
	if c.Rate < 0 || math.IsNaN(c.Rate) {
		return fault.Hintf("0 is as fast as accuracy allows", "sweeping at %v per second: not a rate", c.Rate)
	}
	if c.Threads < 0 || c.Threads > MaxThreads {
		return fault.Hintf("one thread is fast enough for most networks", "sweeping with %d threads: %w", c.Threads, fmt.Errorf("not between 1 and %d", MaxThreads))
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

// An Estimate is the cost of a sweep if nothing answers and no loss is known: the
// maximum on a network without loss.
type Estimate struct {
	Packets  uint64        // SYNs, all passes
	Bytes    uint64        // on Ethernet, with headers, without preamble and gap
	Duration time.Duration // 0 if the rate has no limit
}

// Plan estimates a sweep of space. It sends nothing and needs no rights.
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
		// A frame has at least 60 bytes and the check sequence (IEEE 802.3, clause
		// 4.4.2).
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
