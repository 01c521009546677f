package saved

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// driftWeight has the order of precedence of the drifts that several runs have
// for one finding.
var driftWeight = []result.Drift{
	result.DriftNew, result.DriftReopened, result.DriftExpired, result.DriftUpdated,
	result.DriftUnverified, result.DriftUnchanged, result.DriftNone, "",
}

// findings merges the findings of all runs. A finding of one run counts, whatever
// the others say; one that was not found again is fixed if one run has proven it,
// otherwise unverified.
func (m *Merger) findings() []exposure.Violation {
	var seen, gone []exposure.Violation
	drift := map[string]result.Drift{}
	found := map[string]bool{}
	for _, r := range m.Runs {
		for i := range r.Findings {
			f := r.finding(&r.Findings[i])
			if f.Carried {
				gone = append(gone, f)
				continue
			}
			m.lower(&f, r)
			if before, ok := drift[f.ID]; !ok || slices.Index(driftWeight, f.Drift) < slices.Index(driftWeight, before) {
				drift[f.ID] = f.Drift
			}
			found[f.ID] = true
			m.status(&f)
			seen = append(seen, f)
		}
		for _, f := range m.forbidden(r) {
			if !found[f.ID] {
				m.lower(&f, r)
				found[f.ID], drift[f.ID] = true, f.Drift
				seen = append(seen, f)
			}
		}
		if m.once {
			r.Findings = nil // which take much memory
		}
	}
	seen = exposure.JoinAddresses(seen)
	for i := range seen {
		seen[i].Drift = drift[seen[i].ID]
	}
	slices.SortStableFunc(gone, func(a, b exposure.Violation) int {
		fixed := func(f *exposure.Violation) int { return map[bool]int{true: 0, false: 1}[f.Drift == result.DriftFixed] }
		return fixed(&a) - fixed(&b)
	})
	for i := range gone {
		if !found[gone[i].ID] {
			found[gone[i].ID] = true
			seen = append(seen, gone[i])
		}
	}
	alsoSeen(seen)
	return seen
}

// status sets the status of a finding according to the policy of the merged run
// or, without one, that of its own run as long as it is valid.
func (m *Merger) status(f *exposure.Violation) {
	if m.Policy != nil {
		m.Policy.Apply(f, m.Now)
		return
	}
	if a := f.Acceptance; f.Status == result.StatusAccepted && (a == nil || !a.Holds(m.Now)) {
		f.Status, f.Acceptance = result.StatusOpen, nil
	}
}

// lower reduces the severity of a finding on an address of the scanning machine
// to that of a service that only the host can reach, if another run, from another
// machine, saw its port closed or filtered.
func (m *Merger) lower(f *exposure.Violation, by *RunFile) {
	if f.Reachability != result.ReachabilityAssumed {
		return
	}
	var from []string
	for _, addr := range f.AllAddresses() {
		vantage, ok := m.unreached(addr, f.Target.Port(), by)
		if !ok {
			return
		}
		from = append(from, vantage)
	}
	f.Severity, f.Score, f.Reachability = result.SeverityInfo, 0, ""
	f.Evidence = append(slices.Clip(f.Evidence), fmt.Sprintf("the port is closed or filtered from the vantage point %s: only the host itself can reach it",
		strings.Join(slices.Compact(from), ", ")))
}

// unreached reports whether a run from another machine saw the port closed or, of
// a host that was up, filtered, and none saw it open.
func (m *Merger) unreached(addr netip.Addr, port uint16, by *RunFile) (vantage string, ok bool) {
	for _, r := range m.Runs {
		if r == by || r.Record.Vantage == string(exposure.ClassHost) {
			continue
		}
		up, state := false, result.State("")
		for _, p := range r.ports {
			if p.IP.Unmap() != addr || p.Reachability != "" {
				continue
			}
			up = up || p.State == result.StateOpen || p.State == result.StateClosed
			if p.Port == port {
				state = p.State
			}
		}
		switch {
		case state == result.StateOpen:
			return "", false
		case state == result.StateClosed, state == result.StateFiltered && up:
			vantage, ok = r.Record.Vantage, true
		}
	}
	return vantage, ok
}

// alsoSeen adds to findings seen from several vantage points from where else they
// were seen.
func alsoSeen(findings []exposure.Violation) {
	groups := map[string][]string{}
	for i := range findings {
		if f := &findings[i]; !f.Carried && !slices.Contains(groups[f.GroupID], f.Vantage) {
			groups[f.GroupID] = append(groups[f.GroupID], f.Vantage)
		}
	}
	for i := range findings {
		f := &findings[i]
		others := slices.DeleteFunc(slices.Clone(groups[f.GroupID]), func(v string) bool { return v == f.Vantage })
		if !f.Carried && len(others) > 0 {
			f.Evidence = append(slices.Clip(f.Evidence), "also found from the vantage point "+strings.Join(others, ", "))
		}
	}
}

// portRecords returns one record for each port: if several runs have one, the
// most informative.
func (m *Merger) portRecords() []*result.Port {
	at := map[netip.AddrPort]int{}
	var list []*result.Port
	for _, r := range m.Runs {
		for _, p := range r.ports {
			key := netip.AddrPortFrom(p.IP, p.Port)
			i, ok := at[key]
			if !ok {
				at[key] = len(list)
				list = append(list, p)
			} else if tellsMore(p, list[i]) {
				list[i] = p
			}
		}
	}
	return list
}

// tellsMore reports whether record p is more informative than q: first open, then
// reachable by others, then by its service and the confidence. If both are equal,
// the later one counts.
func tellsMore(p, q *result.Port) bool {
	rank := func(p *result.Port) int {
		switch p.State {
		case result.StateOpen:
			n := 4
			if p.Reachability == "" {
				n += 2
			}
			if p.Service != nil && p.Service.Inconclusive == "" {
				n++
			}
			return n
		case result.StateClosed:
			return 2
		case result.StateFiltered:
			return 1
		}
		return 0
	}
	confidence := func(p *result.Port) int {
		if p.Service == nil {
			return 0
		}
		return p.Service.Confidence
	}
	return cmp.Or(cmp.Compare(rank(p), rank(q)), cmp.Compare(confidence(p), confidence(q)), p.Timestamp.Compare(q.Timestamp.Time)) > 0
}
