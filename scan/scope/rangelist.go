package scope

import (
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// A rangeList holds the ranges of a set, sorted and apart from each other. A
// netipx.IPSet looks through all of them for one.
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

// first returns the place of the first range that does not end in front of r.
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

// touches reports whether next is not behind the address that follows last.
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
