package scan

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"sort"

	"go4.org/netipx"
)

// A Space is the set of address and port pairs of a run: numbered from 0,
// each there exactly once, those excluded not there at all. Its size in memory
// depends on how many targets there are, not on how many addresses they hold.
// It does not change once it is made and may be used from several goroutines
// at once.
type Space struct {
	spans    []span
	from, to uint64 // the part of the whole that this Space is
}

// A span is a run of neighbouring addresses that are asked for the same ports.
type span struct {
	first spot
	hosts uint64
	ports []uint16
	start uint64 // number of its first pair in the whole
}

// A TooWideError says that a Space would have more pairs than can be counted.
type TooWideError struct{}

// Error says so.
func (*TooWideError) Error() string { return "the sweep has more than 2^64 pairs of address and port" }

// Hint says what to do.
func (*TooWideError) Hint() string { return "name smaller IPv6 prefixes" }

// NewSpace returns the pairs that scope sweeps: every target's addresses, as
// far as the scope allows them, with the ports that the target carries or
// else the given ones. Where targets overlap, an address has the ports of all
// of them, each once.
func NewSpace(scope *Scope, ports []uint16) (*Space, error) {
	if scope == nil {
		return &Space{}, nil
	}
	blocks := blocksOf(scope.swept, ports)
	s := &Space{}
	for _, b := range blocks {
		set, err := b.addrs.IPSet()
		if err != nil {
			return nil, fmt.Errorf("adding up the targets: %w", err)
		}
		if set, err = intersect(set, scope.allows); err != nil {
			return nil, fmt.Errorf("taking out the excludes: %w", err)
		}
		for _, r := range set.Ranges() {
			s.spans = append(s.spans, span{first: spotOf(r.From()), hosts: countRange(r), ports: b.ports})
		}
	}
	slices.SortFunc(s.spans, func(a, b span) int { return a.first.compare(b.first) })
	for i := range s.spans {
		sp := &s.spans[i]
		sp.start = s.to
		hi, n := bits.Mul64(sp.hosts, uint64(len(sp.ports)))
		sum, carry := bits.Add64(s.to, n, 0)
		if hi != 0 || carry != 0 || sp.hosts == ^uint64(0) {
			return nil, &TooWideError{}
		}
		s.to = sum
	}
	return s, nil
}

// A block is a set of addresses that are asked for the same ports.
type block struct {
	addrs netipx.IPSetBuilder
	ports []uint16
}

// blocksOf sorts the addresses of targets by what they are asked for. The
// blocks are disjoint.
func blocksOf(targets []Target, ports []uint16) []*block {
	var lists portLists
	usual := lists.add(ports)
	ids := make([]int, len(targets))
	for i, t := range targets {
		if ids[i] = usual; t.Ports != nil {
			ids[i] = lists.add(t.Ports)
		}
	}
	var out []*block
	byList := map[int]*block{}
	open := map[int]int{} // lists of ports that hold at the edge, counted
	es := edges(targets)
	for i, e := range es {
		id := ids[e.target]
		if e.opens {
			open[id]++
		} else if open[id]--; open[id] == 0 {
			delete(open, id)
		}
		if len(open) == 0 || es[i+1].at == e.at {
			continue
		}
		union := lists.union(open)
		b := byList[union]
		if b == nil {
			b = &block{ports: lists.ports[union]}
			byList[union] = b
			out = append(out, b)
		}
		last := es[i+1].at.minus(spot{v6: e.at.v6, lo: 1})
		b.addrs.AddRange(netipx.IPRangeFrom(e.at.addr(), last.addr()))
	}
	return slices.DeleteFunc(out, func(b *block) bool { return len(b.ports) == 0 })
}

// portLists numbers sets of ports, so that they are compared and added up
// only once each.
type portLists struct {
	ports  [][]uint16
	known  map[string]int // by canonical form
	unions map[string]int // by the numbers added up
}

// add returns the number of a set of ports.
func (l *portLists) add(ports []uint16) int {
	if l.known == nil {
		l.known, l.unions = map[string]int{}, map[string]int{}
	}
	key := FormatPorts(ports)
	id, ok := l.known[key]
	if !ok {
		sorted := slices.Clone(ports)
		slices.Sort(sorted)
		id = len(l.ports)
		l.ports = append(l.ports, slices.Compact(sorted))
		l.known[key] = id
	}
	return id
}

// union returns the number of the union of the open sets, of which there is
// at least one.
func (l *portLists) union(open map[int]int) int {
	ids := make([]int, 0, 4)
	for id := range open {
		ids = append(ids, id)
	}
	if len(ids) == 1 {
		return ids[0]
	}
	slices.Sort(ids)
	key := fmt.Sprint(ids)
	id, ok := l.unions[key]
	if !ok {
		var all []uint16
		for _, k := range ids {
			all = append(all, l.ports[k]...)
		}
		id = l.add(all)
		l.unions[key] = id
	}
	return id
}

// Len returns how many pairs there are.
func (s *Space) Len() uint64 { return s.to - s.from }

// At returns the pair of number i, which is below Len.
func (s *Space) At(i uint64) netip.AddrPort {
	i += s.from
	k := sort.Search(len(s.spans), func(k int) bool { return s.spans[k].start > i }) - 1
	sp := &s.spans[k]
	off, n := i-sp.start, uint64(len(sp.ports))
	return netip.AddrPortFrom(sp.first.plus(off/n).addr(), sp.ports[off%n])
}

// Index returns the number of a pair; it reports false if the pair is not in
// the Space.
func (s *Space) Index(pair netip.AddrPort) (uint64, bool) {
	if !pair.Addr().IsValid() {
		return 0, false
	}
	at := spotOf(pair.Addr().Unmap())
	k := sort.Search(len(s.spans), func(k int) bool { return s.spans[k].first.compare(at) > 0 }) - 1
	if k < 0 || s.spans[k].first.v6 != at.v6 {
		return 0, false
	}
	sp := &s.spans[k]
	off := at.minus(sp.first)
	port, ok := slices.BinarySearch(sp.ports, pair.Port())
	if off.hi != 0 || off.lo >= sp.hosts || !ok {
		return 0, false
	}
	i := sp.start + off.lo*uint64(len(sp.ports)) + uint64(port)
	return i - s.from, i >= s.from && i < s.to
}

// Shard returns the i-th, from 1, of n disjoint parts that together are s. Each
// is a run of neighbouring numbers, so that a host is in one part as a rule;
// their sizes differ by one at most. Which pairs a part holds depends on
// nothing but s, i and n. It returns an error unless 1 <= i <= n.
func (s *Space) Shard(i, n uint64) (*Space, error) {
	if i < 1 || i > n {
		return nil, &InputError{Text: fmt.Sprintf("%d/%d", i, n), Problem: "no such shard",
			Advice: "write 1/4, 2/4, 3/4 and 4/4 for the four parts of a sweep"}
	}
	return &Space{spans: s.spans, from: s.from + part(s.Len(), i-1, n), to: s.from + part(s.Len(), i, n)}, nil
}

// part returns total*i/n for i <= n.
func part(total, i, n uint64) uint64 {
	hi, lo := bits.Mul64(total, i) // hi < n, so that the quotient fits
	q, _ := bits.Div64(hi, lo, n)
	return q
}
