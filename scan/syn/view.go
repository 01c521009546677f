package syn

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"sort"

	"go4.org/netipx"
)

// An addrRange is a range of addresses with the same ports and the same hop. Ranges
// are numbered like the Space that they belong to.
type addrRange struct {
	start uint64 // number of the first pair; may wrap below 0 in a shard
	first netip.Addr
	last  netip.Addr
	ports []uint16
	hop   *hop
	// allowed is whether the Scope contains all of the range, so that it need not be
	// checked for each address. A Scope does not change.
	allowed bool

	v6      bool
	first4  uint32
	inverse uint64 // 2^64 divided by the number of ports, rounded up
}

// A view is an immutable form of a Space that can be walked fast.
type view struct {
	ranges []addrRange // by number, which is also by address
	count  uint64
}

// newAddrRange fills in the fields that follow from its arguments.
func newAddrRange(start uint64, r netipx.IPRange, ports []uint16, h *hop) addrRange {
	p := addrRange{start: start, first: r.From(), last: r.To(), ports: ports, hop: h, v6: r.From().Is6()}
	if !p.v6 {
		p.first4 = be4(p.first)
	}
	if n := uint64(len(ports)); n > 1 {
		p.inverse = ^uint64(0)/n + 1
	}
	return p
}

// pairs returns how many pairs the range has.
func (p *addrRange) pairs() uint64 { return (p.offset(p.last) + 1) * uint64(len(p.ports)) }

// find returns the range of number i.
func (v *view) find(i uint64) *addrRange {
	lo, hi := 0, len(v.ranges)
	for hi-lo > 1 {
		// The first range may begin before number 0.
		if mid := int(uint(lo+hi) / 2); v.ranges[mid].start <= i {
			lo = mid
		} else {
			hi = mid
		}
	}
	return &v.ranges[lo]
}

// split splits a number of the range into the index of the host and the port.
func (p *addrRange) split(i uint64) (host uint64, port uint16) {
	off, n := i-p.start, uint64(len(p.ports))
	if n == 1 {
		return off, p.ports[0]
	}
	// A multiplication in place of a division. It is exact as long as off*n is below
	// 2^64 (Granlund and Montgomery, PLDI 1994, Theorem 4.2).
	if off < 1<<47 {
		host, _ = bits.Mul64(off, p.inverse)
	} else {
		host = off / n
	}
	return host, p.ports[off-host*n]
}

// addr6 returns the address of a host of an IPv6 range.
func (p *addrRange) addr6(host uint64) [16]byte {
	b := p.first.As16()
	lo, carry := bits.Add64(binary.BigEndian.Uint64(b[8:]), host, 0)
	binary.BigEndian.PutUint64(b[8:], lo)
	binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(b[:8])+carry)
	return b
}

// addr returns the address of a host of the range.
func (p *addrRange) addr(host uint64) netip.Addr {
	if p.v6 {
		return netip.AddrFrom16(p.addr6(host))
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], p.first4+uint32(host))
	return netip.AddrFrom4(b)
}

// at returns the pair of number i.
func (v *view) at(i uint64) netip.AddrPort {
	p := v.find(i)
	host, port := p.split(i)
	return netip.AddrPortFrom(p.addr(host), port)
}

// index returns the number of a pair, and its range; nil if it is not in the Space.
func (v *view) index(a netip.Addr, port uint16) (uint64, *addrRange) {
	k := 0
	if len(v.ranges) > 1 {
		k = sort.Search(len(v.ranges), func(k int) bool { return a.Less(v.ranges[k].first) }) - 1
	}
	if k < 0 || len(v.ranges) == 0 {
		return 0, nil
	}
	p := &v.ranges[k]
	if a.Less(p.first) || p.last.Less(a) {
		return 0, nil
	}
	place := search(p.ports, port)
	if place < 0 {
		return 0, nil
	}
	i := p.start + p.offset(a)*uint64(len(p.ports)) + uint64(place)
	if i >= v.count { // of another shard
		return 0, nil
	}
	return i, p
}

// offset returns the index of an address in the range.
func (p *addrRange) offset(a netip.Addr) uint64 {
	if !p.v6 {
		return uint64(be4(a) - p.first4)
	}
	x, y := a.As16(), p.first.As16()
	return binary.BigEndian.Uint64(x[8:]) - binary.BigEndian.Uint64(y[8:])
}

// search returns the index of port in ports, which are sorted; -1 if it is not in
// them.
func search(ports []uint16, port uint16) int {
	lo, hi := 0, len(ports)
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); ports[mid] < port {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(ports) && ports[lo] == port {
		return lo
	}
	return -1
}

// neighbours yields the hops without a router, each with all the addresses that are
// reached by it.
func (v *view) neighbours() map[*hop][]netip.Addr {
	out := map[*hop][]netip.Addr{}
	for i := range v.ranges {
		p := &v.ranges[i]
		if p.hop.err != nil || !p.hop.onLink {
			continue
		}
		n := uint64(len(p.ports))
		from, to := uint64(0), p.offset(p.last)
		if i == 0 { // a shard may begin within
			from, _ = p.split(0)
		}
		if p.start+p.pairs()-1 >= v.count {
			to = (v.count - 1 - p.start) / n
		}
		for k := from; k <= to; k++ {
			out[p.hop] = append(out[p.hop], p.addr(k))
		}
	}
	return out
}
