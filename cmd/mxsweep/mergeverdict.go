package main

import (
	"net/netip"
	"slices"

	"mxsweep/exposure"
	"mxsweep/report"
	"mxsweep/scan"
)

// A mergedConclusion is what a merged run comes to.
type mergedConclusion struct {
	conclusion
	ports []report.Port
}

// recounted are the notices that a merged run makes itself.
var recounted = []string{
	exposure.NoticeCoverage, exposure.NoticeNothingInScope, exposure.NoticeBaseline, exposure.NoticeUnverified,
	exposure.NoticeConfidence, exposure.NoticeAcceptanceExpired, exposure.NoticeAcceptanceSoon, exposure.NoticeAcceptanceUnused,
	exposure.NoticeNothingOpen, exposure.NoticeWideAcceptance, exposure.NoticeExpectedMissing, exposure.NoticeShardMissing, exposure.NoticeRunsDiffer,
}

// conclude judges the runs as one.
func (m *merger) conclude() mergedConclusion {
	c := mergedConclusion{ports: m.portRecords()}
	findings, err := m.findings()
	facts := exposure.RunFacts{Coverage: m.coverage(), Canaries: m.canaries(), Aborted: err}
	var drifted []exposure.Notice
	if m.baseline != nil && err == nil {
		findings, drifted = m.drift(findings)
	}
	c.findings = findings
	carried, whole := m.carried(&facts)
	facts.Incomplete = append(facts.Incomplete, m.missing...)
	c.verdict = m.gate.Decide(facts, c.findings)
	c.verdict.Complete = c.verdict.Complete && whole
	c.verdict.Notices = slices.Concat(c.verdict.Notices, drifted, m.differ, carried)
	entries := m.policy.Notices(c.findings, c.verdict.Notices, m.now)
	c.verdict.Notices = append(c.verdict.Notices, entries...)
	c.summary = m.summary(&c.verdict, facts.Coverage)
	c.summary.AcceptancesExpired, c.summary.AcceptancesUnused = exposure.Tally(entries)
	return c
}

// coverage adds up what the runs saw. Of a run that did not count its states,
// all that was conclusive is taken for open, on which no caveat rests.
func (m *merger) coverage() exposure.Coverage {
	var sum exposure.Coverage
	for _, r := range m.runs {
		c := r.summary.Coverage
		sum.Planned += c.Planned
		sum.HostsUp += uint64(max(c.HostsUp, 0))
		sum.HostsSilent += uint64(max(c.HostsSilent, 0))
		n := c.CoverageCounts
		if n == nil {
			sum.Open += c.Answered
			continue
		}
		sum.Open += n.Open
		sum.Closed += n.Closed
		sum.Filtered += n.Filtered
		sum.HostsVacant += n.Vacant
		sum.VacantPairs += n.Vacant // at least
	}
	return sum
}

// canaries stands for those of the runs: one that answered, if all did. One that
// did not is told by a notice of its run.
func (m *merger) canaries() []exposure.Canary {
	for _, r := range m.runs {
		if ok := r.summary.Coverage.CanariesOK; ok != nil && *ok {
			return []exposure.Canary{{Answered: true}}
		}
	}
	return nil
}

// counts are the numbers of the merged coverage, nil if a run lacks them.
func (m *merger) counts(c exposure.Coverage) *report.CoverageCounts {
	if slices.ContainsFunc(m.runs, func(r *savedRun) bool { return r.summary.Coverage.CoverageCounts == nil }) {
		return nil
	}
	return &report.CoverageCounts{Open: c.Open, Closed: c.Closed, Filtered: c.Filtered, Unknown: c.Unknown(), Vacant: c.HostsVacant}
}

// summary closes the report.
func (m *merger) summary(v *exposure.Verdict, c exposure.Coverage) report.Summary {
	s := report.Summary{
		Complete: v.Complete, Incomplete: v.Incomplete || !v.Complete,
		ExitCode: int(v.Code), Gate: v.Gate, FailOn: m.gate.FailOn.String(), Reason: v.Reason,
		Coverage: report.Coverage{
			Planned: c.Planned, Answered: c.Conclusive(), Ratio: c.Ratio(),
			HostsUp: int(c.HostsUp), HostsSilent: int(c.HostsSilent), CoverageCounts: m.counts(c),
		},
	}
	for _, r := range m.runs {
		s.Coverage.Loss = max(s.Coverage.Loss, r.summary.Coverage.Loss)
		if ok := r.summary.Coverage.CanariesOK; ok != nil {
			all := *ok && (s.Coverage.CanariesOK == nil || *s.Coverage.CanariesOK)
			s.Coverage.CanariesOK = &all
		}
	}
	return s
}

// carried gives the notices of the runs that hold for the merged run too, adds
// those that keep it from being whole to facts, and reports whether all runs came
// to their end.
func (m *merger) carried(facts *exposure.RunFacts) (notices []exposure.Notice, whole bool) {
	whole = true
	said := map[string]bool{}
	for _, r := range m.runs {
		explained := false
		_, shards := partOf(r)
		for _, w := range r.notices {
			// That no host of a shard is up says nothing of the whole.
			if slices.Contains(recounted, w.Code) || w.Code == exposure.NoticeNothingSeen && shards > 1 {
				explained = true
				continue
			}
			n := exposure.Notice{Code: w.Code, Level: exposure.Level(w.Level), Message: w.Message, Target: w.Target, Anchor: anchorFrom(w.Anchor)}
			key := n.Code + "\x00" + n.Target + "\x00" + n.Message
			if said[key] {
				explained = true
				continue
			}
			said[key] = true
			if n.Level == exposure.LevelError {
				facts.Incomplete = append(facts.Incomplete, n)
				explained = true
			} else {
				notices = append(notices, n)
			}
		}
		whole = whole && r.summary.Complete
		short := r.summary.Incomplete || r.summary.Gate == report.GateIncomplete
		empty := r.summary.Coverage.Planned == 0 // an empty shard
		if !r.summary.Complete || short && !explained && !empty {
			facts.Incomplete = append(facts.Incomplete, exposure.NewNotice(exposure.NoticePartIncomplete, "", nil, "The run %q is not complete.", r.file))
		}
	}
	return notices, whole
}

// drift compares what was found with the baseline, from each vantage point with
// what was found from there.
func (m *merger) drift(findings []exposure.Finding) ([]exposure.Finding, []exposure.Notice) {
	vantages := m.distinct(func(r *savedRun) []string { return []string{r.run.Vantage} })
	var list []exposure.Finding
	var notices []exposure.Notice
	fixed := map[string]exposure.Finding{}
	for _, f := range findings {
		if f.Drift == exposure.DriftFixed && m.sameBaseline() {
			fixed[f.ID] = f
		}
	}
	for i, vantage := range vantages {
		part := m.entriesOf(vantages, i)
		c := part.Compare(m.conditions(vantage), m.rules)
		counter := exposure.NewCoverageCounter(0, 0)
		lost := 0.0
		for _, r := range m.runs {
			if r.run.Vantage == vantage {
				m.show(r, c, counter)
				lost = max(lost, r.summary.Coverage.Loss)
			}
		}
		c.Loss(lost)
		var found []exposure.Finding
		for _, f := range findings {
			if !f.Carried && (f.Vantage == vantage || i == 0 && !slices.Contains(vantages, f.Vantage)) {
				found = append(found, f)
			}
		}
		with, told := c.Finish(found, counter, m.policy, m.now)
		list = append(list, with...)
		notices = append(notices, told...)
	}
	for i := range list {
		if f, ok := fixed[list[i].ID]; ok && list[i].Carried && list[i].Drift == exposure.DriftUnverified {
			list[i] = f
		}
	}
	return list, notices
}

// sameBaseline reports whether all runs were compared with the baseline of the
// merged run: then what one of them showed to be fixed is.
func (m *merger) sameBaseline() bool {
	return !slices.ContainsFunc(m.runs, func(r *savedRun) bool {
		return r.run.Baseline == nil || r.run.Baseline.SHA256 != m.baseline.SHA256
	})
}

// entriesOf gives the part of the baseline that was seen from the i-th vantage
// point. The first one also has what no run looked at.
func (m *merger) entriesOf(vantages []string, i int) *exposure.Baseline {
	part := *m.baseline
	part.Entries = nil
	for _, e := range m.baseline.Entries {
		if e.Vantage == vantages[i] || i == 0 && !slices.Contains(vantages, e.Vantage) {
			part.Entries = append(part.Entries, e)
		}
	}
	part.Vantage = vantages[i]
	return &part
}

// conditions are those under which the runs from one vantage point were made.
func (m *merger) conditions(vantage string) exposure.Conditions {
	names := map[string][]netip.Addr{}
	for _, r := range m.runs {
		for i := range r.ports {
			p := &r.ports[i]
			if addr, err := netip.ParseAddr(p.IP); err == nil && p.Host != "" && !slices.Contains(names[p.Host], addr) {
				names[p.Host] = append(names[p.Host], addr)
			}
		}
	}
	return exposure.Conditions{
		Vantage: exposure.Vantage{Name: vantage}, Ports: m.ports(), Identity: m.policy.HostIdentity(),
		AddressesOf: func(name string) []netip.Addr { return names[name] },
	}
}

// show tells the comparison of the ports of a run.
func (m *merger) show(r *savedRun, c *exposure.Comparison, counter *exposure.CoverageCounter) {
	for i := range r.ports {
		p := &r.ports[i]
		addr, err := netip.ParseAddr(p.IP)
		if err != nil {
			continue
		}
		result := scan.Result{Target: netip.AddrPortFrom(addr.Unmap(), p.Port), State: scan.State(p.State), Reason: scan.Reason(p.Reason), Time: p.Timestamp.Time, Attempts: p.Attempts}
		counter.Add(result)
		c.Add(exposure.Port{Result: result, Host: p.Host, Service: serviceOf(p.Service)})
	}
}
