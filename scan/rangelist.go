package scan

import (
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
