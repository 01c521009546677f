package exposure

import (
	"net/netip"

	"mxsweep/scan"
)

// Coverage says how much of what was planned the run could judge.
type Coverage struct {
	Planned     uint64 // addresses times ports
	Answered    uint64 // of those, the ones that can be judged
	HostsUp     uint64 // addresses that answered on at least one port
	HostsSilent uint64 // addresses that answered on none

	// Unknown counts the pairs that a local failure left unasked.
	Unknown uint64
}

// Ratio is Answered over Planned, from 0 to 1; 0 where nothing was planned.
func (c Coverage) Ratio() float64 {
	if c.Planned == 0 {
		return 0
	}
	return min(1, float64(c.Answered)/float64(c.Planned))
}

// A Sight counts what a run saw, with a bit of memory for each address that it
// met, and a byte for each of the 256 neighbours of one that was silent. It is
// not safe for concurrent use. Make one with NewSight.
//
// A pair is judged if it is open or closed, or if it is silent while the same
// host answered elsewhere in this run: then a filter drops it. Silence of a
// whole host says nothing, nor does an ICMP error from a router on the way.
type Sight struct {
	planned, hosts uint64

	answered, unknown, up uint64

	count int                   // pages
	v4    [1 << 12]*leaf        // by the first 12 bits of the address
	v6    map[netip.Addr]*page  // by the first address of the page
	long  map[netip.Addr]uint64 // what is beyond fullSilent
}

// A leaf holds the pages of a /12 of IPv4.
type leaf [1 << 12]*page

// A page is what was seen of 256 neighbouring addresses.
type page struct {
	up     [4]uint64   // a bit for each that answered
	silent *[256]uint8 // silent pairs of those that did not, up to fullSilent; nil for none
}

// fullSilent is the most that a page counts; what is beyond it is in long.
const fullSilent = 255

// Beyond so many pages (the addresses of a /6), and so many hosts with more
// silent pairs than a page counts, silent pairs are forgotten before their
// host answers. They count as not judged, which never makes a run look better
// than it was.
const (
	maxPages = 1 << 18
	maxLong  = 1 << 16
)

// NewSight makes a Sight for a run over so many pairs of so many addresses.
func NewSight(pairs, addresses uint64) *Sight {
	return &Sight{planned: pairs, hosts: addresses,
		v6: map[netip.Addr]*page{}, long: map[netip.Addr]uint64{}}
}

// Add counts one result.
func (s *Sight) Add(r scan.Result) {
	addr := r.Target.Addr().Unmap()
	switch r.State {
	case scan.StateOpen, scan.StateClosed:
		p, i := s.page(addr, true)
		if !p.isUp(i) {
			p.up[i/64] |= 1 << (i % 64)
			s.up++
			if p.silent != nil {
				s.answered += uint64(p.silent[i]) + s.long[addr]
				delete(s.long, addr)
			}
		}
		s.answered++
	case scan.StateFiltered:
		s.silent(addr)
	default:
		s.unknown++
	}
}

// silent counts a pair that did not answer.
func (s *Sight) silent(addr netip.Addr) {
	p, i := s.page(addr, s.count < maxPages)
	if p == nil {
		return
	}
	if p.isUp(i) {
		s.answered++
		return
	}
	if p.silent == nil {
		p.silent = &[256]uint8{}
	}
	if p.silent[i] < fullSilent {
		p.silent[i]++
	} else if _, ok := s.long[addr]; ok || len(s.long) < maxLong {
		s.long[addr]++
	}
}

func (p *page) isUp(i byte) bool { return p.up[i/64]&(1<<(i%64)) != 0 }

// page gives the page of an address and its place in it; nil if there is none
// and it shall not be made.
func (s *Sight) page(addr netip.Addr, make bool) (*page, byte) {
	bytes := addr.As16()
	i := bytes[15]
	if !addr.Is4() {
		bytes[15] = 0
		first := netip.AddrFrom16(bytes)
		p := s.v6[first]
		if p == nil && make {
			p = &page{}
			s.v6[first] = p
			s.count++
		}
		return p, i
	}
	n := uint32(bytes[12])<<16 | uint32(bytes[13])<<8 | uint32(bytes[14])
	l := s.v4[n>>12]
	if l == nil {
		if !make {
			return nil, i
		}
		l = &leaf{}
		s.v4[n>>12] = l
	}
	p := l[n&0xfff]
	if p == nil && make {
		p = &page{}
		l[n&0xfff] = p
		s.count++
	}
	return p, i
}

// Up reports whether the address answered on any port.
func (s *Sight) Up(addr netip.Addr) bool {
	p, i := s.page(addr.Unmap(), false)
	return p != nil && p.isUp(i)
}

// Coverage gives the counts so far.
func (s *Sight) Coverage() Coverage {
	c := Coverage{Planned: s.planned, Answered: min(s.answered, s.planned), HostsUp: s.up, Unknown: s.unknown}
	if s.hosts > c.HostsUp {
		c.HostsSilent = s.hosts - c.HostsUp
	}
	return c
}
