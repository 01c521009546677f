package scan

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// Bounds are the lists of addresses from which a [Scope] is made.
type Bounds struct {
	// Targets are what the user asked to sweep. Empty means all of Allowed.
	Targets []Target

	// Allowed are what may be contacted. Nil means the Targets.
	Allowed []Target

	// Excluded are never contacted, whatever else says so.
	Excluded []Target

	// Family is which addresses may be contacted.
	Family Family
}

// A Scope says which addresses may be contacted. It is the one place that
// decides so: a [Scanner] asks it right before each probe leaves, and again
// when an answer arrives. It does not change once it is made and may be used
// from several goroutines at once. A nil Scope allows nothing.
type Scope struct {
	allows   rangeList // allowed, excludes out
	excluded rangeList // as written, and behind the well-known NAT64 prefix
	embedded embedded
	swept    []Target
	outside  []Target
	emptied  []Target
	failed   []Target
	anchors  anchors
	names    map[netip.Addr][]string // in the order of the targets, then of what is allowed
	asked    rangeList               // addresses swept
	spared   uint64                  // addresses that would be swept but for the excludes

	zoned, zonedAsked []netip.Addr // link-local addresses allowed, and swept
}

// NewScope makes a Scope. Addresses that no single host has (unspecified,
// multicast, broadcast, link-local without a zone) are never in it.
func NewScope(b Bounds) (*Scope, error) {
	lists := [][]Target{b.Targets, b.Allowed}
	same := b.Allowed == nil || len(b.Targets) == 0
	if b.Allowed == nil {
		b.Allowed, lists = b.Targets, lists[:1]
	}
	s := &Scope{swept: b.Targets, names: map[netip.Addr][]string{}}
	if len(b.Targets) == 0 {
		s.swept, lists = b.Allowed, [][]Target{b.Allowed}
	}
	allowed := listOf(b.Allowed)
	s.excluded = excludedList(b.Excluded)
	s.embedded = newEmbedded(s.excluded)
	out := slices.Concat(s.excluded, rangeList(b.Family.left().Ranges()), rangeList(never.Ranges()), s.embedded.sixToFour).normal()
	s.allows = allowed.minus(out)
	asked := allowed
	if s.asked = s.allows; !same { // long lists take much memory
		asked = listOf(s.swept)
		s.asked = asked.intersect(s.allows)
	}
	translated, err := s.embedded.translated(s.asked)
	if err != nil {
		return nil, err
	}
	s.allows, s.asked = s.allows.minus(translated), s.asked.minus(translated)
	hosts := asked.minus(rangeList(never.Ranges()))
	s.spared = hosts.count() - hosts.minus(s.excluded).minus(s.embedded.sixToFour).minus(translated).count()
	if b.Family != IPv4Only {
		s.addZoned(b)
	}
	s.sort(allowed, zonedOf(b.Allowed))
	s.anchors = newAnchors(lists)
	s.nameAll(lists)
	return s, nil
}

// nameAll notes the names of addresses.
func (s *Scope) nameAll(lists [][]Target) {
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

// sort finds the swept targets that cannot be swept as they were asked for.
func (s *Scope) sort(allowed rangeList, zoned []netip.Addr) {
	for i := range s.swept {
		t := &s.swept[i]
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

// Allows reports whether a may be contacted. A 4-in-6 mapped address is the
// IPv4 address that it stands for. A link-local address is allowed only with
// the zone that it was allowed with, and no other address with any.
func (s *Scope) Allows(a netip.Addr) bool {
	switch {
	case s == nil || !a.IsValid():
		return false
	case a.Zone() != "":
		return isAmong(s.zoned, a)
	}
	a = a.Unmap()
	return s.allows.holds(a) && !s.embedded.excludes(a)
}

// Anchor returns the line that put a into the run, the most specific one if
// there are several. It reports false if only the command line did.
func (s *Scope) Anchor(a netip.Addr) (Anchor, bool) {
	if s == nil {
		return Anchor{}, false
	}
	return s.anchors.find(a.Unmap())
}

// Name returns the host name for which a is swept, the first if there are
// several, or an empty string if it was not given by name.
func (s *Scope) Name(a netip.Addr) string {
	if names := s.Names(a); len(names) > 0 {
		return names[0]
	}
	return ""
}

// Names returns all host names of targets and scope that have the address a,
// those of targets first. They must not be changed.
func (s *Scope) Names(a netip.Addr) []string {
	if s == nil {
		return nil
	}
	return s.names[a.Unmap()]
}

// Named yields each host name of targets and scope with each of its addresses, in
// no particular order.
func (s *Scope) Named() iter.Seq2[string, netip.Addr] {
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

// Outside returns the targets that are not wholly among the allowed
// addresses. A run with any is refused.
func (s *Scope) Outside() []Target { return s.outside }

// Emptied returns the targets of which the excludes leave nothing.
func (s *Scope) Emptied() []Target { return s.emptied }

// Unresolved returns the targets that are names of which no address is known, or
// perhaps not all. What is known of the latter is swept.
func (s *Scope) Unresolved() []Target { return s.failed }

// Addresses returns how many addresses the run sweeps, or the largest uint64
// if there are more.
func (s *Scope) Addresses() uint64 {
	n, zoned := s.asked.count(), uint64(len(s.zonedAsked))
	return max(n, n+zoned)
}

// Excluded returns how many addresses the excludes take from the run.
func (s *Scope) Excluded() uint64 { return s.spared }

// SHA256 returns, in hexadecimal, a hash of everything that decides which
// pairs of address and port are asked: the addresses allowed and excluded, the
// targets, and the ports of the run, of which space was made. Order, spelling and
// names do not matter, only what they stand for, nor does which shard of it space
// is.
func (s *Scope) SHA256(space *Space) string {
	h := sha256.New()
	w := bufio.NewWriter(h) // neither of them fails
	fmt.Fprintln(w, "mxsweep scope 1")
	for _, r := range s.allows {
		writeRange(w, '+', r.From(), r.To(), "")
	}
	for _, r := range s.excluded {
		writeRange(w, '!', r.From(), r.To(), "")
	}
	for _, a := range s.zoned {
		fmt.Fprintf(w, "+%v\n", a)
	}
	var ports string
	for i := range space.spans {
		sp := &space.spans[i]
		if i == 0 || !samePorts(sp.ports, space.spans[i-1].ports) {
			ports = " " + sortedPortSet(sp.ports).String()
		}
		writeRange(w, '=', sp.addr(0), sp.addr(sp.hosts-1), ports)
	}
	w.Flush()
	return hex.EncodeToString(h.Sum(nil))
}

// samePorts reports whether two lists are equal. Most that are equal are one
// list.
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

// Ranges returns the addresses without a zone that the run sweeps, sorted and
// without repeats. They must not be changed.
func (s *Scope) Ranges() []netipx.IPRange { return s.asked }

// Zoned returns the link-local addresses that the run sweeps, each with its
// zone. They must not be changed.
func (s *Scope) Zoned() []netip.Addr { return s.zonedAsked }
