// Package scope decides which addresses and ports a run contacts: it reads targets,
// scope lists and port lists, and numbers the resulting pairs.
//
// A [Parser] converts what the user wrote into [Target] values. A [Set] is made of
// them and decides, for every packet, whether an address may be contacted. A [Space]
// is the set of pairs to probe, without listing them, and an [Order] is the
// pseudo-random order of probing.
package scope

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/result"
	"go4.org/netipx"
)

// Bounds are the lists of addresses from which a [Set] is made.
type Bounds struct {
	// Targets are the addresses to sweep. Empty means all of Allowed.
	Targets []Target

	// Allowed are the addresses that may be contacted. Nil means the Targets.
	Allowed []Target

	// Excluded are never contacted, even if they are also Targets or Allowed.
	Excluded []Target

	// Family is the address family that may be contacted.
	Family Family
}

// A Set decides which addresses may be contacted, and nothing else does: a
// scan.Scanner checks it right before each probe is sent, and again when an answer
// arrives. It is immutable and may be used from several goroutines at once. A nil Set
// allows nothing.
type Set struct {
	allows   addrSet // allowed minus excluded
	excluded addrSet // as written
	embedded embedded
	swept    []Target
	outside  []Target // the first ones of long lists
	emptied  []Target
	failed   []Target
	anchors  anchors
	names    map[netip.Addr][]string // in the order of the targets, then of what is allowed
	asked    addrSet                 // addresses swept
	spared   uint64                  // addresses that would be swept without the excludes

	moreOutside int // of long lists, in addition to outside

	zoned, zonedAsked []netip.Addr // link-local addresses allowed, and swept
}

// New makes a Set. Addresses that no single host has (unspecified,
// multicast, broadcast, link-local without a zone) are never in it.
func New(b Bounds) (*Set, error) {
	lists := [][]Target{b.Targets, b.Allowed}
	same := b.Allowed == nil || len(b.Targets) == 0
	if b.Allowed == nil {
		b.Allowed, lists = b.Targets, lists[:1]
	}
	s := &Set{swept: b.Targets, names: map[netip.Addr][]string{}}
	if len(b.Targets) == 0 {
		s.swept, lists = b.Allowed, [][]Target{b.Allowed}
	}
	allowed := setOf(b.Allowed)
	s.excluded = setOf(b.Excluded)
	s.embedded = embedded{s.excluded.v4}
	forms, err := s.embedded.forms(allowed.v6)
	if err != nil {
		return nil, err
	}
	s.allows = allowed.minus(s.excluded).minus(asSet(b.Family.left().Ranges())).minus(asSet(never.Ranges())).minus(addrSet{v6: forms})
	asked := allowed
	if s.asked = s.allows; !same { // long lists take much memory
		asked = setOf(s.swept)
		s.asked = asked.intersect(s.allows)
	}
	translated, err := s.embedded.translated(s.asked.v6)
	if err != nil {
		return nil, err
	}
	s.allows, s.asked = s.allows.minus(addrSet{v6: translated}), s.asked.minus(addrSet{v6: translated})
	hosts := asked.minus(asSet(never.Ranges()))
	left := hosts.v6.minus(s.excluded.v6).minus(forms).minus(translated)
	s.spared = hosts.v4.countCommon(s.excluded.v4) + hosts.v6.count() - left.count()
	if b.Family != IPv4Only {
		s.addZoned(b)
	}
	s.sort(allowed, zonedOf(b.Allowed))
	s.anchors = newAnchors(lists)
	s.nameAll(lists)
	return s, nil
}

// nameAll records the names of addresses.
func (s *Set) nameAll(lists [][]Target) {
	for _, list := range lists {
		for i := range list {
			t := &list[i]
			if t.Name == "" {
				continue
			}
			for _, r := range t.Ranges {
				if a := r.From(); !slices.Contains(s.names[a], t.Name) {
					s.names[a] = append(s.names[a], t.Name)
				}
			}
		}
	}
}

// sort finds the targets that cannot be swept as requested.
func (s *Set) sort(allowed addrSet, zoned []netip.Addr) {
	for i := range s.swept {
		t := &s.swept[i]
		if t.Bulk != nil {
			s.sortBulk(t.Bulk, allowed.v4)
		}
		if t.Err != nil {
			s.failed = append(s.failed, *t)
		}
		if len(t.Ranges) == 0 {
			continue
		}
		whole, left := true, false
		for _, r := range t.Ranges {
			whole = whole && allowed.contains(r)
			left = left || s.allows.overlaps(r)
		}
		if a, ok := t.Single(); ok && t.Zone != "" {
			whole, left = isAmong(zoned, a), isAmong(s.zoned, a)
		}
		switch {
		case !whole:
			s.outside = append(s.outside, *t)
		case !left:
			s.emptied = append(s.emptied, *t)
		}
	}
}

// Allows reports whether a may be contacted. An IPv4-mapped address counts as its IPv4
// address. A link-local address is allowed only with its own zone, and other addresses
// only without a zone.
func (s *Set) Allows(a netip.Addr) bool {
	switch {
	case s == nil || !a.IsValid():
		return false
	case a.Zone() != "":
		return isAmong(s.zoned, a)
	}
	a = a.Unmap()
	return s.allows.holds(a) && !s.embedded.excludes(a)
}

// AllowsRange reports whether every address of r may be contacted.
func (s *Set) AllowsRange(r netipx.IPRange) bool {
	return s != nil && s.allows.contains(r) && (len(s.embedded.ipv4) == 0 || r.From().Is4() || !rangeList{r}.overlaps(netipx.RangeOfPrefix(translation)))
}

// Anchor returns the line that added a to the run, the most specific one if there are
// several. It reports false if only the command line did.
func (s *Set) Anchor(a netip.Addr) (result.Anchor, bool) {
	if s == nil {
		return result.Anchor{}, false
	}
	return s.anchors.find(a.Unmap())
}

// Name returns the host name for which a is swept, the first if there are
// several, or an empty string if it was not given by name.
func (s *Set) Name(a netip.Addr) string {
	if names := s.Names(a); len(names) > 0 {
		return names[0]
	}
	return ""
}

// Names returns all host names of targets and scope with the address a, those of
// targets first. The caller must not change them.
func (s *Set) Names(a netip.Addr) []string {
	if s == nil {
		return nil
	}
	return s.names[a.Unmap()]
}

// Named yields each host name of targets and scope with each of its addresses, in
// no particular order.
func (s *Set) Named() iter.Seq2[string, netip.Addr] {
	return func(yield func(string, netip.Addr) bool) {
		if s == nil {
			return
		}
		for a, names := range s.names {
			for _, name := range names {
				if !yield(name, a) {
					return
				}
			}
		}
	}
}

// maxTold is how many entries of a Bulk that cannot be swept are reported.
const maxTold = 1000

// sortBulk is sort for the entries of a long list.
func (s *Set) sortBulk(b *Bulk, allowed ranges4) {
	left := s.allows.v4
	for i := range b.rows {
		r := b.rangeOf(i)
		for len(allowed) > 0 && allowed[0].last < r.first {
			allowed = allowed[1:]
		}
		for len(left) > 0 && left[0].last < r.first {
			left = left[1:]
		}
		switch {
		case len(allowed) == 0 || allowed[0].first > r.first || allowed[0].last < r.last:
			if len(s.outside) < maxTold {
				s.outside = append(s.outside, b.Target(i))
			} else {
				s.moreOutside++
			}
		case (len(left) == 0 || left[0].first > r.last) && len(s.emptied) < maxTold:
			s.emptied = append(s.emptied, b.Target(i))
		}
	}
}

// Outside returns the targets that are not completely allowed, of long lists the first
// ones. A run with any is refused.
func (s *Set) Outside() []Target { return s.outside }

// MoreOutside returns how many targets are outside in addition to those of Outside.
func (s *Set) MoreOutside() int { return s.moreOutside }

// Emptied returns the targets that are completely excluded, of long lists the first
// ones.
func (s *Set) Emptied() []Target { return s.emptied }

// Unresolved returns the names for which a lookup failed. Their known addresses are
// swept.
func (s *Set) Unresolved() []Target { return s.failed }

// Addresses returns how many addresses the run sweeps, or the largest uint64
// if there are more.
func (s *Set) Addresses() uint64 {
	n, zoned := s.asked.count(), uint64(len(s.zonedAsked))
	return max(n, n+zoned)
}

// Excluded returns how many addresses of the run are excluded.
func (s *Set) Excluded() uint64 { return s.spared }

// SHA256 returns, in hexadecimal, a hash of everything that determines the pairs of
// the run: the addresses allowed and excluded, the targets, and the ports of the run
// from which space was made. Order, spelling and names do not matter, and neither does
// the shard.
func (s *Set) SHA256(space *Space) string {
	h := sha256.New()
	w := bufio.NewWriter(h) // neither returns an error
	fmt.Fprintln(w, "mxsweep scope 1")
	for r := range s.allows.all() {
		writeRange(w, '+', r.From(), r.To(), "")
	}
	for r := range s.excludedForms() {
		writeRange(w, '!', r.From(), r.To(), "")
	}
	for _, a := range s.zoned {
		fmt.Fprintf(w, "+%v\n", a)
	}
	var ports string
	var before []uint16
	for i, sp := range space.ranges.all() {
		if i == 0 || !samePorts(sp.ports, before) {
			ports = " " + sortedPortSet(sp.ports).String()
		}
		before = sp.ports
		writeRange(w, '=', sp.addr(0), sp.addr(sp.hosts-1), ports)
	}
	w.Flush()
	return hex.EncodeToString(h.Sum(nil))
}

// excludedForms yields the excluded addresses, and excluded IPv4 addresses also with
// the well-known NAT64 prefix.
func (s *Set) excludedForms() iter.Seq[netipx.IPRange] {
	return func(yield func(netipx.IPRange) bool) {
		first, last := nat64.addr(), nat64.plus(1<<32-1).addr()
		within := s.excluded.v6.overlaps(netipx.IPRangeFrom(first.Prev(), last.Next()))
		v6 := s.excluded.v6
		if within { // they may be adjacent
			v6 = slices.Clone(v6)
			for _, r := range s.excluded.v4 {
				v6 = append(v6, nat64Range(r))
			}
			v6 = v6.normal()
		}
		for _, r := range s.excluded.v4 {
			if !yield(r.ipRange()) {
				return
			}
		}
		for _, r := range v6 {
			if !within && last.Less(r.From()) {
				within = true
				if !s.yieldNAT64(yield) {
					return
				}
			}
			if !yield(r) {
				return
			}
		}
		if !within {
			s.yieldNAT64(yield)
		}
	}
}

// yieldNAT64 yields the excluded IPv4 addresses with the NAT64 prefix.
func (s *Set) yieldNAT64(yield func(netipx.IPRange) bool) bool {
	for _, r := range s.excluded.v4 {
		if !yield(nat64Range(r)) {
			return false
		}
	}
	return true
}

// samePorts reports whether two lists are equal. Most equal lists are the same slice.
func samePorts(a, b []uint16) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

// writeRange writes a line of a hash.
func writeRange(w *bufio.Writer, mark byte, from, to netip.Addr, rest string) {
	line := append(w.AvailableBuffer(), mark)
	line = append(from.AppendTo(line), '-')
	line = append(append(to.AppendTo(line), rest...), '\n')
	w.Write(line)
}

// Ranges yields the addresses without a zone that the run sweeps, sorted and without
// duplicates.
func (s *Set) Ranges() iter.Seq[netipx.IPRange] { return s.asked.all() }

// NumRanges returns how many ranges there are.
func (s *Set) NumRanges() int { return s.asked.len() }

// Zoned returns the link-local addresses that the run sweeps, each with its zone. The
// caller must not change them.
func (s *Set) Zoned() []netip.Addr { return s.zonedAsked }
