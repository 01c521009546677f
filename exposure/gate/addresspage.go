package gate

import (
	"maps"
	"math/bits"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// fullSilent is the maximum number of silent pairs that a page counts for an
// address.
const fullSilent = 255

// maxPages is the maximum number of pages for addresses that are not up: those of
// an IPv4 /6. Results for further addresses are not kept, so they count as
// unknown.
const maxPages = 1 << 18

// An addressSet is a set of 256 neighboring addresses, by their last byte.
type addressSet [4]uint64

func (s *addressSet) has(i byte) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s *addressSet) set(i byte)      { s[i/64] |= 1 << (i % 64) }

// within returns how many addresses of the set are in a range. first is the first
// address of the page.
func (s *addressSet) within(first netip.Addr, r netipx.IPRange) uint64 {
	low, high := byte(0), byte(255)
	if first.Less(r.From()) {
		low = lastByte(r.From())
	}
	if r.To().Less(nth(first, 255)) {
		high = lastByte(r.To())
	}
	n := 0
	for w := range s {
		word := s[w]
		if from := int(low) - 64*w; from > 0 {
			word &^= 1<<min(from, 64) - 1
		}
		if to := int(high) - 64*w + 1; to < 64 {
			word &= 1<<max(to, 0) - 1
		}
		n += bits.OnesCount64(word)
	}
	return uint64(n)
}

// lastByte returns the last byte of an address.
func lastByte(a netip.Addr) byte { return a.AsSlice()[a.BitLen()/8-1] }

// nth returns the address of a page with the given last byte.
func nth(first netip.Addr, i byte) netip.Addr {
	b := first.AsSlice()
	b[len(b)-1] = i
	a, _ := netip.AddrFromSlice(b) // of 4 or 16 bytes
	return a.WithZone(first.Zone())
}

// An addressPage holds what is known about 256 consecutive addresses.
type addressPage struct {
	up       addressSet // addresses that sent a packet of their own
	doubtful addressSet // addresses that are not vacant, even if silent
	vacant   addressSet
	silent   *[256]uint8 // number of silent pairs of those that are not up, at most fullSilent; nil for none
}

// isSilent reports whether all probed pairs of an address were silent.
func (p *addressPage) isSilent(i byte) bool {
	return p.silent != nil && p.silent[i] > 0 && !p.up.has(i) && !p.doubtful.has(i)
}

// isDoubtful reports whether an address that is not up was silent on a pair, but
// may not be considered vacant.
func (p *addressPage) isDoubtful(i byte) bool {
	return p.silent != nil && p.silent[i] > 0 && !p.up.has(i) && p.doubtful.has(i)
}

// addressPages holds the pages, by address.
type addressPages struct {
	count  int
	v4     [1 << 12]*pageTable         // by the first 12 bits of the address
	v6     map[netip.Addr]*addressPage // by the first address of the page
	sorted []netip.Addr                // the keys of v6, if up to date (same length)
}

// A pageTable holds the pages of an IPv4 /12, by the next 12 bits.
type pageTable [1 << 12]*addressPage

func newAddressPages() addressPages { return addressPages{v6: map[netip.Addr]*addressPage{}} }

// find returns the page of an address and the index of the address in it. If
// there is no page, it is created if create is set; otherwise, and beyond
// maxPages, the page is nil.
func (a *addressPages) find(addr netip.Addr, create bool) (*addressPage, byte) {
	i := lastByte(addr)
	if !addr.Is4() {
		first := nth(addr, 0)
		p := a.v6[first]
		if p == nil && create {
			p = &addressPage{}
			a.v6[first] = p
			a.count++
		}
		return p, i
	}
	b := addr.As4()
	n := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	t := a.v4[n>>12]
	if t == nil {
		if !create {
			return nil, i
		}
		t = &pageTable{}
		a.v4[n>>12] = t
	}
	p := t[n&0xfff]
	if p == nil && create {
		p = &addressPage{}
		t[n&0xfff] = p
		a.count++
	}
	return p, i
}

// each calls visit for the pages with addresses of a range, in order, until it
// returns false. first is the first address of the page. A range has no addresses
// with a zone; each of those is a single target.
func (a *addressPages) each(r netipx.IPRange, visit func(first netip.Addr, p *addressPage) bool) {
	if r.From().Is4() {
		a.each4(r, visit)
		return
	}
	if len(a.sorted) != len(a.v6) {
		a.sorted = slices.SortedFunc(maps.Keys(a.v6), netip.Addr.Compare)
	}
	from, _ := slices.BinarySearchFunc(a.sorted, nth(r.From(), 0), netip.Addr.Compare)
	for _, first := range a.sorted[from:] {
		if r.To().Less(first) || first.Zone() == "" && !visit(first, a.v6[first]) {
			return
		}
	}
}

// each4 is each for an IPv4 range.
func (a *addressPages) each4(r netipx.IPRange, visit func(first netip.Addr, p *addressPage) bool) {
	number := func(a netip.Addr) int {
		b := a.As4()
		return int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	}
	last := number(r.To())
	for n := number(r.From()); n <= last; {
		t := a.v4[n>>12]
		if t == nil {
			n = (n>>12 + 1) << 12
			continue
		}
		if p := t[n&0xfff]; p != nil {
			first := netip.AddrFrom4([4]byte{byte(n >> 16), byte(n >> 8), byte(n), 0})
			if !visit(first, p) {
				return
			}
		}
		n++
	}
}
