package scan

import (
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// zonedOf returns the link-local addresses of targets that have a zone (RFC
// 4007, Section 11). Each is a range of its own.
func zonedOf(targets []Target) rangeList {
	var out rangeList
	for i := range targets {
		for _, r := range targets[i].Ranges {
			if r.From().Zone() != "" {
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, compareFrom)
	return slices.Compact(out)
}

// addZoned adds the link-local addresses with a zone. An exclude without a zone
// is about all zones. No other range holds link-local addresses, so that the
// lists stay sorted.
func (s *Scope) addZoned(b Bounds) {
	excluded := zonedOf(b.Excluded)
	out := func(r netipx.IPRange) bool {
		a := r.From().WithZone("")
		return excluded.contains(r) || s.excluded.contains(netipx.IPRangeFrom(a, a))
	}
	allowed, asked := zonedOf(b.Allowed), zonedOf(s.swept)
	n := len(asked)
	allowed, asked = slices.DeleteFunc(allowed, out), slices.DeleteFunc(asked, out)
	s.spared += uint64(n - len(asked))
	if len(allowed) == 0 {
		return
	}
	asked = slices.DeleteFunc(asked, func(r netipx.IPRange) bool { return !allowed.contains(r) })
	s.allows = append(s.allows, allowed...)
	s.asked = append(s.asked, asked...)
	slices.SortFunc(s.allows, compareFrom)
	slices.SortFunc(s.asked, compareFrom)
}

// Zoned returns the first address that the scope sweeps with a zone, if any.
func (s *Scope) Zoned() (netip.Addr, bool) {
	for _, r := range s.asked {
		if r.From().Zone() != "" {
			return r.From(), true
		}
	}
	return netip.Addr{}, false
}
