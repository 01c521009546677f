package result

import (
	"math"
	"net/netip"
	"strings"

	"go4.org/netipx"
)

// AddressCount is how many addresses a set has, at most what a uint64 holds.
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

// ParseRange reads an address, or a range FROM-TO as [FormatRange] writes it,
// without its zone, and reports whether it is one.
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

// FormatRange writes a range as FROM-TO, or ADDRESS if it is a single one.
func FormatRange(r netipx.IPRange) string {
	if r.From() == r.To() {
		return r.From().String()
	}
	return r.String()
}
