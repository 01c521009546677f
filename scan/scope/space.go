package scope

import (
	"fmt"
	"hash"
	"iter"
	"math/bits"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// A Space is the set of pairs of a run, numbered from 0, without duplicates and
// without excluded ones. Its size in memory depends on the number of targets, not of
// addresses. It is immutable and may be used from several goroutines at once.
type Space struct {
	ranges   rangeIndex
	from, to uint64 // the part of the whole that belongs to this Space
}

// An addrRange is a range of addresses with the same ports.
type addrRange struct {
	first ipNum
	zone  string // of a link-local address, which is its own range
	hosts uint64
	ports []uint16
	start uint64 // number of its first pair in the whole
}

// addr returns the i-th address, from 0.
func (sp *addrRange) addr(i uint64) netip.Addr {
	a := sp.first.plus(i).addr()
	if sp.zone != "" {
		return a.WithZone(sp.zone)
	}
	return a
}

// A TooWideError says that a Space would have more pairs than a uint64 can count.
type TooWideError struct{}

// Error returns the message.
func (*TooWideError) Error() string { return "the sweep has more than 2^64 pairs of address and port" }

// NewSpace returns the pairs that scope sweeps: every target's allowed addresses, with
// the ports of the target or else the given ones. Where targets overlap, an address
// has the ports of all of them, without duplicates. If targets overlap with so many
// different ports that combining them takes too much time or memory, the error is an
// [InputError].
func NewSpace(scope *Set, ports []uint16) (*Space, error) {
	if scope == nil {
		return &Space{}, nil
	}
	u, usual := newPortUnion(), PortSetOf(ports)
	s := &Space{}
	long := slices.ContainsFunc(scope.swept, func(t Target) bool { return t.Bulk != nil })
	var err error
	if long {
		if s.ranges.packed, err = pack(scope, usual, u); err != nil {
			return nil, err
		}
		s.to = s.ranges.packed.total
	}
	ranges, err := targetRangesOf(scope.swept, usual, u, long)
	if err != nil {
		return nil, err
	}
	zoned, err := zonedRanges(scope, usual, u)
	if err != nil {
		return nil, err
	}
	few := append(clipped(ranges, scope.allows), zoned...)
	slices.SortStableFunc(few, func(a, b addrRange) int { return a.first.compare(b.first) })
	for i := range few {
		sp := &few[i]
		sp.start = s.to
		hi, n := bits.Mul64(sp.hosts, uint64(len(sp.ports)))
		sum, carry := bits.Add64(s.to, n, 0)
		if hi != 0 || carry != 0 || sp.hosts == ^uint64(0) {
			return nil, fault.Usagef("name smaller IPv6 prefixes", "%w", &TooWideError{})
		}
		s.to = sum
	}
	s.ranges.few = few
	return s, nil
}

// clipped returns the parts of ranges that are allowed.
func clipped(ranges []targetRange, allows addrSet) []addrRange {
	out := make([]addrRange, 0, len(ranges))
	for k := range ranges {
		st := &ranges[k]
		for r := range allows.within(st.addrs) {
			out = append(out, addrRange{first: ipNumOf(r.From()), hosts: countRange(r), ports: st.ports})
		}
	}
	return out
}

// Len returns how many pairs there are.
func (s *Space) Len() uint64 { return s.to - s.from }

// At returns the pair of number i, which is below Len.
func (s *Space) At(i uint64) netip.AddrPort {
	i += s.from
	sp := s.ranges.holding(i)
	off, n := i-sp.start, uint64(len(sp.ports))
	return netip.AddrPortFrom(sp.addr(off/n), sp.ports[off%n])
}

// Index returns the number of a pair; it reports false if the pair is not in the
// Space.
func (s *Space) Index(pair netip.AddrPort) (uint64, bool) {
	if !pair.Addr().IsValid() {
		return 0, false
	}
	at := ipNumOf(pair.Addr().Unmap())
	k := s.ranges.behind(at) - 1
	if k < 0 || s.ranges.firstOf(k).v6 != at.v6 {
		return 0, false
	}
	sp := s.ranges.at(k)
	for k > 0 && sp.zone != pair.Addr().Zone() && s.ranges.firstOf(k-1) == at {
		k-- // the same link-local address on another link
		sp = s.ranges.at(k)
	}
	off := at.minus(sp.first)
	port, ok := slices.BinarySearch(sp.ports, pair.Port())
	if off.hi != 0 || off.lo >= sp.hosts || !ok || sp.zone != pair.Addr().Zone() {
		return 0, false
	}
	i := sp.start + off.lo*uint64(len(sp.ports)) + uint64(port)
	return i - s.from, i >= s.from && i < s.to
}

// HashInto writes to h what identifies s: its pairs and how they are numbered. Equal
// Spaces of different runs write the same.
func (s *Space) HashInto(h hash.Hash) {
	fmt.Fprintf(h, "%d-%d\n", s.from, s.to)
	for _, sp := range s.ranges.all() {
		fmt.Fprintf(h, "%v+%d %s\n", sp.first.addr(), sp.hosts, sortedPortSet(sp.ports))
	}
}

// Asks reports whether s, or the whole of which s is a shard, has a pair with an
// address of r and a port for which wanted returns true. Link-local addresses must
// have the given zone; "" is any.
func (s *Space) Asks(r netipx.IPRange, zone string, wanted func(port uint16) bool) bool {
	from, to := ipNumOf(r.From()), ipNumOf(r.To())
	k := s.ranges.behind(from)
	for k > 0 {
		if sp := s.ranges.at(k - 1); sp.first.v6 != from.v6 || sp.first.plus(sp.hosts-1).compare(from) < 0 {
			break
		}
		k-- // may reach into r; only ranges with zones begin at the same address
	}
	var refused []uint16 // adjacent ranges often have the same list
	for ; k < s.ranges.len() && s.ranges.firstOf(k).compare(to) <= 0; k++ {
		sp := s.ranges.at(k)
		if zone != "" && sp.zone != zone || len(refused) == len(sp.ports) && len(refused) > 0 && &refused[0] == &sp.ports[0] {
			continue
		}
		if slices.ContainsFunc(sp.ports, wanted) {
			return true
		}
		refused = sp.ports
	}
	return false
}

// Shard returns the i-th, from 1, of n disjoint parts of s. Each is a series of whole
// hosts, with about the same number of pairs; parts are empty if there are fewer hosts
// than parts. The hosts of a part depend only on s, i and n. It returns an error
// unless 1 <= i <= n.
func (s *Space) Shard(i, n uint64) (*Space, error) {
	if i < 1 || i > n {
		return nil, &InputError{Text: fmt.Sprintf("%d/%d", i, n), Problem: "no such shard",
			Hint: "write 1/4, 2/4, 3/4 and 4/4 for the four parts of a sweep"}
	}
	return &Space{ranges: s.ranges, from: s.hostStart(s.from + part(s.Len(), i-1, n)), to: s.hostStart(s.from + part(s.Len(), i, n))}, nil
}

// hostStart returns the number, in the whole, of the first pair in s of the host of
// pair i; i itself at the end of s.
func (s *Space) hostStart(i uint64) uint64 {
	if i >= s.to {
		return i
	}
	sp := s.ranges.holding(i)
	return max(s.from, i-(i-sp.start)%uint64(len(sp.ports)))
}

// part returns total*i/n for i <= n.
func part(total, i, n uint64) uint64 {
	hi, lo := bits.Mul64(total, i) // hi < n, so that the quotient fits
	q, _ := bits.Div64(hi, lo, n)
	return q
}

// Ranges yields the ranges of addresses that are asked for the same ports, by
// address, each with those ports, sorted. The pairs of a range are numbered one
// address after the other, and the ranges one after the other. The first and the
// last range of a shard may reach beyond it. Ranges do not tell zones.
// The ports must not be changed.
func (s *Space) Ranges() iter.Seq2[netipx.IPRange, []uint16] {
	return func(yield func(netipx.IPRange, []uint16) bool) {
		for _, sp := range s.ranges.all() {
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

// Hosts returns how many addresses have at least one pair in s, or the largest
// uint64 if there are more.
func (s *Space) Hosts() uint64 {
	var n uint64
	for _, sp := range s.ranges.all() {
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
