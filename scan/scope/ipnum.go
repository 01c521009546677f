package scope

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"

	"go4.org/netipx"
)

// An ipNum is an address as a number for arithmetic. IPv4 sorts before IPv6.
type ipNum struct {
	v6     bool
	hi, lo uint64
}

// ipNumOf returns the number of an address that is not IPv4-mapped.
func ipNumOf(a netip.Addr) ipNum {
	if a.Is4() {
		b := a.As4()
		return ipNum{lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return ipNum{v6: true, hi: binary.BigEndian.Uint64(b[:8]), lo: binary.BigEndian.Uint64(b[8:])}
}

// addr returns the address of the number.
func (s ipNum) addr() netip.Addr {
	if !s.v6 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(s.lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.hi)
	binary.BigEndian.PutUint64(b[8:], s.lo)
	return netip.AddrFrom16(b)
}

// plus returns the ipNum plus n.
func (s ipNum) plus(n uint64) ipNum {
	lo, carry := bits.Add64(s.lo, n, 0)
	return ipNum{v6: s.v6, hi: s.hi + carry, lo: lo}
}

// minus returns the distance from t, which is of the same family and not greater than
// s, as an ipNum.
func (s ipNum) minus(t ipNum) ipNum {
	lo, borrow := bits.Sub64(s.lo, t.lo, 0)
	return ipNum{v6: s.v6, hi: s.hi - t.hi - borrow, lo: lo}
}

// compare orders numbers: IPv4 first, then by number.
func (s ipNum) compare(t ipNum) int {
	switch {
	case s.v6 != t.v6 && t.v6:
		return -1
	case s.v6 != t.v6:
		return 1
	case s.hi != t.hi:
		return cmp.Compare(s.hi, t.hi)
	}
	return cmp.Compare(s.lo, t.lo)
}

// countRange returns how many addresses a range has, or the largest uint64 if there
// are more.
func countRange(r netipx.IPRange) uint64 {
	d := ipNumOf(r.To()).minus(ipNumOf(r.From()))
	if d.hi != 0 || d.lo == math.MaxUint64 {
		return math.MaxUint64
	}
	return d.lo + 1
}
