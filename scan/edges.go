package scan

import (
	"cmp"
	"net/netip"
	"slices"
)

// lastV6 is the last IPv6 address in front of the multicast ones.
var lastV6 = spotOf(netip.MustParseAddr("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))

// An edge is where one range of a target starts or, if !opens, the first
// address behind its end.
type edge struct {
	at     spot
	target int32 // index in the list of targets
	span   int32 // index in the target's Ranges
	opens  bool
}

// edges returns the edges of all ranges of targets, in order. Multicast IPv6
// is cut off, so that there always is an address behind a range. IPv4 may be left
// out.
func edges(targets []*Target, without4 bool) []edge {
	n := 0
	for _, t := range targets {
		n += 2 * len(t.Ranges)
	}
	out := make([]edge, 0, n)
	for i, t := range targets {
		for j, r := range t.Ranges {
			from, to := spotOf(r.From()), spotOf(r.To())
			if to.v6 && to.compare(lastV6) > 0 {
				to = lastV6
			}
			if from.compare(to) > 0 || without4 && !from.v6 {
				continue
			}
			out = append(out, edge{from, int32(i), int32(j), true}, edge{to.plus(1), int32(i), int32(j), false})
		}
	}
	if !slices.IsSortedFunc(out, compareEdges) {
		slices.SortFunc(out, compareEdges)
	}
	return out
}

// compareEdges orders edges by address, those at the same one as targets and
// their ranges follow each other.
func compareEdges(a, b edge) int {
	if c := cmp.Or(a.at.compare(b.at), cmp.Compare(a.target, b.target), cmp.Compare(a.span, b.span)); c != 0 || a.opens == b.opens {
		return c
	}
	if a.opens {
		return -1
	}
	return 1
}
