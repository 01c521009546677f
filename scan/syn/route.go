package syn

import (
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// cut splits r wherever a part begins that startsOf gives: where one of the prefixes
// begins or ends, so that no part of it is half inside any of them.
func cut(r netipx.IPRange, starts []netip.Addr) []netipx.IPRange {
	var out []netipx.IPRange
	from := r.From()
	for i := behind(starts, from); i < len(starts) && starts[i].Compare(r.To()) <= 0; i++ {
		out = append(out, netipx.IPRangeFrom(from, starts[i].Prev()))
		from = starts[i]
	}
	return append(out, netipx.IPRangeFrom(from, r.To()))
}

// startsOf are the first addresses of prefixes of one family and those behind
// their last, sorted.
func startsOf(prefixes []netip.Prefix) []netip.Addr {
	var starts []netip.Addr
	for _, p := range prefixes {
		whole := netipx.RangeOfPrefix(p)
		for _, a := range []netip.Addr{whole.From(), whole.To().Next()} {
			if a.IsValid() && a.Is4() == p.Addr().Is4() {
				starts = append(starts, a)
			}
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	return slices.Compact(starts)
}

// behind is the place of the first of sorted addresses that comes behind a.
func behind(sorted []netip.Addr, a netip.Addr) int {
	i, found := slices.BinarySearchFunc(sorted, a, netip.Addr.Compare)
	if found {
		i++
	}
	return i
}
