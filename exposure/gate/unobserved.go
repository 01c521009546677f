package gate

import (
	"fmt"
	"math"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// unobserved checks what the run did not see.
func (g Criteria) unobserved(v *Decision, facts RunFacts) {
	for _, n := range facts.Incomplete {
		v.add(ExitIncomplete, n)
	}
	for _, n := range facts.Unresolved {
		reason := ""
		if n.Reason != "" {
			reason = " (" + n.Reason + ")"
		}
		v.unless(n.Acceptance, exposure.NewNotice(exposure.NoticeUnresolved, n.Name, n.Anchor, "The name %q did not resolve%s.", n.Name, reason))
	}
	for i := range facts.Canaries {
		if c := &facts.Canaries[i]; !c.Answered {
			v.CanariesOK = false
			v.add(ExitIncomplete, c.notice(facts.ended()))
		}
	}
	if facts.Blocked {
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeAllBlocked, "", nil,
			"Targets that had answered stopped answering, whatever the rate, and did not recover."))
	}
	if facts.stopped() {
		return // which is why the rest was not seen
	}
	first := len(v.Notices)
	v.Notices = append(v.Notices, facts.Unknown.Notices()...)
	if unrouted := g.cover(v, facts); g.short(v, facts) || unrouted {
		v.raise(ExitIncomplete)
		for i := range v.Notices[first:] {
			if n := &v.Notices[first+i]; n.Code == exposure.NoticeNoRoute {
				n.Level = result.LevelError
			}
		}
	}
}

// short checks the hosts and pairs that are required but have no conclusive
// result. It reports whether a missing route, which has its own notice, is the
// reason for some of them.
func (g Criteria) short(v *Decision, facts RunFacts) (unrouted bool) {
	unrouted = facts.Unknown != nil && facts.Unknown.unroutedRequired > 0
	if n := facts.Unknown.Required(); n > 0 {
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeRequired, "", nil,
			"%s must have a conclusive result and %s none: %s.", wording.Plural(n, "port"), map[bool]string{true: "has", false: "have"}[n == 1], examples(facts.Unknown.examples, n)))
	}
	for _, l := range facts.Short {
		if l.Up == 0 && facts.Unknown.unroutedIn(l.Range) {
			unrouted = true
			continue
		}
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeFewHosts, l.Text, l.Anchor,
			"%s up in %s, at least %d required.", wording.Plural(l.Up, "host"), l.Text, l.MinHosts))
	}
	if up := facts.Coverage.HostsUp; up < g.MinHosts {
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeFewHosts, "", nil, "%s up, at least %d required.", wording.Plural(up, "host"), g.MinHosts))
	}
	return unrouted
}

// unless makes the run incomplete, unless the notice is accepted.
func (v *Decision) unless(a *result.Acceptance, n result.Notice) {
	if a != nil {
		v.Notices = append(v.Notices, exposure.AcceptNotice(n, a))
		return
	}
	v.add(ExitIncomplete, n)
}

// examples lists the first of n required pairs, grouped by reason.
func examples(list []requiredPair, n uint64) string {
	var order []Requirement
	by := map[Requirement][]string{}
	for _, p := range list {
		if by[p.why] == nil {
			order = append(order, p.why)
		}
		by[p.why] = append(by[p.why], p.what)
	}
	var parts []string
	for _, why := range order {
		parts = append(parts, fmt.Sprintf("%s (%s)", strings.Join(by[why], ", "), why))
	}
	text := strings.Join(parts, ", ")
	if n > uint64(len(list)) && len(list) == maxRequired {
		text += ", ..."
	}
	return text
}

// nothingInScope says that nothing was scanned, and of which file that comes.
func nothingInScope(emptyScope string) string {
	if emptyScope == "" {
		return "Nothing was in scope."
	}
	return fmt.Sprintf("Nothing was in scope: %q has no entries, or only excludes.", emptyScope)
}

// cover compares the coverage with the minimum. A run without any conclusive
// result is incomplete whatever the minimum is; NaN is a minimum that is never
// reached. It reports whether the coverage is too low because of a missing route,
// which has its own notice.
func (g Criteria) cover(v *Decision, facts RunFacts) (unrouted bool) {
	c := facts.Coverage
	only := facts.Unknown.onlyUnrouted(c.Unknown())
	switch {
	case c.PlanUnknown:
		return false // the notice about the run that is not complete says it
	case c.Planned == 0 && facts.EmptyShard:
		v.Notices = append(v.Notices, exposure.NewNotice(exposure.NoticeEmptyShard, "", nil, "This shard contains no host."))
		return false
	case c.Planned+c.VacantPairs+c.Accepted == 0 && facts.Nothing != nil:
		v.add(ExitIncomplete, *facts.Nothing)
		return false
	case c.Planned+c.VacantPairs+c.Accepted == 0:
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeNothingInScope, "", nil, "%s", nothingInScope(facts.EmptyScope)))
		return false
	case c.HostsUp == 0 && only:
		return true
	case c.HostsUp == 0 && !facts.canaryAnswered():
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeNothingSeen, "", nil,
			"No port answered: %s sent no packet.", wording.Plural(c.HostsSilent+c.HostsVacant, "address")))
		for _, t := range facts.Silent {
			if t.Acceptance != nil { // otherwise the entry would be reported as unused
				v.unless(t.Acceptance, t.notice())
			}
		}
		return false
	}
	for _, t := range facts.Silent {
		if t.Acceptance == nil && facts.Unknown.hasNoRoute(t.Addr) {
			unrouted = true
			continue
		}
		v.unless(t.Acceptance, t.notice())
	}
	nothing := c.Planned > 0 && c.Conclusive() == 0
	if nothing || !(c.Ratio() >= g.MinCoverage) || math.IsNaN(g.MinCoverage) {
		if only {
			return true
		}
		vacant := ""
		if c.HostsSilent > uint64(len(facts.Silent)) { // the others are in ranges
			vacant = " If addresses of a range are silent, a --canary HOST:PORT that answers on another machine shows that they are vacant."
		}
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeCoverage, "", nil,
			"%d of %s conclusive (%s), the minimum is %s; %s up, %d silent.%s",
			c.Conclusive(), wording.Plural(c.Planned, "pair"), percent(c.Ratio()), percent(g.MinCoverage), wording.Plural(c.HostsUp, "host"), c.HostsSilent, vacant))
	}
	return unrouted
}

// notice returns the notice about a silent target.
func (t *SilentTarget) notice() result.Notice {
	n := exposure.NewNotice(exposure.NoticeSilent, t.Addr.String(), t.Anchor,
		"%s did not answer on any of %s.", wording.Named(t.Addr, t.Host), wording.Plural(t.Pairs, "port"))
	n.Names = t.Names
	return n
}

// percent rounds down, so that a ratio below the minimum is never displayed as
// the minimum.
func percent(r float64) string { return fmt.Sprintf("%.1f%%", math.Floor(r*1000)/10) }
