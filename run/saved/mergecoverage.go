package saved

import (
	"math"
	"math/bits"
	"slices"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// coverage adds up the coverage of the runs. For a run without counts of states,
// all conclusive pairs count as open, which leads to no caveat.
func (m *Merger) coverage() gate.PairCounts {
	var sum gate.PairCounts
	for _, r := range m.Runs {
		c := r.Summary.Coverage
		sum.Planned = capped(sum.Planned, max(c.Planned, c.Answered))
		sum.PlanUnknown = sum.PlanUnknown || r.planUnknown()
		sum.HostsUp += uint64(max(c.HostsUp, 0))
		sum.HostsSilent = capped(sum.HostsSilent, uint64(max(c.HostsSilent, 0)))
		n := c.CoverageCounts
		if n == nil {
			sum.Open += c.Answered
			continue
		}
		sum.Open += n.Open
		sum.Closed += n.Closed
		sum.Filtered += n.Filtered
		sum.HostsVacant = capped(sum.HostsVacant, n.Vacant)
		if n.VacantPairs != nil {
			sum.VacantPairs = capped(sum.VacantPairs, *n.VacantPairs)
		} else {
			sum.VacantPairs = capped(sum.VacantPairs, n.Vacant) // a minimum
		}
		if n.Accepted != nil {
			sum.Accepted = capped(sum.Accepted, *n.Accepted)
		}
	}
	sum.HostsUp = m.hostsUp(sum.HostsUp)
	return sum
}

// capped returns the sum of two counts, limited to the largest count that can be
// reported: IPv6 prefixes have more pairs.
func capped(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry > 0 {
		return math.MaxUint64
	}
	return sum
}

// short returns the scope lines that were split among shards and have too few
// hosts up in all of them together. If a shard of the sweep is missing, this is
// not known.
func (m *Merger) short() []gate.ScopeLine {
	type place struct {
		sweep  sweepKey
		ranged string
	}
	shards := map[sweepKey]int{}
	lines := map[place]*gate.ScopeLine{}
	var order []place
	for _, r := range m.Runs {
		shards[keyOf(r)]++
		for _, part := range r.Summary.Coverage.Parts {
			at := place{keyOf(r), part.Range}
			if lines[at] == nil {
				lines[at] = &gate.ScopeLine{Text: part.Line}
				order = append(order, at)
			}
			lines[at].Up += part.HostsUp
			lines[at].MinHosts = max(lines[at].MinHosts, part.MinHosts)
		}
	}
	var short []gate.ScopeLine
	for _, at := range order {
		if l := lines[at]; shards[at.sweep] == m.shards[at.sweep] && l.Up < l.MinHosts {
			short = append(short, *l)
		}
	}
	return short
}

// canaries represents the canaries of the runs by one: one that answered, if all
// canaries of a run did, on another machine than the scanner if there is such a
// run. One that did not answer is reported by a notice of its run.
func (m *Merger) canaries() []gate.WatchedCanary {
	var own []gate.WatchedCanary
	for _, r := range m.Runs {
		c := &r.Summary.Coverage
		switch {
		case c.CanariesOK == nil || !*c.CanariesOK:
		case c.CanariesOwn:
			own = []gate.WatchedCanary{{Answered: true, Own: true}}
		default:
			return []gate.WatchedCanary{{Answered: true}}
		}
	}
	return own
}

// counts returns the numbers of the merged coverage, nil if a run lacks them.
func (m *Merger) counts(c gate.PairCounts) *result.CoverageCounts {
	if slices.ContainsFunc(m.Runs, func(r *RunFile) bool { return r.Summary.Coverage.CoverageCounts == nil }) {
		return nil
	}
	counts := report.NewCoverageCounts(c)
	if slices.ContainsFunc(m.Runs, func(r *RunFile) bool { return r.Summary.Coverage.VacantPairs == nil }) {
		counts.VacantPairs, counts.Accepted = nil, nil // only a minimum is known
	}
	return counts
}

// summary returns the summary of the merged run.
func (m *Merger) summary(v *gate.Decision, c gate.PairCounts) result.Summary {
	s := result.Summary{
		Complete: v.Complete, Incomplete: v.Incomplete || !v.Complete,
		ExitCode: int(v.Code), Gate: v.Gate, FailOn: m.Gate.FailOn.String(), Reason: v.Reason,
		Coverage: result.Coverage{
			Planned: c.Planned, Answered: c.Conclusive(), Ratio: c.Ratio(),
			HostsUp: int(c.HostsUp), HostsSilent: int(min(c.HostsSilent, math.MaxInt)), CoverageCounts: m.counts(c), CanariesOwn: v.CanariesOwn,
			Up: m.upHosts(),
		},
	}
	if c.PlanUnknown {
		s.Coverage.Planned, s.Coverage.Ratio, s.Coverage.CoverageCounts = 0, 0, nil
	}
	for _, r := range m.Runs {
		s.Coverage.Loss = max(s.Coverage.Loss, r.Summary.Coverage.Loss)
		if ok := r.Summary.Coverage.CanariesOK; ok != nil {
			all := *ok && (s.Coverage.CanariesOK == nil || *s.Coverage.CanariesOK)
			s.Coverage.CanariesOK = &all
		}
	}
	return s
}
