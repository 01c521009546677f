package report

import (
	"iter"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// A collector holds a run until its end, for the formats that cannot write
// before they have seen all of it.
type collector struct {
	tool     result.Tool
	run      result.Run
	ports    []result.Port
	findings []result.Finding
	notices  []result.Notice
	failing  int // findings that the gate fails on
}

// Start implements [Writer].
func (c *collector) Start(t result.Tool, r result.Run) error {
	c.tool, c.run = t, r
	return nil
}

// Port implements [Writer].
func (c *collector) Port(p result.Port) error {
	c.ports = append(c.ports, p)
	return nil
}

// Finding implements [Writer].
func (c *collector) Finding(f result.Finding) error {
	c.findings = append(c.findings, f)
	return nil
}

// Notice implements [Writer].
func (c *collector) Notice(n result.Notice) error {
	c.notices = append(c.notices, n)
	return nil
}

// finish sorts what was collected and keeps of the run's rules those that a
// finding names.
func (c *collector) finish(r result.Run) {
	sortPorts(c.ports)
	c.ports = lastOfEach(c.ports)
	sortFindings(c.findings)
	sortNotices(c.notices)
	used := make(map[string]bool)
	for i := range c.findings {
		used[c.findings[i].Rule] = true
		if c.findings[i].Fails() {
			c.failing++
		}
	}
	r.Rules = usedRules(r.Rules, used)
	c.run = r
}

// lastOfEach keeps of the records of one port, which stand together, the one
// that came last.
func lastOfEach(sorted []result.Port) []result.Port {
	kept := sorted[:0]
	for i := range sorted {
		if i+1 == len(sorted) || !samePlace(&sorted[i], &sorted[i+1]) {
			kept = append(kept, sorted[i])
		}
	}
	return kept
}

// brief is a view of the run as a whole, without hosts and findings.
func (c *collector) brief(s result.Summary) *view {
	return newView(&collector{tool: c.tool, run: c.run, failing: c.failing}, s, showing{})
}

// usedRules returns those of the rules that are used, sorted by id.
func usedRules(rules []result.Rule, used map[string]bool) []result.Rule {
	var kept []result.Rule
	for _, r := range rules {
		if used[r.ID] {
			kept = append(kept, r)
		}
	}
	slices.SortFunc(kept, func(a, b result.Rule) int { return strings.Compare(a.ID, b.ID) })
	return kept
}

// byPlace finds the record of an address and port.
func (c *collector) byPlace() map[string]*result.Port {
	m := make(map[string]*result.Port, len(c.ports))
	for i := range c.ports {
		m[place(c.ports[i].IP, c.ports[i].Port)] = &c.ports[i]
	}
	return m
}

// findingsByPlace finds the findings of an address and port.
func (c *collector) findingsByPlace() map[string][]*result.Finding {
	m := make(map[string][]*result.Finding, len(c.findings))
	for i := range c.findings {
		f := &c.findings[i]
		p := place(f.IP, f.Port)
		m[p] = append(m[p], f)
	}
	return m
}

// shown lists the findings that stand and are to be shown, the most urgent
// first. The run must be finished.
func (c *collector) shown(only string) []*result.Finding {
	var list []*result.Finding
	for i := range c.findings {
		if f := &c.findings[i]; f.Active() && shows(f, only) {
			list = append(list, f)
		}
	}
	return list
}

// hostPorts yields the ports of each host; ports must be sorted.
func hostPorts(ports []result.Port) iter.Seq[[]result.Port] {
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
