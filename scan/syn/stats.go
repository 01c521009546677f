package syn

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

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

	WrongAck   uint64 // answers that acknowledge none of our probes
	OtherPort  uint64 // SYN-ACKs to ports that we do not send from
	OutOfScope uint64 // answers from addresses or ports that were not asked for
	Duplicates uint64 // answers to what was answered already
	RingDrops  uint64 // answers for which the receive ring had no room
	SendDrops  uint64 // SYNs that met a full queue here and were sent again
	Stalls     uint64 // times the transmitters waited for the receiver

	// BlockedMidScan is whether those who had answered stopped to in the end, at any
	// rate, and did not come back: what is silent is then unknown, with
	// result.ReasonBlocked, also that of hosts that never answered.
	BlockedMidScan bool

	// Wildcards counts the hosts that have every port open that was asked
	// for, of wildcardPorts or more: most likely no host but something in
	// front that answers for all. WildcardHosts names the first hundred.
	Wildcards     uint64
	WildcardHosts []netip.Addr
}

// wildcardPorts is the least number of ports that says something if all are
// open.
const wildcardPorts = 8

// counts are the totals of a sweep, each written by whoever meets it.
type counts struct {
	sent, open, closed, rejected     atomic.Uint64
	zeroWindow, controls             atomic.Uint64
	blockedPairs                     atomic.Uint64
	wrongAck, otherPort, outOfScope  atomic.Uint64
	duplicates, ringDrops, sendDrops atomic.Uint64
	stalls, asked, toAsk             atomic.Uint64
	reached                          atomic.Uint64 // counts in front of which all of the pass is asked
	pass                             atomic.Int32  // under way, from 1
	roundTrip                        atomic.Int64
	planned, done, lost              atomic.Uint64
	blockedMidScan                   atomic.Bool
	silentTwice                      atomic.Bool
	unproven                         atomic.Bool // silent pairs of hosts that are up, or of all, prove nothing

	mu            sync.Mutex
	why           string
	limit, loss   float64
	rate          float64 // SYNs a second: now,
	first, top    float64 // in the first pass, and at most
	wildcards     uint64
	wildcardHosts []netip.Addr
	blockedHosts  uint64
	changedHosts  uint64 // of those, the ones that still answer
	blocked       []scan.BlockedHost
}

// answered is how many pairs have answered for good.
func (c *counts) answered() uint64 { return c.open.Load() + c.closed.Load() + c.zeroWindow.Load() }

// wildcard notes a host that has every port open.
func (c *counts) wildcard(a netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wildcards++
	if len(c.wildcardHosts) < 100 {
		c.wildcardHosts = append(c.wildcardHosts, a)
	}
}

// block notes a host that stopped answering.
func (c *counts) block(h scan.BlockedHost) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unproven.Store(true)
	c.blockedHosts++
	if h.Resets {
		c.changedHosts++
	}
	if len(c.blocked) < scan.MaxBlocked {
		c.blocked = append(c.blocked, h)
	}
}

// flow notes the rate at which SYNs leave now.
func (c *counts) flow(rate float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate, c.top = rate, math.Max(c.top, rate)
}

// settle notes the limit and what it rests on.
func (c *counts) settle(limit float64, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit, c.why = limit, why
}

// lose notes the share of probes that got lost.
func (c *counts) lose(share float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loss = share
}

// lossNow is the share of probes that got lost, as far as is known.
func (c *counts) lossNow() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loss
}

// reason is what the limit rests on. The caller holds the lock.
func (c *counts) reason() string {
	switch {
	case c.blockedMidScan.Load():
		return "the targets stopped answering"
	case c.blockedHosts > c.changedHosts && c.loss < tolerable:
		return "some targets stopped answering, and nothing else was lost"
	case c.why != "":
		return c.why
	case c.answered() == 0:
		return "no answers to measure by"
	case c.loss < 0.001:
		return "nothing was lost"
	}
	if c.pass.Load() < 2 {
		return fmt.Sprintf("%.1f%% were lost", 100*c.loss)
	}
	return fmt.Sprintf("%.1f%% were lost, and probed again", 100*c.loss)
}

// settled is the rate that a run has settled on: its limit, or the most that
// the machine did where there is none or more. The caller holds the lock.
func (c *counts) settled() float64 {
	if c.limit == 0 {
		return c.top
	}
	return math.Min(c.limit, math.Max(c.top, c.first))
}

// stats is a snapshot.
func (c *counts) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Stats: scan.Stats{
			Planned: c.planned.Load(), Done: c.done.Load(), Sent: c.sent.Load(),
			Answered: c.answered() + c.rejected.Load(), Open: c.open.Load(), Lost: c.lost.Load(), Rate: c.rate,
			Controls: c.controls.Load(), BlockedPairs: c.blockedPairs.Load(),
			BlockedHosts: c.blockedHosts, Blocked: slices.Clone(c.blocked),
			SilentTwice: c.silentTwice.Load(),
		},
		Closed: c.closed.Load(), Rejected: c.rejected.Load(), ZeroWindow: c.zeroWindow.Load(),
		Pass: int(c.pass.Load()), Asked: c.asked.Load(), ToAsk: c.toAsk.Load(),
		Loss: c.loss, Settled: c.settled(), Why: c.reason(), RoundTrip: time.Duration(c.roundTrip.Load()),
		WrongAck: c.wrongAck.Load(), OtherPort: c.otherPort.Load(), OutOfScope: c.outOfScope.Load(),
		Duplicates: c.duplicates.Load(), RingDrops: c.ringDrops.Load(), SendDrops: c.sendDrops.Load(),
		Stalls: c.stalls.Load(), BlockedMidScan: c.blockedMidScan.Load(), Wildcards: c.wildcards,
		WildcardHosts: append([]netip.Addr(nil), c.wildcardHosts...),
	}
}
