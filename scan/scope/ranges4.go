package scope

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"
	"sort"

	"go4.org/netipx"
)

// A range4 is the IPv4 addresses from first to last, as numbers.
type range4 struct{ first, last uint32 }

// number4 returns an IPv4 address as a number.
func number4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// addr4 returns the IPv4 address of a number.
func addr4(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

// of4 converts a range of IPv4 addresses.
func of4(r netipx.IPRange) range4 { return range4{number4(r.From()), number4(r.To())} }

// ipRange returns the range as one of package netipx.
func (r range4) ipRange() netipx.IPRange { return netipx.IPRangeFrom(addr4(r.first), addr4(r.last)) }

// ranges4 are ranges of IPv4 addresses in a sixth of the memory of a rangeList. Unless
// noted otherwise they are sorted, and neither overlap nor touch.
type ranges4 []range4

// push appends a range, which may overlap the last one but does not begin before it.
func (l ranges4) push(r range4) ranges4 {
	n := len(l)
	if n == 0 || uint64(r.first) > uint64(l[n-1].last)+1 {
		return append(l, r)
	}
	l[n-1].last = max(l[n-1].last, r.last)
	return l
}

// normal sorts the ranges and joins those that overlap or touch, in place.
func (l ranges4) normal() ranges4 {
	compare := func(a, b range4) int {
		switch {
		case a.first < b.first:
			return -1
		case a.first > b.first:
			return 1
		}
		return 0
	}
	if !slices.IsSortedFunc(l, compare) {
		slices.SortFunc(l, compare)
	}
	out := l[:0]
	for _, r := range l {
		out = out.push(r)
	}
	return out
}

// union returns the addresses that are in either list.
func (l ranges4) union(o ranges4) ranges4 {
	if len(o) == 0 {
		return l
	}
	if len(l) == 0 {
		return o
	}
	out := make(ranges4, 0, len(l)+len(o))
	for len(l) > 0 || len(o) > 0 {
		if len(o) == 0 || len(l) > 0 && l[0].first <= o[0].first {
			out, l = out.push(l[0]), l[1:]
		} else {
			out, o = out.push(o[0]), o[1:]
		}
	}
	return out
}

// from returns the index of the first range that does not end before n.
func (l ranges4) from(n uint32) int {
	return sort.Search(len(l), func(i int) bool { return l[i].last >= n })
}

// contains reports whether all of r is in one of the ranges.
func (l ranges4) contains(r range4) bool {
	i := l.from(r.first)
	return i < len(l) && l[i].first <= r.first && r.last <= l[i].last
}

// overlaps reports whether any address of r is in a range.
func (l ranges4) overlaps(r range4) bool {
	i := l.from(r.first)
	return i < len(l) && l[i].first <= r.last
}

// meets reports whether the lists have an address in common.
func (l ranges4) meets(o ranges4) bool {
	if len(o) > len(l) {
		l, o = o, l
	}
	return slices.ContainsFunc(o, l.overlaps)
}

// minus returns the addresses of l that o lacks. It may be l itself.
func (l ranges4) minus(o ranges4) ranges4 {
	if !l.meets(o) {
		return l
	}
	out := make(ranges4, 0, len(l))
	k := 0
	for _, r := range l {
		for k < len(o) && o[k].last < r.first {
			k++
		}
		first, left := r.first, true
		for j := k; left && j < len(o) && o[j].first <= r.last; j++ {
			if first < o[j].first {
				out = append(out, range4{first, o[j].first - 1})
			}
			left = o[j].last < r.last
			first = o[j].last + 1
		}
		if left {
			out = append(out, range4{first, r.last})
		}
	}
	return out
}

// common yields the parts that both lists have, in order.
func (l ranges4) common(o ranges4) iter.Seq[range4] {
	return func(yield func(range4) bool) {
		for i, j := 0, 0; i < len(l) && j < len(o); {
			r := range4{max(l[i].first, o[j].first), min(l[i].last, o[j].last)}
			if r.first <= r.last && !yield(r) {
				return
			}
			if l[i].last < o[j].last {
				i++
			} else {
				j++
			}
		}
	}
}

// intersect returns the addresses that are in both lists.
func (l ranges4) intersect(o ranges4) ranges4 {
	var out ranges4
	for r := range l.common(o) {
		out = append(out, r)
	}
	return out
}

// count returns how many addresses the ranges have.
func (l ranges4) count() uint64 {
	var n uint64
	for _, r := range l {
		n += uint64(r.last) - uint64(r.first) + 1
	}
	return n
}

// countCommon returns how many addresses both lists have.
func (l ranges4) countCommon(o ranges4) uint64 {
	var n uint64
	for r := range l.common(o) {
		n += uint64(r.last) - uint64(r.first) + 1
	}
	return n
}
