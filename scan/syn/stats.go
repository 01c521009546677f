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

	Closed   uint64 // pairs that answered with RST
	Rejected uint64 // pairs that ICMP errors report as unreachable

	ZeroWindow uint64 // pairs whose SYN-ACK has a window of 0

	Pass      int           // the pass under way, from 1; passes after the first are over the silent pairs
	Asked     uint64        // counts of the pass that are finished
	ToAsk     uint64        // counts of the pass
	Loss      float64       // fraction of probes or answers that were lost, 0 to 1, without those of hosts that are gone
	Settled   float64       // SYNs per second that the run settled on
	Why       string        // the reason for it, for people
	RoundTrip time.Duration // the longest reliable one; 0 if none

	WrongAck   uint64 // answers that acknowledge none of our probes
	OtherPort  uint64 // SYN-ACKs to ports that we do not use
	OutOfScope uint64 // answers from addresses or ports that were not probed
	Duplicates uint64 // answers of pairs that had answered already
	RingDrops  uint64 // answers that did not fit into the receive ring
	SendDrops  uint64 // SYNs that were sent again because a local queue was full
	Stalls     uint64 // times the transmitters waited for the receiver

	// BlockedMidScan is whether hosts that had answered stopped answering, at any rate,
	// and did not start again: silent pairs are then unknown, with
	// result.ReasonBlocked, also those of hosts that never answered.
	BlockedMidScan bool

	// Wildcards counts the hosts on which every probed port is open, of wildcardPorts
	// or more: most likely a device in front of the host that answers for all.
	// WildcardHosts names the first hundred.
	Wildcards     uint64
	WildcardHosts []netip.Addr
}

// wildcardPorts is the least number of ports that is significant if all are open.
const wildcardPorts = 8

// counts are the counts of a sweep, each written by the goroutine that finds it.
type counts struct {
	sent, open, closed, rejected     atomic.Uint64
	zeroWindow, controls             atomic.Uint64
	blockedPairs                     atomic.Uint64
	wrongAck, otherPort, outOfScope  atomic.Uint64
	duplicates, ringDrops, sendDrops atomic.Uint64
	stalls, asked, toAsk             atomic.Uint64
	reached                          atomic.Uint64 // counts below which all pairs of the pass were probed
	pass                             atomic.Int32  // under way, from 1
	roundTrip                        atomic.Int64
	planned, done, lost              atomic.Uint64
	blockedMidScan                   atomic.Bool
	silentTwice                      atomic.Bool
	unproven                         atomic.Bool // the silence of pairs of hosts that are up, or of all, proves nothing

	mu            sync.Mutex
	why           string
	limit, loss   float64
	rate          float64 // SYNs per second: current,
	first, top    float64 // in the first pass, and maximum
	wildcards     uint64
	wildcardHosts []netip.Addr
	blockedHosts  uint64
	changedHosts  uint64 // of those, the ones that still answer
	blocked       []scan.BlockedHost
}

// answered returns how many pairs have answered conclusively.
func (c *counts) answered() uint64 { return c.open.Load() + c.closed.Load() + c.zeroWindow.Load() }

// wildcard records a host with every port open.
func (c *counts) wildcard(a netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wildcards++
	if len(c.wildcardHosts) < 100 {
		c.wildcardHosts = append(c.wildcardHosts, a)
	}
}

// block records a host that stopped answering.
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

// flow records the rate at which SYNs are sent now.
func (c *counts) flow(rate float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate, c.top = rate, math.Max(c.top, rate)
}

// settle records the limit and the reason for it.
func (c *counts) settle(limit float64, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit, c.why = limit, why
}

// lose records the fraction of probes that were lost.
func (c *counts) lose(share float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loss = share
}

// lossNow returns the fraction of probes that were lost, as far as known.
func (c *counts) lossNow() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loss
}

// reason returns the reason for the limit. The caller holds the lock.
func (c *counts) reason() string {
	switch {
	case c.blockedMidScan.Load():
		return "the targets stopped answering"
	case c.blockedHosts > c.changedHosts && c.loss < tolerable:
		return "some targets stopped answering, and nothing else was lost"
	case c.why != "":
		return c.why
	case c.answered() == 0:
		return "there were too few answers to measure loss"
	case c.loss < 0.001:
		return "nothing was lost"
	}
	if c.pass.Load() < 2 {
		return fmt.Sprintf("%.1f%% were lost", 100*c.loss)
	}
	return fmt.Sprintf("%.1f%% were lost, and probed again", 100*c.loss)
}

// settled returns the rate that a run has settled on: its limit, or what the machine
// achieved if there is none or it is higher. The caller holds the lock.
func (c *counts) settled() float64 {
	if c.limit == 0 {
		return c.top
	}
	return math.Min(c.limit, math.Max(c.top, c.first))
}

// stats returns a snapshot.
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
