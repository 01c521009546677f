package gate

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"sort"

	"github.com/mxsweep/mxsweep/result"
	"go4.org/netipx"
)

// A ScopeLine is a range of addresses in the scope, as it was written (prefix or
// range). Some of its addresses may be vacant.
type ScopeLine struct {
	Range  netipx.IPRange
	Text   string
	Anchor *result.Anchor // nil for the command line

	// MinHosts is the minimum number of hosts that are up. 0 allows that there is
	// none.
	MinHosts uint64

	// Part is set if the run is a shard that probes only a part of the range, so
	// that it cannot know whether enough hosts are up.
	Part bool

	// Up is the number of hosts that are up; ScopeLines.Count sets it.
	Up uint64

	controls []netip.AddrPort // pairs of hosts that are up, known to answer
	parent   int              // the next wider line that may overlap with this one; -1 if there is none
}

// maxControls is the maximum number of controls of a line: if one host goes away,
// another can serve as control.
const maxControls = 3

// ScopeLines records for each range of a run how many of its hosts are up, and
// which pairs are known to answer there. It is not safe for concurrent use.
type ScopeLines struct {
	lines    []ScopeLine
	starts   []netip.Addr // where the narrowest line changes, sorted
	narrow   []int        // the narrowest line from that address on; -1 if there is none
	answered map[netip.AddrPort]bool
	network  bool // a control answered that is not a loopback address
}

// NewScopeLines indexes lines. Lines with the same range are merged, with the
// larger MinHosts.
func NewScopeLines(lines []ScopeLine) *ScopeLines {
	s := &ScopeLines{lines: slices.Clone(lines), answered: map[netip.AddrPort]bool{}}
	slices.SortStableFunc(s.lines, func(a, b ScopeLine) int {
		return cmp.Or(a.Range.From().Compare(b.Range.From()), b.Range.To().Compare(a.Range.To()), -cmp.Compare(a.MinHosts, b.MinHosts))
	})
	s.lines = slices.CompactFunc(s.lines, func(a, b ScopeLine) bool { return a.Range == b.Range })
	s.index()
	return s
}

// index determines the narrowest line of each address.
func (s *ScopeLines) index() {
	var open []int // lines that contain the current address, in the order of their start
	mark := func(at netip.Addr) {
		top := -1
		if len(open) > 0 {
			top = open[len(open)-1]
		}
		if n := len(s.starts); n > 0 && s.starts[n-1] == at {
			s.narrow[n-1] = top
			return
		}
		s.starts, s.narrow = append(s.starts, at), append(s.narrow, top)
	}
	closeUntil := func(at netip.Addr) { // the zero Addr closes all
		for len(open) > 0 {
			end := s.lines[open[len(open)-1]].Range.To()
			if at.IsValid() && !end.Less(at) {
				return
			}
			open = open[:len(open)-1]
			for len(open) > 0 && !end.Less(s.lines[open[len(open)-1]].Range.To()) {
				open = open[:len(open)-1] // shadowed by a line that ended later
			}
			if next := end.Next(); next.IsValid() {
				mark(next)
			}
		}
	}
	for i := range s.lines {
		l := &s.lines[i]
		closeUntil(l.Range.From())
		l.parent = -1
		if len(open) > 0 {
			l.parent = open[len(open)-1]
		}
		open = append(open, i)
		mark(l.Range.From())
	}
	closeUntil(netip.Addr{})
}

// holding yields the lines that contain an address, the narrowest first.
func (s *ScopeLines) holding(addr netip.Addr) iter.Seq[*ScopeLine] {
	return func(yield func(*ScopeLine) bool) {
		addr = addr.Unmap()
		at := sort.Search(len(s.starts), func(i int) bool { return addr.Less(s.starts[i]) }) - 1
		if at < 0 {
			return
		}
		for i := s.narrow[at]; i >= 0; i = s.lines[i].parent {
			if l := &s.lines[i]; l.Range.Contains(addr) && !yield(l) {
				return
			}
		}
	}
}

// Answers records a pair of a host that is up, as a control for the lines that
// contain it. own is set for an address of the scanning machine itself: its
// answer does not show that others can be reached, unless the whole line is
// loopback.
func (s *ScopeLines) Answers(pair netip.AddrPort, own bool) {
	for l := range s.holding(pair.Addr()) {
		if own && !(l.Range.From().IsLoopback() && l.Range.To().IsLoopback()) {
			continue
		}
		if len(l.controls) < maxControls && !slices.Contains(l.controls, pair) {
			l.controls = append(l.controls, pair)
		}
	}
}

// Controls returns the controls of all lines, each once.
func (s *ScopeLines) Controls() []netip.AddrPort {
	var all []netip.AddrPort
	for i := range s.lines {
		all = append(all, s.lines[i].controls...)
	}
	slices.SortFunc(all, netip.AddrPort.Compare)
	return slices.Compact(all)
}

// Answered records that a control answered after everything else was probed.
func (s *ScopeLines) Answered(pair netip.AddrPort) {
	s.answered[pair] = true
	s.network = s.network || !pair.Addr().IsLoopback()
}

// Proves reports whether silence of an address on two occasions shows that it is
// vacant: a control of a line that contains it answered in the end. If no host of
// those lines is up, a canary that answered is enough, and any other control if
// the narrowest line may be empty.
func (s *ScopeLines) Proves(addr netip.Addr, canary bool) bool {
	controls, held, mayBeEmpty := 0, false, false
	for l := range s.holding(addr) {
		if slices.ContainsFunc(l.controls, func(pair netip.AddrPort) bool { return s.answered[pair] }) {
			return true
		}
		mayBeEmpty = mayBeEmpty || !held && l.MinHosts == 0
		held = true
		controls += len(l.controls)
	}
	return held && controls == 0 && (canary || mayBeEmpty && s.network)
}

// Count sets how many hosts of each line are up.
func (s *ScopeLines) Count(c *CoverageCounter) {
	for i := range s.lines {
		s.lines[i].Up = c.upIn(s.lines[i].Range)
	}
}

// Parts returns the lines that must have hosts up and of which the run probed
// only a part. Count sets how many are up in that part.
func (s *ScopeLines) Parts() []ScopeLine {
	var parts []ScopeLine
	for _, l := range s.lines {
		if l.Part && l.MinHosts > 0 {
			parts = append(parts, l)
		}
	}
	return parts
}

// Short returns the lines with too few hosts up, except for those of which only a
// part was probed.
func (s *ScopeLines) Short() []ScopeLine {
	var short []ScopeLine
	for _, l := range s.lines {
		if !l.Part && l.Up < l.MinHosts {
			short = append(short, l)
		}
	}
	return short
}
