package exposure

import (
	"cmp"
	"iter"
	"math/big"
	"net/netip"
	"slices"
	"sort"

	"go4.org/netipx"
)

// A hostCount is the addresses that entries cover together. A name counts for
// nothing: it is one host.
type hostCount struct {
	any bool         // "*" is among them
	v4  []addresses4 // sorted, apart from each other
	v6  *netipx.IPSet
}

// addresses4 are IPv4 addresses from first to last.
type addresses4 struct{ first, last uint32 }

// countStep is how many entries are counted at a time. What is counted already
// is at most as many ranges: else it would be wide.
const countStep = 1 << 16

// firstWide gives the entry with which the entries together cover more hosts than
// an exception does; false if they do not.
func firstWide(list iter.Seq[permit]) (permit, bool) {
	counted := &hostCount{v6: &netipx.IPSet{}}
	var step []permit
	grow := func() (permit, bool) {
		all := counted.with(step)
		if !all.wide() {
			counted, step = all, step[:0]
			return permit{}, false
		}
		return step[sort.Search(len(step)-1, func(i int) bool { return counted.with(step[:i+1]).wide() })], true
	}
	for e := range list {
		if step = append(step, e); len(step) == countStep {
			if e, wide := grow(); wide {
				return e, true
			}
		}
	}
	return grow()
}

// with counts further entries.
func (c *hostCount) with(list []permit) *hostCount {
	all := &hostCount{any: c.any, v4: slices.Clone(c.v4), v6: c.v6}
	var b netipx.IPSetBuilder
	b.AddSet(c.v6)
	more := false
	for _, e := range list {
		all.any = all.any || e.hosts.Any()
		if e.hosts.v4 != 0 {
			all.v4 = append(all.v4, addresses4{e.hosts.v4, e.hosts.v4})
			continue
		}
		for _, r := range e.hosts.ranges() {
			if r.From().Is4() {
				all.v4 = append(all.v4, addresses4{number4(r.From()), number4(r.To())})
			} else {
				b.AddRange(r)
				more = true
			}
		}
	}
	all.merge()
	if more {
		set, err := b.IPSet()
		all.v6, all.any = set, all.any || err != nil // ranges that cannot be counted are not narrow
	}
	return all
}

// merge sorts the IPv4 addresses and adds up those that overlap.
func (c *hostCount) merge() {
	slices.SortFunc(c.v4, func(a, b addresses4) int { return cmp.Compare(a.first, b.first) })
	out := c.v4[:0]
	for _, r := range c.v4 {
		if n := len(out); n > 0 && r.first <= out[n-1].last {
			out[n-1].last = max(out[n-1].last, r.last)
		} else {
			out = append(out, r)
		}
	}
	c.v4 = out
}

// wide reports whether these are more hosts than an exception covers.
func (c *hostCount) wide() bool {
	if c.any {
		return true
	}
	v4, v6 := uint64(0), new(big.Int)
	for _, r := range c.v4 {
		v4 += uint64(r.last-r.first) + 1
	}
	for _, r := range c.v6.Ranges() {
		v6.Add(v6, width(r))
	}
	return v4 > maxPermitIPv4 || v6.Cmp(new(big.Int).Lsh(big.NewInt(1), 128-maxPermitIPv6)) > 0
}

// width gives how many addresses a range has.
func width(r netipx.IPRange) *big.Int {
	number := func(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }
	n := new(big.Int).Sub(number(r.To()), number(r.From()))
	return n.Add(n, big.NewInt(1))
}
