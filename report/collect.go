package report

import (
	"iter"
	"slices"
	"strings"
)

// A collector holds a run until its end, for the formats that cannot write
// before they have seen all of it.
type collector struct {
	tool     Tool
	run      Run
	ports    []Port
	findings []Finding
	notices  []Notice
	failing  int // findings that the gate fails on
}

// Start implements [Writer].
func (c *collector) Start(t Tool, r Run) error {
	c.tool, c.run = t, r
	return nil
}

// Port implements [Writer].
func (c *collector) Port(p Port) error {
	c.ports = append(c.ports, p)
	return nil
}

// Finding implements [Writer].
func (c *collector) Finding(f Finding) error {
	c.findings = append(c.findings, f)
	return nil
}

// Notice implements [Writer].
func (c *collector) Notice(n Notice) error {
	c.notices = append(c.notices, n)
	return nil
}

// finish sorts what was collected and keeps of the run's rules those that a
// finding names.
func (c *collector) finish(r Run) {
	sortPorts(c.ports)
	c.ports = lastOfEach(c.ports)
	sortFindings(c.findings)
	sortNotices(c.notices)
	used := make(map[string]bool)
	for i := range c.findings {
		used[c.findings[i].Rule] = true
		if c.findings[i].fails() {
			c.failing++
		}
	}
	r.Rules = usedRules(r.Rules, used)
	c.run = r
}

// lastOfEach keeps of the records of one port, which stand together, the one
// that came last.
func lastOfEach(sorted []Port) []Port {
	kept := sorted[:0]
	for i := range sorted {
		if i+1 == len(sorted) || comparePorts(sorted[i], sorted[i+1]) != 0 {
			kept = append(kept, sorted[i])
		}
	}
	return kept
}

// brief is a view of the run as a whole, without hosts and findings.
func (c *collector) brief(s Summary) *view {
	return newView(&collector{tool: c.tool, run: c.run, failing: c.failing}, s, showing{})
}

// usedRules returns those of the rules that are used, sorted by id.
func usedRules(rules []Rule, used map[string]bool) []Rule {
	var kept []Rule
	for _, r := range rules {
		if used[r.ID] {
			kept = append(kept, r)
		}
	}
	slices.SortFunc(kept, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return kept
}

// byPlace finds the record of an address and port.
func (c *collector) byPlace() map[string]*Port {
	m := make(map[string]*Port, len(c.ports))
	for i := range c.ports {
		m[place(c.ports[i].IP, c.ports[i].Port)] = &c.ports[i]
	}
	return m
}

// findingsByPlace finds the findings of an address and port.
func (c *collector) findingsByPlace() map[string][]*Finding {
	m := make(map[string][]*Finding, len(c.findings))
	for i := range c.findings {
		f := &c.findings[i]
		p := place(f.IP, f.Port)
		m[p] = append(m[p], f)
	}
	return m
}

// shown lists the findings that stand and are to be shown, the most urgent
// first. The run must be finished.
func (c *collector) shown(only string) []*Finding {
	var list []*Finding
	for i := range c.findings {
		if f := &c.findings[i]; f.live() && f.in(only) {
			list = append(list, f)
		}
	}
	return list
}

// hostPorts yields the ports of each host; ports must be sorted.
func hostPorts(ports []Port) iter.Seq[[]Port] {
	return func(yield func([]Port) bool) {
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
