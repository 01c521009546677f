package saved

import (
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/result"
)

// A Merged is the result of merging runs.
type Merged struct {
	Findings []exposure.Violation
	Decision gate.Decision

	ports   []*result.Port
	summary result.Summary
}

// Conclude judges the runs as one.
func (m *Merger) Conclude() Merged {
	c := Merged{ports: m.portRecords()}
	c.Findings = m.findings()
	facts := gate.RunFacts{Coverage: m.coverage(), Short: m.short(), Canaries: m.canaries()}
	var drifted []result.Notice
	if m.Baseline != nil {
		c.Findings, drifted = m.drift(c.Findings)
	}
	carried, whole := m.carried(&facts)
	facts.Incomplete = append(facts.Incomplete, m.missing...)
	facts.Unknown = m.required(facts.Incomplete)
	c.Decision = gate.Decide(m.Gate, facts, c.Findings)
	if len(m.missing) > 0 { // which have the rest of the scope
		c.Decision.Notices = slices.DeleteFunc(c.Decision.Notices, func(n result.Notice) bool { return n.Code == exposure.NoticeNothingInScope })
	}
	c.Decision.Complete = c.Decision.Complete && whole
	c.Decision.Notices = slices.Concat(c.Decision.Notices, drifted, m.differ, carried, m.Policy.NeverAskedBy(m.askedParts()))
	entries := m.Policy.Notices(c.Findings, c.Decision.Notices, m.Now)
	c.Decision.Notices = append(c.Decision.Notices, entries...)
	c.summary = m.summary(&c.Decision, facts.Coverage)
	c.summary.AcceptancesExpired, c.summary.AcceptancesUnused = policy.Tally(entries)
	return c
}

// drift compares the findings with the baseline, separately for each vantage
// point.
func (m *Merger) drift(findings []exposure.Violation) ([]exposure.Violation, []result.Notice) {
	vantages := m.distinct(func(r *RunFile) []string { return []string{r.Record.Vantage} })
	var list []exposure.Violation
	var notices []result.Notice
	fixed := map[string]exposure.Violation{}
	for _, f := range findings {
		if f.Drift == result.DriftFixed && m.sameBaseline() {
			fixed[f.ID] = f
		}
	}
	for i, vantage := range vantages {
		part := m.entriesOf(vantages, i)
		c := drift.Compare(part, m.conditions(vantage), m.Rules)
		counter := m.show(vantage, c)
		lost := 0.0
		for _, r := range m.Runs {
			if r.Record.Vantage == vantage {
				lost = max(lost, r.Summary.Coverage.Loss)
			}
		}
		c.Loss(lost)
		var found []exposure.Violation
		for _, f := range findings {
			if !f.Carried && (f.Vantage == vantage || i == 0 && !slices.Contains(vantages, f.Vantage)) {
				found = append(found, f)
			}
		}
		with, told := c.Finish(found, counter.Up, m.Policy, m.Now)
		list = append(list, with...)
		notices = append(notices, told...)
	}
	for i := range list {
		if f, ok := fixed[list[i].ID]; ok && list[i].Carried && list[i].Drift == result.DriftUnverified {
			list[i] = f
		}
	}
	return list, notices
}

// sameBaseline reports whether all runs were compared with the baseline of the
// merged run: then a finding that one of them proved to be fixed is fixed.
func (m *Merger) sameBaseline() bool {
	return !slices.ContainsFunc(m.Runs, func(r *RunFile) bool {
		return r.Record.Baseline == nil || r.Record.Baseline.SHA256 != m.Baseline.SHA256
	})
}

// entriesOf returns the entries of the baseline for the i-th vantage point. The
// first one also has those for vantage points without a run.
func (m *Merger) entriesOf(vantages []string, i int) *drift.Baseline {
	part := *m.Baseline
	part.Entries = nil
	for _, e := range m.Baseline.Entries {
		if e.Vantage == vantages[i] || i == 0 && !slices.Contains(vantages, e.Vantage) {
			part.Entries = append(part.Entries, e)
		}
	}
	part.Vantage = vantages[i]
	return &part
}

// conditions returns the conditions of the runs from one vantage point.
func (m *Merger) conditions(vantage string) drift.Conditions {
	names := map[string][]netip.Addr{}
	for _, r := range m.Runs {
		for _, p := range r.ports {
			if p.Host != "" && !slices.Contains(names[p.Host], p.IP) {
				names[p.Host] = append(names[p.Host], p.IP)
			}
		}
	}
	return drift.Conditions{
		Vantage: exposure.Vantage{Name: vantage}, Ports: m.ports(), Identity: m.Policy.HostIdentity(),
		AddressesOf: func(name string) []netip.Addr { return names[name] },
	}
}

// show adds the ports of the runs from a vantage point to the comparison, and
// returns the counter with the hosts that are up. If several runs have a record
// of a port, the most informative counts, whatever their order.
func (m *Merger) show(vantage string, c *drift.Comparison) *gate.CoverageCounter {
	counter := gate.NewCoverageCounter(0, 0)
	best := map[netip.AddrPort]*result.Port{}
	for _, r := range m.Runs {
		if r.Record.Vantage != vantage {
			continue
		}
		up := r.up()
		for addr := range up {
			counter.SetUp(addr)
		}
		for _, p := range r.ports {
			pair := pairOf(p)
			if !c.Knows(pair) {
				continue
			}
			if p.State == result.StateFiltered && !up[pair.Addr()] {
				unknown := *p // that another run has heard of the host proves nothing of this one
				unknown.State = result.StateUnknown
				p = &unknown
			}
			if before, ok := best[pair]; !ok || tellsMore(p, before) {
				best[pair] = p
			}
		}
	}
	for pair, p := range best {
		c.Add(portOf(p, pair))
	}
	return counter
}
