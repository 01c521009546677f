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

// A Sight counts what a run saw, in memory that grows with the hosts that
// answered and not with the size of the scope. It is not safe for concurrent
// use. Make one with NewSight.
//
// A pair is judged if it is open or closed, or if it is silent while the same
// host answered elsewhere in this run: then a filter drops it. Silence of a
// whole host says nothing, nor does an ICMP error from a router on the way.
type Sight struct {
	planned, hosts uint64

	up      map[netip.Addr]*hostSight
	pending map[netip.Addr]uint32 // silent pairs of hosts not yet up
	unknown uint64
}

type hostSight struct{ answered, silent uint64 }

// maxPending is for how many hosts silent pairs are kept before the host
// answers. Beyond it they are forgotten and count as not judged, which never
// makes a run look better than it was.
const maxPending = 1 << 18

// NewSight makes a Sight for a run over so many pairs of so many addresses.
func NewSight(pairs, addresses uint64) *Sight {
	return &Sight{planned: pairs, hosts: addresses,
		up: map[netip.Addr]*hostSight{}, pending: map[netip.Addr]uint32{}}
}

// Add counts one result.
func (s *Sight) Add(r scan.Result) {
	addr := r.Target.Addr().Unmap()
	switch r.State {
	case scan.StateOpen, scan.StateClosed:
		s.host(addr).answered++
	case scan.StateFiltered:
		if h := s.up[addr]; h != nil {
			h.silent++
		} else if n, ok := s.pending[addr]; ok || len(s.pending) < maxPending {
			s.pending[addr] = n + 1
		}
	default:
		s.unknown++
	}
}

// host gives the counts of a host that answered.
func (s *Sight) host(addr netip.Addr) *hostSight {
	h := s.up[addr]
	if h == nil {
		h = &hostSight{silent: uint64(s.pending[addr])}
		delete(s.pending, addr)
		s.up[addr] = h
	}
	return h
}

// Up reports whether the address answered on any port.
func (s *Sight) Up(addr netip.Addr) bool { return s.up[addr.Unmap()] != nil }

// Coverage gives the counts so far.
func (s *Sight) Coverage() Coverage {
	c := Coverage{Planned: s.planned, HostsUp: uint64(len(s.up)), Unknown: s.unknown}
	for _, h := range s.up {
		c.Answered += h.answered + h.silent
	}
	c.Answered = min(c.Answered, c.Planned)
	if s.hosts > c.HostsUp {
		c.HostsSilent = s.hosts - c.HostsUp
	}
	return c
}
