package syn

import (
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// cut splits r wherever one of the prefixes begins or ends, so that no part
// of it is half inside any of them.
func cut(r netipx.IPRange, prefixes []netip.Prefix) []netipx.IPRange {
	starts := []netip.Addr{r.From()}
	for _, p := range prefixes {
		whole := netipx.RangeOfPrefix(p)
		for _, a := range []netip.Addr{whole.From(), whole.To().Next()} {
			if a.IsValid() && a.Is4() == r.From().Is4() && r.Contains(a) {
				starts = append(starts, a)
			}
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	starts = slices.Compact(starts)
	out := make([]netipx.IPRange, len(starts))
	for i, a := range starts {
		last := r.To()
		if i+1 < len(starts) {
			last = starts[i+1].Prev()
		}
		out[i] = netipx.IPRangeFrom(a, last)
	}
	return out
}
