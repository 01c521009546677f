package gate

import (
	"iter"
	"net/netip"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// PairCounts says how many of the planned pairs have a conclusive result. A pair
// of address and port is conclusive if it is open and assessed by a dialogue,
// closed, or filtered while a control of its host answered afterwards. All others
// are unknown.
//
// Pairs of vacant addresses are not counted: addresses that are only part of a
// range and were silent twice while a control answered.
//
// A [CoverageCounter] computes them. [result.Coverage] is their form in reports.
type PairCounts struct {
	Planned uint64 // pairs of all addresses except vacant ones

	Open     uint64 // pairs that are open and assessed
	Closed   uint64
	Filtered uint64 // silent pairs of hosts that are up

	HostsUp     uint64 // addresses that sent a packet of their own
	HostsSilent uint64 // addresses that sent none and are not known to be vacant
	HostsVacant uint64
	VacantPairs uint64 // pairs of vacant addresses; not part of Planned

	// Accepted is the number of pairs that are not in Planned because the policy
	// accepts that their host cannot be assessed.
	Accepted uint64

	// PlanUnknown is set for a merged run if it is not recorded what one of its
	// runs planned, because its file is truncated: Planned is a minimum.
	PlanUnknown bool
}

// Conclusive returns the number of pairs with a conclusive result.
func (c PairCounts) Conclusive() uint64 { return min(c.Open+c.Closed+c.Filtered, c.Planned) }

// Unknown returns the number of pairs without a conclusive result.
func (c PairCounts) Unknown() uint64 { return c.Planned - c.Conclusive() }

// Ratio returns the fraction of the planned pairs that is conclusive, from 0 to
// 1. It is 1 if all pairs are vacant or accepted, and 0 if nothing was planned.
func (c PairCounts) Ratio() float64 {
	if c.Planned == 0 {
		if c.VacantPairs+c.Accepted > 0 {
			return 1
		}
		return 0
	}
	return float64(c.Conclusive()) / float64(c.Planned)
}

// A CoverageCounter counts the results of a run. It uses three bits of memory for
// each address, and a byte for each address in a block of 256 if one of them was
// silent. It is not safe for concurrent use. Create one with NewCoverageCounter.
type CoverageCounter struct {
	pairs, hosts uint64

	open, closed, filtered, up uint64

	vacantHosts, vacantPairs, accepted uint64

	pages addressPages
	long  map[netip.Addr]uint64 // number of silent pairs, where it is more than fullSilent
}

// maxLong is the maximum number of hosts in long. Silent pairs of further hosts
// are not kept and count as unknown, which never makes a run look better than it
// was.
const maxLong = 1 << 16

// NewCoverageCounter returns a counter for a run over the given numbers of pairs
// and addresses.
func NewCoverageCounter(pairs, addresses uint64) *CoverageCounter {
	return &CoverageCounter{pairs: pairs, hosts: addresses, pages: newAddressPages(), long: map[netip.Addr]uint64{}}
}

// Add counts the result of a pair. A pair without a result is unknown.
func (c *CoverageCounter) Add(r scan.Result) {
	addr := r.Target.Addr().Unmap()
	if r.FromTarget() {
		c.SetUp(addr)
	}
	if r.WasClosed && c.closed > 0 {
		c.closed--
	}
	switch r.State {
	case result.StateOpen:
		c.open++
	case result.StateClosed:
		c.closed++
	case result.StateFiltered:
		c.silent(addr)
	default:
		c.Doubt(addr)
	}
}

// Doubt records that silence of an address does not show that it is vacant: some
// of its pairs were not probed, or it was not silent on one of two occasions.
func (c *CoverageCounter) Doubt(addr netip.Addr) {
	if p, i := c.pages.find(addr.Unmap(), c.pages.count < maxPages); p != nil {
		p.doubtful.set(i)
	}
}

// Unassessed records that an open pair is not conclusive, because no dialogue
// assessed it.
func (c *CoverageCounter) Unassessed() {
	if c.open > 0 {
		c.open--
	}
}

// Accept excludes unknown pairs from the ratio, because the policy accepts that
// their host cannot be assessed.
func (c *CoverageCounter) Accept(pairs uint64) { c.accepted += pairs }

// SetUp records that an address sent a packet of its own, which proves that its
// silent pairs are filtered. It has no effect if the address is already up.
func (c *CoverageCounter) SetUp(addr netip.Addr) {
	addr = addr.Unmap()
	p, i := c.pages.find(addr, true)
	if p.up.has(i) {
		return
	}
	p.up.set(i)
	c.up++
	c.filtered += c.silentPairs(p, i, addr)
	delete(c.long, addr)
}

// silent counts a silent pair.
func (c *CoverageCounter) silent(addr netip.Addr) {
	p, i := c.pages.find(addr, c.pages.count < maxPages)
	if p == nil {
		return
	}
	if p.up.has(i) {
		c.filtered++
		return
	}
	if p.silent == nil {
		p.silent = &[256]uint8{}
	}
	if p.silent[i] < fullSilent {
		p.silent[i]++
	} else if _, ok := c.long[addr]; ok || len(c.long) < maxLong {
		c.long[addr]++
	}
}

// silentPairs returns how many silent pairs of an address were counted while it
// was not up.
func (c *CoverageCounter) silentPairs(p *addressPage, i byte, addr netip.Addr) uint64 {
	if p.silent == nil {
		return 0
	}
	return uint64(p.silent[i]) + c.long[addr]
}

// Forget removes the silent pairs of an address that is not up, so that they can
// be probed and added again.
func (c *CoverageCounter) Forget(addr netip.Addr) {
	addr = addr.Unmap()
	if p, i := c.pages.find(addr, false); p != nil && p.silent != nil && !p.up.has(i) {
		p.silent[i] = 0
		delete(c.long, addr)
	}
}

// Retract removes a silent pair of an address that is up, so that it can be
// probed and added again.
func (c *CoverageCounter) Retract(addr netip.Addr) {
	if c.Up(addr) && c.filtered > 0 {
		c.filtered--
	}
}

// Up reports whether an address sent a packet of its own.
func (c *CoverageCounter) Up(addr netip.Addr) bool {
	p, i := c.pages.find(addr.Unmap(), false)
	return p != nil && p.up.has(i)
}

// upIn returns how many addresses of a range are up.
func (c *CoverageCounter) upIn(r netipx.IPRange) uint64 {
	var n uint64
	c.pages.each(r, func(first netip.Addr, p *addressPage) bool {
		n += p.up.within(first, r)
		return true
	})
	return n
}

// Silent yields the addresses of which each probed pair is silent, except for
// doubtful ones, as ranges of consecutive addresses in ascending order. No
// results may be added during the iteration.
func (c *CoverageCounter) Silent() iter.Seq[netipx.IPRange] {
	return c.runs((*addressPage).isSilent)
}

// UpRanges yields the addresses that are up, like Silent.
func (c *CoverageCounter) UpRanges() iter.Seq[netipx.IPRange] {
	return c.runs(func(p *addressPage, i byte) bool { return p.up.has(i) })
}

// Doubtful yields, like Silent, the addresses that are not up and have silent
// pairs, but may not be vacant.
func (c *CoverageCounter) Doubtful() iter.Seq[netipx.IPRange] {
	return c.runs((*addressPage).isDoubtful)
}

// runs yields the ranges of consecutive addresses for which is holds, in
// ascending order.
func (c *CoverageCounter) runs(is func(p *addressPage, i byte) bool) iter.Seq[netipx.IPRange] {
	return func(yield func(netipx.IPRange) bool) {
		visit := pageRuns(is, yield)
		c.pages.each(everything4, visit)
		c.pages.each(everything6, visit)
	}
}

var (
	everything4 = netipx.RangeOfPrefix(netip.MustParsePrefix("0.0.0.0/0"))
	everything6 = netipx.RangeOfPrefix(netip.MustParsePrefix("::/0"))
)

// pageRuns yields the ranges of a page; it returns false once yield has.
func pageRuns(is func(p *addressPage, i byte) bool, yield func(netipx.IPRange) bool) func(netip.Addr, *addressPage) bool {
	more := true
	return func(first netip.Addr, p *addressPage) bool {
		for i := 0; more && i < 256; i++ {
			if !is(p, byte(i)) {
				continue
			}
			from := i
			for i < 255 && is(p, byte(i+1)) {
				i++
			}
			more = yield(netipx.IPRangeFrom(nth(first, byte(from)), nth(first, byte(i))))
		}
		return more
	}
}

// SetVacant excludes an address from the ratio. It has no effect if the address
// is up or doubtful.
func (c *CoverageCounter) SetVacant(addr netip.Addr) {
	addr = addr.Unmap()
	p, i := c.pages.find(addr, false)
	if p == nil || !p.isSilent(i) || p.vacant.has(i) {
		return
	}
	p.vacant.set(i)
	c.vacantHosts++
	c.vacantPairs += c.silentPairs(p, i, addr)
}

// Coverage returns the counts so far.
func (c *CoverageCounter) Coverage() PairCounts {
	out := PairCounts{Open: c.open, Closed: c.closed, Filtered: c.filtered,
		HostsUp: c.up, HostsVacant: c.vacantHosts, VacantPairs: min(c.vacantPairs, c.pairs)}
	out.Accepted = min(c.accepted, c.pairs-out.VacantPairs)
	out.Planned = c.pairs - out.VacantPairs - out.Accepted
	if known := c.up + c.vacantHosts; c.hosts > known {
		out.HostsSilent = c.hosts - known
	}
	return out
}
