package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
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
	allows   *netipx.IPSet // allowed, excludes out
	excluded *netipx.IPSet
	swept    []Target
	outside  []Target
	emptied  []Target
	failed   []Target
	anchors  anchors
	names    map[netip.Addr][]string // in the order of the targets, then of what is allowed
	count    uint64                  // addresses swept
	ranges   rangeList               // of allows
	spared   uint64                  // addresses that would be swept but for the excludes
}

// NewScope makes a Scope. Addresses that no single host has (unspecified,
// multicast, broadcast) are never in it.
func NewScope(b Bounds) (*Scope, error) {
	if b.Allowed == nil {
		b.Allowed = b.Targets
	}
	s := &Scope{swept: b.Targets, names: map[netip.Addr][]string{}}
	if len(b.Targets) == 0 {
		s.swept = b.Allowed
	}
	allowed, err := setOf(b.Allowed)
	if err != nil {
		return nil, err
	}
	if s.excluded, err = excludedSet(b.Excluded); err != nil {
		return nil, err
	}
	if s.allows, err = minus(allowed, s.excluded, b.Family.left(), never); err != nil {
		return nil, err
	}
	if err := s.sort(allowed); err != nil {
		return nil, err
	}
	s.anchors = newAnchors(slices.Concat(b.Targets, b.Allowed))
	for _, t := range slices.Concat(b.Targets, b.Allowed) {
		for _, r := range t.Ranges {
			if a := r.From(); t.Name != "" && !slices.Contains(s.names[a], t.Name) {
				s.names[a] = append(s.names[a], t.Name)
			}
		}
	}
	return s, nil
}

// sort finds the swept targets that cannot be swept as they were asked for,
// and counts the others.
func (s *Scope) sort(allowed *netipx.IPSet) error {
	s.ranges = s.allows.Ranges()
	permitted := rangeList(allowed.Ranges())
	for _, t := range s.swept {
		if t.Err != nil {
			s.failed = append(s.failed, t)
		}
		if len(t.Ranges) == 0 {
			continue
		}
		whole, left := true, false
		for _, r := range t.Ranges {
			whole = whole && permitted.contains(r)
			left = left || s.ranges.overlaps(r)
		}
		switch {
		case !whole:
			s.outside = append(s.outside, t)
		case !left:
			s.emptied = append(s.emptied, t)
		}
	}
	asked, err := setOf(s.swept)
	if err != nil {
		return err
	}
	left, err := minus(asked, s.excluded, never)
	if err != nil {
		return err
	}
	inScope, err := intersect(left, s.allows)
	if err != nil {
		return err
	}
	asked, err = minus(asked, never)
	s.count, s.spared = countSet(inScope), countSet(asked)-countSet(left)
	return err
}

// Allows reports permitted a may be contacted. A 4-in-6 mapped address is the
// IPv4 address that it stands for; an address with a zone is never allowed.
func (s *Scope) Allows(a netip.Addr) bool {
	return s != nil && s.allows.Contains(a.Unmap())
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
func (s *Scope) Addresses() uint64 { return s.count }

// Excluded returns how many addresses the excludes take from the run.
func (s *Scope) Excluded() uint64 { return s.spared }

// SHA256 returns, in hexadecimal, a hash of everything that decides which
// pairs of address and port are asked: the addresses allowed and excluded, the
// targets, and ports, the ports of the run. Order, spelling and names do not
// matter, only what they stand for.
func (s *Scope) SHA256(ports []uint16) (string, error) {
	space, err := NewSpace(s, ports)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, "mxsweep scope 1")
	writeRanges(h, "+", s.allows)
	writeRanges(h, "!", s.excluded)
	for _, sp := range space.spans {
		last := sp.first.plus(sp.hosts - 1)
		fmt.Fprintf(h, "=%v-%v %s\n", sp.first.addr(), last.addr(), FormatPorts(sp.ports))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeRanges writes the ranges of a set, one a line.
func writeRanges(w io.Writer, mark string, set *netipx.IPSet) {
	for _, r := range set.Ranges() {
		fmt.Fprintf(w, "%s%v-%v\n", mark, r.From(), r.To())
	}
}

// setOf returns the addresses of targets.
func setOf(targets []Target) (*netipx.IPSet, error) {
	var b netipx.IPSetBuilder
	for _, t := range targets {
		for _, r := range t.Ranges {
			b.AddRange(r)
		}
	}
	return b.IPSet()
}

// nat64 is the prefix behind which a translator reaches IPv4 hosts (RFC 6052,
// Section 2.1).
var nat64 = spotOf(netip.MustParseAddr("64:ff9b::"))

// excludedSet returns the addresses of targets in every form by which they
// are reached: an IPv4 host also has an IPv6 address behind a NAT64.
func excludedSet(targets []Target) (*netipx.IPSet, error) {
	var b netipx.IPSetBuilder
	for _, t := range targets {
		for _, r := range t.Ranges {
			b.AddRange(r)
			if from, to := spotOf(r.From()), spotOf(r.To()); !from.v6 {
				b.AddRange(netipx.IPRangeFrom(nat64.plus(from.lo).addr(), nat64.plus(to.lo).addr()))
			}
		}
	}
	return b.IPSet()
}

// minus returns a without the addresses of the others.
func minus(a *netipx.IPSet, others ...*netipx.IPSet) (*netipx.IPSet, error) {
	var b netipx.IPSetBuilder
	b.AddSet(a)
	for _, o := range others {
		b.RemoveSet(o)
	}
	return b.IPSet()
}

// intersect returns the addresses that are in both sets.
func intersect(a, o *netipx.IPSet) (*netipx.IPSet, error) {
	var b netipx.IPSetBuilder
	b.AddSet(a)
	b.Intersect(o)
	return b.IPSet()
}

// Ranges returns the addresses that the run sweeps, sorted and without
// repeats.
func (s *Scope) Ranges() ([]netipx.IPRange, error) {
	asked, err := setOf(s.swept)
	if err != nil {
		return nil, err
	}
	if asked, err = intersect(asked, s.allows); err != nil {
		return nil, err
	}
	return asked.Ranges(), nil
}
