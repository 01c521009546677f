package scan

import (
	"errors"
	"fmt"
	"iter"

	"go4.org/netipx"
)

// Split returns the pairs of s whose addresses are in set, and the others.
// Both are numbered anew, by address and port.
func (s *Space) Split(set *netipx.IPSet) (in, out *Space, err error) {
	if !s.meets(set) && s.from == 0 && s.to == s.total() {
		return &Space{}, s, nil // which may be long
	}
	in, out = &Space{}, &Space{}
	if len(s.spans.packed.addrs) > 0 {
		in.spans.packed.known, out.spans.packed.known = map[*uint16]uint32{}, map[*uint16]uint32{}
	}
	for sp := range s.exact() {
		r := netipx.IPRangeFrom(sp.addr(0), sp.addr(sp.hosts-1))
		switch {
		case sp.zone != "": // a set holds no zones
			out.push(r, sp.ports)
			out.spans.few[len(out.spans.few)-1].zone = sp.zone
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

// pushAll adds all runs of b behind those that s has.
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

// total is how many pairs the whole has of which s may be a shard.
func (s *Space) total() uint64 {
	if n := len(s.spans.few); n > 0 {
		last := &s.spans.few[n-1]
		return last.start + last.hosts*uint64(len(last.ports))
	}
	return s.spans.packed.total
}

// push adds a run of addresses behind those that s has.
func (s *Space) push(r netipx.IPRange, ports []uint16) {
	if p := &s.spans.packed; p.known != nil && r.From().Is4() {
		s.to += p.push(of4(r), ports)
		return
	}
	sp := span{first: spotOf(r.From()), hosts: countRange(r), ports: ports, start: s.to}
	s.spans.few = append(s.spans.few, sp)
	s.to += sp.hosts * uint64(len(ports))
}

// exact yields the runs of s without what lies beyond it: a host within which
// s begins or ends is a run of its own, with the ports that s has of it.
func (s *Space) exact() iter.Seq[span] {
	return func(yield func(span) bool) {
		for _, sp := range s.spans.all() {
			n := uint64(len(sp.ports))
			from, to := max(s.from, sp.start), min(s.to, sp.start+sp.hosts*n)
			for from < to {
				host, port := (from-sp.start)/n, (from-sp.start)%n
				part := span{first: sp.first.plus(host), zone: sp.zone, hosts: 1, ports: sp.ports[port:min(n, port+to-from)]}
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
