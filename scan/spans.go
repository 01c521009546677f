package scan

import (
	"iter"

	"go4.org/netipx"
)

// Spans yields the runs of neighbouring addresses that are asked for the same
// ports, by address, each with those ports, sorted. The pairs of a run are
// numbered one address after the other, and the runs one after the other. The
// first and the last run of a shard may reach beyond it. Runs do not tell zones.
// The ports must not be changed.
func (s *Space) Spans() iter.Seq2[netipx.IPRange, []uint16] {
	return func(yield func(netipx.IPRange, []uint16) bool) {
		for _, sp := range s.spans.all() {
			pairs := sp.hosts * uint64(len(sp.ports))
			if s.from == s.to || sp.start >= s.to || sp.start+pairs <= s.from {
				continue
			}
			r := netipx.IPRangeFrom(sp.addr(0), sp.addr(sp.hosts-1))
			if !yield(r, sp.ports) {
				return
			}
		}
	}
}

// AllowsRange reports whether every address of r may be contacted.
func (s *Scope) AllowsRange(r netipx.IPRange) bool {
	return s != nil && s.allows.contains(r) && (len(s.embedded.ipv4) == 0 || r.From().Is4() || !rangeList{r}.overlaps(netipx.RangeOfPrefix(translation)))
}

// Hosts returns how many addresses have at least one pair in s, or the largest
// uint64 if there are more.
func (s *Space) Hosts() uint64 {
	var n uint64
	for _, sp := range s.spans.all() {
		ports := uint64(len(sp.ports))
		from, to := max(s.from, sp.start), min(s.to, sp.start+sp.hosts*ports)
		if from >= to {
			continue
		}
		hosts := (to-1-sp.start)/ports - (from-sp.start)/ports + 1
		if n+hosts < n {
			return ^uint64(0)
		}
		n += hosts
	}
	return n
}
