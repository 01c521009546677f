package scope

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// Split returns the pairs of s whose addresses are in set, and the others. Both are
// numbered again, by address and port.
func (s *Space) Split(set *netipx.IPSet) (in, out *Space, err error) {
	if !s.meets(set) && s.from == 0 && s.to == s.total() {
		return &Space{}, s, nil // which may be long
	}
	in, out = &Space{}, &Space{}
	if len(s.ranges.packed.addrs) > 0 {
		in.ranges.packed.known, out.ranges.packed.known = map[*uint16]uint32{}, map[*uint16]uint32{}
	}
	for sp := range s.exact() {
		r := netipx.IPRangeFrom(sp.addr(0), sp.addr(sp.hosts-1))
		switch {
		case sp.zone != "": // a set has no zones
			out.push(r, sp.ports)
			out.ranges.few[len(out.ranges.few)-1].zone = sp.zone
			continue
		case !set.OverlapsRange(r):
			out.push(r, sp.ports)
			continue
		case set.ContainsRange(r):
			in.push(r, sp.ports)
			continue
		}
		var inside, outside netipx.IPSetBuilder
		inside.AddRange(r)
		inside.Intersect(set)
		outside.AddRange(r)
		outside.RemoveSet(set)
		if err := errors.Join(in.pushAll(&inside, sp.ports), out.pushAll(&outside, sp.ports)); err != nil {
			return nil, nil, fmt.Errorf("splitting the sweep: %w", err)
		}
	}
	return in, out, nil
}

// pushAll appends all ranges of b.
func (s *Space) pushAll(b *netipx.IPSetBuilder, ports []uint16) error {
	set, err := b.IPSet()
	if err != nil {
		return err
	}
	for _, r := range set.Ranges() {
		s.push(r, ports)
	}
	return nil
}

// meets reports whether an address of s may be in set.
func (s *Space) meets(set *netipx.IPSet) bool {
	for _, r := range set.Ranges() {
		for range s.overlaps(r) {
			return true
		}
	}
	return false
}

// total returns how many pairs the whole has of which s may be a shard.
func (s *Space) total() uint64 {
	if n := len(s.ranges.few); n > 0 {
		last := &s.ranges.few[n-1]
		return last.start + last.hosts*uint64(len(last.ports))
	}
	return s.ranges.packed.total
}

// push appends a range of addresses.
func (s *Space) push(r netipx.IPRange, ports []uint16) {
	if p := &s.ranges.packed; p.known != nil && r.From().Is4() {
		s.to += p.push(of4(r), ports)
		return
	}
	sp := addrRange{first: ipNumOf(r.From()), hosts: countRange(r), ports: ports, start: s.to}
	s.ranges.few = append(s.ranges.few, sp)
	s.to += sp.hosts * uint64(len(ports))
}

// exact yields the ranges of s without the parts outside of it: a host in which s
// begins or ends is its own range, with the ports that s has of it.
func (s *Space) exact() iter.Seq[addrRange] {
	return func(yield func(addrRange) bool) {
		for _, sp := range s.ranges.all() {
			n := uint64(len(sp.ports))
			from, to := max(s.from, sp.start), min(s.to, sp.start+sp.hosts*n)
			for from < to {
				host, port := (from-sp.start)/n, (from-sp.start)%n
				part := addrRange{first: sp.first.plus(host), zone: sp.zone, hosts: 1, ports: sp.ports[port:min(n, port+to-from)]}
				if port == 0 && to-from >= n {
					part.hosts, part.ports = (to-from)/n, sp.ports
				}
				if !yield(part) {
					return
				}
				from += part.hosts * uint64(len(part.ports))
			}
		}
	}
}

// overlaps yields the parts of s within r: ranges of addresses, each with the ports
// that s has of it.
func (s *Space) overlaps(r netipx.IPRange) iter.Seq[addrRange] {
	return func(yield func(addrRange) bool) {
		from, to := ipNumOf(r.From().Unmap()), ipNumOf(r.To().Unmap())
		// The first range that begins after from, and the one before it.
		k := max(0, s.ranges.behind(from)-1)
		for k > 0 && k < s.ranges.len() && s.ranges.firstOf(k-1) == s.ranges.firstOf(k) {
			k-- // the same link-local address on another link
		}
		for ; k < s.ranges.len() && s.ranges.firstOf(k).compare(to) <= 0; k++ {
			whole := Space{ranges: rangeIndex{few: []addrRange{s.ranges.at(k)}}, from: s.from, to: s.to}
			for sp := range whole.exact() {
				if part, ok := sp.within(from, to); ok && !yield(part) {
					return
				}
			}
		}
	}
}

// within returns the part of a range between two addresses, if there is one.
func (sp addrRange) within(from, to ipNum) (addrRange, bool) {
	last := sp.first.plus(sp.hosts - 1)
	if sp.first.compare(from) < 0 {
		sp.first = from
	}
	if to.compare(last) < 0 {
		last = to
	}
	if sp.first.v6 != last.v6 || sp.first.compare(last) > 0 {
		return addrRange{}, false
	}
	sp.hosts = last.minus(sp.first).lo + 1
	return sp, true
}

// HostsIn returns how many addresses of r have at least one pair in s.
func (s *Space) HostsIn(r netipx.IPRange) uint64 {
	if p := &s.ranges.packed; r.From() == r.To() && r.From().Is4() && len(p.addrs) > 0 && s.from == 0 && s.to == s.total() {
		if ranges4(p.addrs).contains(of4(r)) {
			return 1
		}
		return 0
	}
	var n uint64
	for sp := range s.overlaps(r) {
		n += sp.hosts
	}
	return n
}

// Sample returns the pairs of s whose addresses are in ranges, which are sorted and
// disjoint, with at most this many ports per address: the first, the last and others
// between them. Zero means all of its ports.
func (s *Space) Sample(ranges []netipx.IPRange, ports int) *Space {
	out := &Space{}
	for _, r := range ranges {
		for sp := range s.overlaps(r) {
			chosen := spread(sp.ports, ports)
			sp = addrRange{first: sp.first, zone: sp.zone, hosts: sp.hosts, ports: chosen, start: out.to}
			out.ranges.few = append(out.ranges.few, sp)
			out.to += sp.hosts * uint64(len(chosen))
		}
	}
	return out
}

// Of returns the pairs of s with the given addresses, which are sorted and have their
// zones.
func (s *Space) Of(addrs []netip.Addr) *Space {
	out := &Space{}
	for _, addr := range addrs {
		for sp := range s.overlaps(netipx.IPRangeFrom(addr, addr)) {
			if sp.zone == addr.Zone() {
				out.ranges.few = append(out.ranges.few, addrRange{first: sp.first, zone: sp.zone, hosts: sp.hosts, ports: sp.ports, start: out.to})
				out.to += sp.hosts * uint64(len(sp.ports))
			}
		}
	}
	return out
}

// spread chooses n of ports, evenly, or all if n is 0 or there are no more.
func spread(ports []uint16, n int) []uint16 {
	if n <= 0 || len(ports) <= n {
		return ports
	}
	if n == 1 {
		return ports[:1]
	}
	out := make([]uint16, n)
	for i := range out {
		out[i] = ports[i*(len(ports)-1)/(n-1)]
	}
	return out
}

// PairSpace returns the Space of the given pairs, without duplicates. Addresses must
// not be IPv4-mapped.
func PairSpace(pairs []netip.AddrPort) *Space {
	pairs = slices.Clone(pairs)
	slices.SortFunc(pairs, netip.AddrPort.Compare)
	pairs = slices.Compact(pairs)
	s := &Space{}
	for len(pairs) > 0 {
		n := 1
		for n < len(pairs) && pairs[n].Addr() == pairs[0].Addr() {
			n++
		}
		ports := make([]uint16, n)
		for i := range ports {
			ports[i] = pairs[i].Port()
		}
		s.push(netipx.IPRangeFrom(pairs[0].Addr(), pairs[0].Addr()), ports)
		s.ranges.few[len(s.ranges.few)-1].zone = pairs[0].Addr().Zone()
		pairs = pairs[n:]
	}
	return s
}
