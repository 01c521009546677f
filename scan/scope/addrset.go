package scope

import (
	"iter"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// An addrSet is a set of addresses without zones, as sorted ranges that neither
// overlap nor touch.
type addrSet struct {
	v4 ranges4
	v6 rangeList
}

// setOf returns the addresses of targets without a zone. Package netipx would copy the
// set several times.
func setOf(targets []Target) addrSet {
	var set addrSet
	var long ranges4
	for i := range targets {
		t := &targets[i]
		if t.Bulk != nil {
			long = long.union(t.Bulk.ranges())
		}
		if t.Zone != "" {
			continue
		}
		for _, r := range t.Ranges {
			if r.From().Is4() {
				set.v4 = append(set.v4, of4(r))
			} else {
				set.v6 = append(set.v6, r)
			}
		}
	}
	set.v4, set.v6 = long.union(set.v4.normal()), set.v6.normal()
	return set
}

// asSet converts a set of package netipx, or sorted ranges that do not touch.
func asSet(ranges []netipx.IPRange) addrSet {
	var set addrSet
	for _, r := range ranges {
		if r.From().Is4() {
			set.v4 = append(set.v4, of4(r))
		} else {
			set.v6 = append(set.v6, r)
		}
	}
	return set
}

// contains reports whether all of r is in one of the ranges.
func (s *addrSet) contains(r netipx.IPRange) bool {
	if r.From().Is4() {
		return s.v4.contains(of4(r))
	}
	return s.v6.contains(r)
}

// holds reports whether a is in the set.
func (s *addrSet) holds(a netip.Addr) bool {
	if a.Is4() {
		n := number4(a)
		return s.v4.contains(range4{n, n})
	}
	return s.v6.contains(netipx.IPRangeFrom(a, a))
}

// overlaps reports whether any address of r is in the set.
func (s *addrSet) overlaps(r netipx.IPRange) bool {
	if r.From().Is4() {
		return s.v4.overlaps(of4(r))
	}
	return s.v6.overlaps(r)
}

// minus returns the addresses of s that o lacks.
func (s addrSet) minus(o addrSet) addrSet { return addrSet{s.v4.minus(o.v4), s.v6.minus(o.v6)} }

// intersect returns the addresses that are in both sets.
func (s addrSet) intersect(o addrSet) addrSet {
	return addrSet{s.v4.intersect(o.v4), s.v6.intersect(o.v6)}
}

// count returns how many addresses there are, or the largest uint64 if there
// are more.
func (s *addrSet) count() uint64 {
	n := s.v6.count()
	return max(n, n+s.v4.count())
}

// len is how many ranges there are.
func (s *addrSet) len() int { return len(s.v4) + len(s.v6) }

// all yields the ranges in order.
func (s *addrSet) all() iter.Seq[netipx.IPRange] {
	return func(yield func(netipx.IPRange) bool) {
		for _, r := range s.v4 {
			if !yield(r.ipRange()) {
				return
			}
		}
		for _, r := range s.v6 {
			if !yield(r) {
				return
			}
		}
	}
}

// within yields the addresses of s that are in r, in order.
func (s *addrSet) within(r netipx.IPRange) iter.Seq[netipx.IPRange] {
	return func(yield func(netipx.IPRange) bool) {
		if r.From().Is4() {
			want := of4(r)
			for i := s.v4.from(want.first); i < len(s.v4) && s.v4[i].first <= want.last; i++ {
				if !yield(range4{max(want.first, s.v4[i].first), min(want.last, s.v4[i].last)}.ipRange()) {
					return
				}
			}
			return
		}
		for i := s.v6.first(r); i < len(s.v6) && s.v6[i].From().Compare(r.To()) <= 0; i++ {
			from, to := s.v6[i].From(), s.v6[i].To()
			if from.Less(r.From()) {
				from = r.From()
			}
			if r.To().Less(to) {
				to = r.To()
			}
			if !yield(netipx.IPRangeFrom(from, to)) {
				return
			}
		}
	}
}

// A rangeList is a list of sorted ranges that neither overlap nor touch. A
// netipx.IPSet searches linearly.
type rangeList []netipx.IPRange

// contains reports whether all of r is in one of the ranges.
func (l rangeList) contains(r netipx.IPRange) bool {
	i := l.first(r)
	return i < len(l) && l[i].From().Compare(r.From()) <= 0 && r.To().Compare(l[i].To()) <= 0
}

// overlaps reports whether any address of r is in a range.
func (l rangeList) overlaps(r netipx.IPRange) bool {
	i := l.first(r)
	return i < len(l) && l[i].From().Compare(r.To()) <= 0
}

// first returns the index of the first range that does not end before r.
func (l rangeList) first(r netipx.IPRange) int {
	i, _ := slices.BinarySearchFunc(l, r, func(x, r netipx.IPRange) int { return x.To().Compare(r.From()) })
	return i
}

// normal sorts the ranges and joins those that overlap or touch, in place.
func (l rangeList) normal() rangeList {
	if !slices.IsSortedFunc(l, compareFrom) {
		slices.SortFunc(l, compareFrom)
	}
	out := l[:0]
	for _, r := range l {
		n := len(out)
		if n == 0 || !touches(out[n-1].To(), r.From()) {
			out = append(out, r)
		} else if out[n-1].To().Less(r.To()) {
			out[n-1] = netipx.IPRangeFrom(out[n-1].From(), r.To())
		}
	}
	return out
}

// compareFrom orders ranges by their first address.
func compareFrom(a, b netipx.IPRange) int { return a.From().Compare(b.From()) }

// touches reports whether next is not after the address that follows last.
func touches(last, next netip.Addr) bool {
	return last.BitLen() == next.BitLen() && (next.Compare(last) <= 0 || last.Next() == next)
}

// minus returns the addresses of l that o lacks. It may be l itself.
func (l rangeList) minus(o rangeList) rangeList {
	if len(o) == 0 {
		return l
	}
	out := make(rangeList, 0, len(l))
	k := 0
	for _, r := range l {
		for k < len(o) && o[k].To().Less(r.From()) {
			k++
		}
		from, left := r.From(), true
		for j := k; left && j < len(o) && o[j].From().Compare(r.To()) <= 0; j++ {
			if from.Less(o[j].From()) {
				out = append(out, netipx.IPRangeFrom(from, o[j].From().Prev()))
			}
			left = o[j].To().Less(r.To())
			from = o[j].To().Next()
		}
		if left {
			out = append(out, netipx.IPRangeFrom(from, r.To()))
		}
	}
	return out
}

// intersect returns the addresses that are in both lists.
func (l rangeList) intersect(o rangeList) rangeList {
	out := make(rangeList, 0, min(len(l), len(o)))
	for i, j := 0, 0; i < len(l) && j < len(o); {
		from, to := l[i].From(), l[i].To()
		if from.Less(o[j].From()) {
			from = o[j].From()
		}
		if o[j].To().Less(to) {
			to = o[j].To()
		}
		if from.Compare(to) <= 0 {
			out = append(out, netipx.IPRangeFrom(from, to))
		}
		if l[i].To().Less(o[j].To()) {
			i++
		} else {
			j++
		}
	}
	return out
}

// count returns how many addresses the ranges hold, or the largest uint64 if
// there are more.
func (l rangeList) count() uint64 {
	var total uint64
	for _, r := range l {
		n := countRange(r)
		if total+n < total {
			return ^uint64(0)
		}
		total += n
	}
	return total
}
