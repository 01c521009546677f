package result

import (
	"math"
	"net/netip"
	"strings"

	"go4.org/netipx"
)

// AddressCount returns the number of addresses in a set, at most math.MaxUint64.
func AddressCount(set *netipx.IPSet) uint64 {
	var n uint64
	for _, p := range set.Prefixes() {
		bits := p.Addr().BitLen() - p.Bits()
		if bits >= 63 || n > math.MaxUint64/2 {
			return math.MaxUint64
		}
		n += 1 << bits
	}
	return n
}

// ParseRange parses an address, or a range FROM-TO as written by [FormatRange],
// without a zone. It reports whether text is one.
func ParseRange(text string) (netipx.IPRange, bool) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	a, err := netip.ParseAddr(from)
	b, errTo := netip.ParseAddr(to)
	r := netipx.IPRangeFrom(a.WithZone(""), b.WithZone(""))
	return r, err == nil && errTo == nil && r.IsValid()
}

// FormatRange returns a range as FROM-TO, or ADDRESS if it has only one address.
func FormatRange(r netipx.IPRange) string {
	if r.From() == r.To() {
		return r.From().String()
	}
	return r.String()
}
