package saved

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// portOf returns the subject of a judgement for a port record.
func portOf(p *result.Port, pair netip.AddrPort) exposure.Subject {
	return exposure.Subject{Host: p.Host, Aliases: p.Aliases, Service: serviceOf(p.Service), Anchor: p.Anchor, Reachability: p.Reachability,
		Result: scan.Result{Target: pair, State: p.State, Reason: p.Reason, Time: p.Timestamp.Time, Attempts: p.Attempts}}
}

// pairOf returns the pair of a record.
func pairOf(p *result.Port) netip.AddrPort { return netip.AddrPortFrom(p.IP.Unmap(), p.Port) }

// forbidden returns the findings for open ports of a run that the policy of the
// merged run forbids; the run's own policy may have allowed them.
func (m *Merger) forbidden(r *RunFile) []exposure.Violation {
	if m.Policy == nil || len(m.Policy.MustBeClosed) == 0 {
		return nil
	}
	vantages, has := map[netip.AddrPort]string{}, map[netip.AddrPort]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		pair := netip.AddrPortFrom(f.IP.Unmap(), f.Port)
		vantages[pair], has[pair] = f.Vantage, has[pair] || f.Rule == exposure.RuleForbidden && f.Drift != result.DriftFixed
	}
	judge := exposure.Judge{Rules: m.Rules, Policy: m.Policy, Identity: m.Policy.HostIdentity(), Now: m.Now}
	var list []exposure.Violation
	for _, p := range r.ports {
		pair := pairOf(p)
		if has[pair] {
			continue
		}
		var err error
		name := cmp.Or(vantages[pair], r.Record.Vantage)
		if judge.Vantage, err = exposure.ParseVantage(name, m.Policy.NamedVantages()); err != nil {
			judge.Vantage = exposure.Vantage{Name: name} // the run had it from another policy
		}
		for _, f := range judge.Forbidden(portOf(p, pair)) {
			if m.Compared() {
				f.Drift = result.DriftNew // otherwise the run would have the finding
			}
			list = append(list, f)
		}
	}
	return list
}

// required returns the pairs that the policy of the merged run expects, or
// requires to be closed, and that are unknown from a vantage point, except for
// those with a notice in told.
func (m *Merger) required(told []result.Notice) *gate.UnknownPairs {
	if m.Policy == nil {
		return nil
	}
	needs := gate.Requirements{Policy: m.Policy}
	if !needs.AnyPort() {
		return nil
	}
	var list gate.UnknownPairs
	for _, best := range m.bestRecords(func(p *result.Port, pair netip.AddrPort) bool { return needs.OfPort(pair, namesOf(p)...) != "" }) {
		why := needs.OfPort(best.pair, namesOf(best.record)...)
		mentioned := slices.ContainsFunc(told, func(n result.Notice) bool {
			place := " " + best.pair.String()
			return n.Code == exposure.NoticeRequired && (strings.Contains(n.Message, place+" ") || strings.Contains(n.Message, place+","))
		})
		if !mentioned && m.unsettled(best, why) {
			list.Require(best.pair.String(), 1, why)
		}
	}
	return &list
}

// A runRecord is the record of a pair in a run.
type runRecord struct {
	run    *RunFile
	pair   netip.AddrPort
	record *result.Port
	up     bool // the host sent a packet during the run
}

// bestRecords returns the most informative record for each pair for which wanted
// returns true and each vantage point.
func (m *Merger) bestRecords(wanted func(*result.Port, netip.AddrPort) bool) []runRecord {
	type place struct {
		vantage string
		pair    netip.AddrPort
	}
	at := map[place]int{}
	var list []runRecord
	for _, r := range m.Runs {
		up := r.up()
		for _, p := range r.ports {
			pair := pairOf(p)
			if !wanted(p, pair) {
				continue
			}
			one, key := runRecord{r, pair, p, up[pair.Addr()]}, place{r.Record.Vantage, pair}
			if n, known := at[key]; !known {
				at[key] = len(list)
				list = append(list, one)
			} else if tellsMore(p, list[n].record) {
				list[n] = one
			}
		}
	}
	return list
}

// unsettled reports whether there is no conclusive result for a pair that the
// policy names. An open port that must be closed has a finding, which is enough
// if the policy accepts that its host cannot be assessed.
func (m *Merger) unsettled(b runRecord, why gate.Requirement) bool {
	addr, names := b.pair.Addr(), namesOf(b.record)
	switch b.record.State {
	case result.StateClosed:
		return false
	case result.StateFiltered:
		return !b.up && m.countsSilent(b.run, addr, names)
	case result.StateOpen:
		accepted := m.Policy.AcceptsNotice(exposure.NoticeWildcard, addr, names, m.Now) != nil || m.Policy.AcceptsNotice(exposure.NoticeUnresponsiveHost, addr, names, m.Now) != nil
		return b.record.Service != nil && !m.Policy.Assessed(portOf(b.record, b.pair)) && !(accepted && why == gate.RequiredClosed)
	}
	return true
}

// countsSilent reports whether a silent address of a run counts as unknown: it is
// not vacant, and has no notice of its own.
func (m *Merger) countsSilent(r *RunFile, addr netip.Addr, names []string) bool {
	if slices.ContainsFunc(r.notices, func(n result.Notice) bool { return n.Code == exposure.NoticeSilent && n.Target == addr.String() }) {
		return false
	}
	needs := gate.Requirements{Policy: m.Policy}
	c := &r.Summary.Coverage
	return needs.Expected(addr, names...) || c.HostsSilent > 0 && (c.CoverageCounts == nil || c.Vacant == 0)
}

// namesOf returns the names of a record's host.
func namesOf(p *result.Port) []string {
	if p.Host == "" {
		return p.Aliases
	}
	return append([]string{p.Host}, p.Aliases...)
}
