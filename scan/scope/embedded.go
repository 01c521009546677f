package scope

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"go4.org/netipx"
)

// IPv4 hosts can also be reached by IPv6 addresses that contain theirs. An excluded
// address is excluded in each of these forms.
var (
	// nat64 is the prefix with which a translator reaches IPv4 hosts (RFC 6052, Section
	// 2.1).
	nat64 = ipNumOf(netip.MustParseAddr("64:ff9b::"))

	// translation is for the local use of translators (RFC 8215), which choose the
	// position of the IPv4 address.
	translation = netip.MustParsePrefix("64:ff9b:1::/48")
)

// maxEmbedded is how many ranges of IPv6 addresses are removed from a scope for the
// excluded IPv4 addresses in them.
const maxEmbedded = 300_000

// forms returns those of addresses that contain an excluded IPv4 address, with the
// well-known NAT64 prefix or in 2002::/16. The ranges may be wider than addresses.
func (e *embedded) forms(addrs rangeList) (rangeList, error) {
	var out rangeList
	for _, kind := range []struct {
		prefix netip.Prefix
		at     int // offset of the IPv4 address
		of     func(r range4) netipx.IPRange
	}{
		{netip.PrefixFrom(nat64.addr(), 96), 12, nat64Range},
		{netip.MustParsePrefix("2002::/16"), 2, sixToFourRange},
	} {
		for _, r := range addrs.intersect(rangeList{netipx.RangeOfPrefix(kind.prefix)}) {
			from, to := r.From().As16(), r.To().As16()
			held := range4{binary.BigEndian.Uint32(from[kind.at:]), binary.BigEndian.Uint32(to[kind.at:])}
			for i := e.ipv4.from(held.first); i < len(e.ipv4) && e.ipv4[i].first <= held.last; i++ {
				if len(out) == maxEmbedded {
					return nil, &InputError{Text: r.String(), Problem: fmt.Sprintf("IPv6 addresses that hold more than %d ranges of excluded IPv4 addresses", maxEmbedded),
						Hint: "scan IPv4 only with -4, or allow less of " + kind.prefix.String()}
				}
				out = append(out, kind.of(range4{max(e.ipv4[i].first, held.first), min(e.ipv4[i].last, held.last)}))
			}
		}
	}
	return out.normal(), nil
}

// nat64Range returns the addresses of a range with the well-known NAT64 prefix.
func nat64Range(r range4) netipx.IPRange {
	return netipx.IPRangeFrom(nat64.plus(uint64(r.first)).addr(), nat64.plus(uint64(r.last)).addr())
}

// sixToFourRange returns the addresses of a range in 2002::/16.
func sixToFourRange(r range4) netipx.IPRange {
	return netipx.IPRangeFrom(sixToFour(addr4(r.first), 0), sixToFour(addr4(r.last), 0xff))
}

// embedded checks IPv6 addresses for an excluded IPv4 address in them.
type embedded struct{ ipv4 ranges4 }

// sixToFour returns the first or last address, depending on fill, of the prefix
// 2002:V4ADDR::/48 (RFC 3056, Section 2).
func sixToFour(a netip.Addr, fill byte) netip.Addr {
	b := [16]byte{0x20, 0x02}
	v4 := a.As4()
	copy(b[2:], v4[:])
	for i := 6; i < len(b); i++ {
		b[i] = fill
	}
	return netip.AddrFrom16(b)
}

// excludes reports whether a translator may translate a to an excluded IPv4 address:
// with the prefix of RFC 8215 it is in one of four positions (RFC 6052, Section 2.2),
// and only the operator of the translator knows which.
func (e *embedded) excludes(a netip.Addr) bool {
	if len(e.ipv4) == 0 || !translation.Contains(a) {
		return false
	}
	b := a.As16()
	for _, v4 := range [][4]byte{
		{b[6], b[7], b[9], b[10]},    // prefix of 48 bits; bits 64 to 71 are left out
		{b[7], b[9], b[10], b[11]},   // 56
		{b[9], b[10], b[11], b[12]},  // 64
		{b[12], b[13], b[14], b[15]}, // 96
	} {
		host := binary.BigEndian.Uint32(v4[:])
		if e.ipv4.contains(range4{host, host}) {
			return true
		}
	}
	return false
}

// maxTranslated is how many addresses with the prefix of RFC 8215 a run sweeps if IPv4
// addresses are excluded. Each is checked individually.
const maxTranslated = 1 << 16

// translated returns those of the requested addresses that contain an excluded IPv4
// address after the prefix of RFC 8215.
func (e *embedded) translated(asked rangeList) (rangeList, error) {
	if len(e.ipv4) == 0 {
		return nil, nil
	}
	asked = asked.intersect(rangeList{netipx.RangeOfPrefix(translation)})
	if asked.count() > maxTranslated {
		return nil, &InputError{Text: asked[0].String(), Problem: fmt.Sprintf("more than %d addresses of %v, which may contain excluded IPv4 addresses", maxTranslated, translation),
			Hint: "scan a /112 or less of it, or exclude no IPv4 address"}
	}
	var out rangeList
	for _, r := range asked {
		for a := r.From(); r.Contains(a); a = a.Next() {
			if e.excludes(a) {
				out = append(out, netipx.IPRangeFrom(a, a))
			}
		}
	}
	return out.normal(), nil
}
