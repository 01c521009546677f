package exposure

import (
	"fmt"
	"math"
	"strings"
)

// unobserved looks at what the run did not see.
func (g Gate) unobserved(v *Verdict, facts RunFacts) {
	for _, n := range facts.Incomplete {
		v.add(ExitIncomplete, n)
	}
	for _, n := range facts.Unresolved {
		reason := ""
		if n.Reason != "" {
			reason = " (" + n.Reason + ")"
		}
		v.unless(n.Acceptance, NewNotice(NoticeUnresolved, n.Name, n.Anchor, "The name %q did not resolve%s.", n.Name, reason))
	}
	for i := range facts.Canaries {
		if c := &facts.Canaries[i]; !c.Answered {
			v.CanariesOK = false
			v.add(ExitIncomplete, NewNotice(NoticeCanary, c.Target(), c.Anchor, "%s", c.complaint()))
		}
	}
	if facts.Shut {
		v.add(ExitIncomplete, NewNotice(NoticeShutOut, "", nil,
			"What had answered stopped to, at any rate, and did not come back."))
	}
	if facts.Refused != nil || facts.stopped() {
		return // which is why the rest was not seen
	}
	v.Notices = append(v.Notices, facts.Unknown.Notices()...)
	g.cover(v, facts)
	if n := facts.Unknown.Required(); n > 0 {
		v.add(ExitIncomplete, NewNotice(NoticeRequired, "", nil,
			"%s must have a conclusive result and have none: %s.", plural(n, "port"), examples(facts.Unknown.examples, n)))
	}
	for _, l := range facts.Short {
		v.add(ExitIncomplete, NewNotice(NoticeFewHosts, l.Text, l.Anchor,
			"%d hosts are up in %s, and there must be %d.", l.Up, l.Text, l.MinHosts))
	}
	if up := facts.Coverage.HostsUp; up < g.MinHosts {
		v.add(ExitIncomplete, NewNotice(NoticeFewHosts, "", nil, "%d hosts are up, and there must be %d.", up, g.MinHosts))
	}
}

// unless makes the run incomplete, unless somebody has accepted the notice.
func (v *Verdict) unless(a *Acceptance, n Notice) {
	if a != nil {
		v.Notices = append(v.Notices, n.AcceptedBy(a))
		return
	}
	v.add(ExitIncomplete, n)
}

// examples lists the first of n things.
func examples(list []string, n uint64) string {
	text := strings.Join(list, ", ")
	if n > uint64(len(list)) && len(list) == maxRequired {
		text += ", ..."
	}
	return text
}

// cover holds the coverage against the floor. A run that saw nothing is
// incomplete whatever the floor is; NaN counts as a floor that nothing meets.
func (g Gate) cover(v *Verdict, facts RunFacts) {
	c := facts.Coverage
	switch {
	case c.Planned == 0 && facts.EmptyShard:
		v.Notices = append(v.Notices, NewNotice(NoticeEmptyShard, "", nil, "No host falls to this shard."))
		return
	case c.Planned+c.VacantPairs+c.Accepted == 0:
		v.add(ExitIncomplete, NewNotice(NoticeNothingInScope, "", nil, "Nothing was in scope."))
		return
	case c.HostsUp == 0 && !facts.canaryAnswered():
		v.add(ExitIncomplete, NewNotice(NoticeNothingSeen, "", nil,
			"No port answered: nothing was heard of %s.", plural(c.HostsSilent+c.HostsVacant, "address")))
		return
	}
	for _, t := range facts.Silent {
		if t.Acceptance == nil && facts.Unknown.Unrouted(t.Addr) {
			v.raise(ExitIncomplete) // as the notice about the missing route says
			continue
		}
		n := NewNotice(NoticeSilent, t.Addr.String(), t.Anchor,
			"%s gave no answer on any of %s.", namedAddr(t.Addr.String(), t.Host), plural(t.Pairs, "port"))
		n.Names = t.Names
		v.unless(t.Acceptance, n)
	}
	nothing := c.Planned > 0 && c.Conclusive() == 0
	if nothing || !(c.Ratio() >= g.MinCoverage) || math.IsNaN(g.MinCoverage) {
		v.add(ExitIncomplete, NewNotice(NoticeCoverage, "", nil,
			"%d of %s conclusive (%s), the floor is %s; %s up, %d silent.",
			c.Conclusive(), plural(c.Planned, "pair"), percent(c.Ratio()), percent(g.MinCoverage), plural(c.HostsUp, "host"), c.HostsSilent))
	}
}

// namedAddr is an address with its name, if it has one.
func namedAddr(addr, name string) string {
	if name == "" {
		return addr
	}
	return addr + " (" + name + ")"
}

// percent rounds down, so that a ratio below the floor never reads as the
// floor.
func percent(r float64) string { return fmt.Sprintf("%.1f%%", math.Floor(r*1000)/10) }
