package view

import (
	"iter"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/result"
)

// A Collector keeps a run until its end, for formats that can be written only
// then.
type Collector struct {
	Tool     result.Tool
	Run      result.Run
	Ports    []result.Port
	Findings []result.Finding
	Notices  []result.Notice
	failing  int // number of findings that fail the gate

	// pieces are ports that Finish adds to Ports: a list of hundreds of thousands that
	// grows would leave as much memory behind as it takes.
	pieces [][]result.Port
}

// pieceSize is how many ports a piece has.
const pieceSize = 1 << 10

// Start implements [format.Writer].
func (c *Collector) Start(t result.Tool, r result.Run) error {
	c.Tool, c.Run = t, r
	return nil
}

// Port implements [format.Writer].
func (c *Collector) Port(p result.Port) error {
	last := len(c.pieces) - 1
	if last < 0 || len(c.pieces[last]) == pieceSize {
		var piece []result.Port
		if last >= 0 { // most runs have few
			piece = make([]result.Port, 0, pieceSize)
		}
		c.pieces = append(c.pieces, piece)
		last++
	}
	c.pieces[last] = append(c.pieces[last], p)
	return nil
}

// join moves the ports from their pieces to one list.
func (c *Collector) join() {
	n := len(c.Ports)
	for _, piece := range c.pieces {
		n += len(piece)
	}
	c.Ports = slices.Grow(c.Ports, n-len(c.Ports))
	for i, piece := range c.pieces {
		c.Ports = append(c.Ports, piece...)
		c.pieces[i] = nil // is free from now on
	}
	c.pieces = nil
}

// Finding implements [format.Writer].
func (c *Collector) Finding(f result.Finding) error {
	c.Findings = append(c.Findings, f)
	return nil
}

// Notice implements [format.Writer].
func (c *Collector) Notice(n result.Notice) error {
	c.Notices = append(c.Notices, n)
	return nil
}

// Finish sorts what was collected and removes the rules that no finding refers
// to.
func (c *Collector) Finish(r result.Run) {
	c.join()
	sortPorts(c.Ports)
	c.Ports = lastOfEach(c.Ports)
	SortFindings(c.Findings)
	SortNotices(c.Notices)
	used := make(map[string]bool)
	for i := range c.Findings {
		used[c.Findings[i].Rule] = true
		if c.Findings[i].Fails() {
			c.failing++
		}
	}
	r.Rules = UsedRules(r.Rules, used)
	if r.Paths == nil {
		r.Paths = mailpath.Derive(c.Ports) // a run of an earlier version, or one of several
	}
	c.Run = r
}

// lastOfEach keeps the last of consecutive records of the same port.
func lastOfEach(sorted []result.Port) []result.Port {
	kept := sorted[:0]
	for i := range sorted {
		if i+1 == len(sorted) || !samePlace(&sorted[i], &sorted[i+1]) {
			kept = append(kept, sorted[i])
		}
	}
	return kept
}

// Brief returns a view of the run as a whole, without hosts and findings.
func (c *Collector) Brief(s result.Summary) *View {
	return New(&Collector{Tool: c.Tool, Run: c.Run, failing: c.failing}, s, Showing{})
}

// UsedRules returns the rules with the ids in used, sorted by id.
func UsedRules(rules []result.RuleInfo, used map[string]bool) []result.RuleInfo {
	var kept []result.RuleInfo
	for _, r := range rules {
		if used[r.ID] {
			kept = append(kept, r)
		}
	}
	slices.SortFunc(kept, func(a, b result.RuleInfo) int { return strings.Compare(a.ID, b.ID) })
	return kept
}

// ByPlace returns the records by address and port.
func (c *Collector) ByPlace() map[string]*result.Port {
	m := make(map[string]*result.Port, len(c.Ports))
	for i := range c.Ports {
		m[PortPlace(&c.Ports[i])] = &c.Ports[i]
	}
	return m
}

// FindingsByPlace returns the findings by address and port.
func (c *Collector) FindingsByPlace() map[string][]*result.Finding {
	m := make(map[string][]*result.Finding, len(c.Findings))
	for i := range c.Findings {
		f := &c.Findings[i]
		p := FindingPlace(f)
		m[p] = append(m[p], f)
	}
	return m
}

// Shown returns the active findings to be shown, the most urgent first. Finish
// must have been called.
func (c *Collector) Shown(only string) []*result.Finding {
	var list []*result.Finding
	for i := range c.Findings {
		if f := &c.Findings[i]; f.Active() && Shows(f, only) {
			list = append(list, f)
		}
	}
	return list
}

// HostPorts yields the ports of each host; ports must be sorted.
func HostPorts(ports []result.Port) iter.Seq[[]result.Port] {
	return func(yield func([]result.Port) bool) {
		for len(ports) > 0 {
			n := 1
			for n < len(ports) && ports[n].IP == ports[0].IP {
				n++
			}
			if !yield(ports[:n]) {
				return
			}
			ports = ports[n:]
		}
	}
}
