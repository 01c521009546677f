package policy

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// soon is how long before its expiry an acceptance is announced.
const soon = 14 * 24 * time.Hour

// Notices returns the notices about the policy's entries in a run with these
// findings and other notices: acceptances that expired, expire soon or are
// unused, and unused expectations. Findings carried forward count as use.
func (p *Policy) Notices(findings []exposure.Violation, told []result.Notice, now time.Time) []result.Notice {
	return p.notices(findings, told, now, false)
}

// FileNotices is Notices for a run that read configuration files: it is about the
// entries for files, as Notices is about all others.
func (p *Policy) FileNotices(findings []exposure.Violation, told []result.Notice, now time.Time) []result.Notice {
	return p.notices(findings, told, now, true)
}

func (p *Policy) notices(findings []exposure.Violation, told []result.Notice, now time.Time, ofFiles bool) []result.Notice {
	if p == nil {
		return nil
	}
	var list entryNotices
	list.acceptances(p, func(a *AcceptedRisk) string {
		if a.Hosts.OfFiles() != ofFiles || a.ofHost() {
			return ""
		}
		return a.condition(findings, told, now)
	})
	for i := range p.Expect {
		e := &p.Expect[i]
		if e.Hosts.OfFiles() == ofFiles && !slices.ContainsFunc(findings, func(f exposure.Violation) bool { return f.Rule != nil && e.covers(&f) }) && list.has(exposure.NoticeExpectedMissing) {
			list.add(exposure.NewNotice(exposure.NoticeExpectedMissing, e.Hosts.Text(), e.Anchor(),
				"The entry under expect for %s port %s covers no finding.", e.Hosts.Text(), e.Ports.Text()))
		}
	}
	return list.all()
}

// HostNotices is Notices for a run that lists what listens on one machine: it is about the
// acceptances of what could not be seen there. The other entries are for scans as well.
func (p *Policy) HostNotices(told []result.Notice, now time.Time) []result.Notice {
	if p == nil {
		return nil
	}
	var list entryNotices
	list.acceptances(p, func(a *AcceptedRisk) string {
		if !a.ofHost() || !a.uses(told) && a.age(now) != exposure.NoticeAcceptanceExpired {
			return "" // it may be for another machine
		}
		return a.age(now)
	})
	return list.all()
}

// ofHost reports whether only a run on the machine itself can use the acceptance.
func (a *AcceptedRisk) ofHost() bool { return a.Rule == exposure.NoticeUnseen }

// OwnNotices returns the notices about the policy's acceptances that do not need
// a run: which expired, expire soon or cover very many hosts.
func (p *Policy) OwnNotices(now time.Time) []result.Notice {
	if p == nil {
		return nil
	}
	var list entryNotices
	list.acceptances(p, func(a *AcceptedRisk) string { return a.age(now) })
	return list.all()
}

// maxEntryNotices is the maximum number of notices about entries with the same
// code.
const maxEntryNotices = 1000

// entryNotices are notices about entries of a policy: a limited number for each
// code and one notice for the rest.
type entryNotices struct {
	list    []result.Notice
	told    map[string]int
	further map[string]int
}

// acceptances adds the notices about acceptances with a condition, and about wide
// ones.
func (e *entryNotices) acceptances(p *Policy, condition func(*AcceptedRisk) string) {
	for i := range p.Accept {
		a := &p.Accept[i]
		if code := condition(a); code != "" && e.has(code) {
			e.add(a.notice(code))
		}
	}
	for _, a := range p.wide() {
		if e.has(exposure.NoticeWideAcceptance) {
			e.add(a.notice(exposure.NoticeWideAcceptance))
		}
	}
}

// has counts an entry for a code, and reports whether it gets a notice of its
// own.
func (e *entryNotices) has(code string) bool {
	if e.told == nil {
		e.told, e.further = map[string]int{}, map[string]int{}
	}
	if e.told[code] == maxEntryNotices {
		e.further[code]++
		return false
	}
	e.told[code]++
	return true
}

// add adds the notice of an entry.
func (e *entryNotices) add(n result.Notice) { e.list = append(e.list, n) }

// all returns the notices.
func (e *entryNotices) all() []result.Notice {
	for _, code := range slices.Sorted(maps.Keys(e.further)) {
		n := exposure.NewNotice(code, "", nil, "The same applies to %s of the policy.", wording.Amount(e.further[code], "more entry", "more entries"))
		n.Further = e.further[code] - 1
		e.list = append(e.list, n)
	}
	return e.list
}

// maxUnscanned is the maximum number of entries with a notice because no pair of
// them was probed.
const maxUnscanned = 20

// everywhere are the addresses that "*" matches.
var everywhere = []netipx.IPRange{
	netipx.RangeOfPrefix(netip.MustParsePrefix("0.0.0.0/0")), netipx.RangeOfPrefix(netip.MustParsePrefix("::/0")),
}

// NeverAsked returns notices about entries of must_be_closed that match no pair
// of the space, so that the run cannot check them. scope has the names of the
// addresses.
func (p *Policy) NeverAsked(space *scope.Space, scope *scope.Set) []result.Notice {
	if p == nil || len(p.MustBeClosed) == 0 {
		return nil
	}
	named := map[string][]netipx.IPRange{}
	for name, a := range scope.Named() {
		name = exposure.CanonicalName(name)
		named[name] = append(named[name], netipx.IPRangeFrom(a, a))
	}
	return p.neverAsked(func(m *Prohibition) bool { return m.asked(space, named) })
}

// An AskedPart is what one of several runs probed, as far as its report shows.
type AskedPart struct {
	Ports  []uint16         // of any of its hosts; nil if not known
	Ranges []netipx.IPRange // its addresses
	Names  []string         // names of its addresses

	// Unknown is set if the report does not have the addresses.
	Unknown bool
}

// NeverAskedBy is NeverAsked for runs that are merged.
func (p *Policy) NeverAskedBy(parts []AskedPart) []result.Notice {
	if p == nil || len(p.MustBeClosed) == 0 {
		return nil
	}
	return p.neverAsked(func(m *Prohibition) bool {
		return slices.ContainsFunc(parts, func(part AskedPart) bool { return m.within(&part) })
	})
}

// within reports whether the part may contain a pair that matches the entry.
func (m *Prohibition) within(part *AskedPart) bool {
	switch {
	case part.Ports != nil && !slices.ContainsFunc(part.Ports, m.Ports.Matches):
		return false
	case part.Unknown, m.Hosts.Any():
		return true
	case m.Hosts.name() != "":
		return slices.ContainsFunc(part.Names, func(name string) bool { return exposure.CanonicalName(name) == m.Hosts.name() })
	}
	return slices.ContainsFunc(m.Hosts.ranges(), func(r netipx.IPRange) bool { return slices.ContainsFunc(part.Ranges, r.Overlaps) })
}

// neverAsked returns the notices about entries of must_be_closed for which asked
// returns false.
func (p *Policy) neverAsked(asked func(*Prohibition) bool) []result.Notice {
	var list []result.Notice
	for i := range p.MustBeClosed {
		m := &p.MustBeClosed[i]
		if asked(m) {
			continue
		}
		if len(list) == maxUnscanned {
			return append(list, exposure.NewNotice(exposure.NoticeExpectedMissing, m.Hosts.Text(), m.Anchor(),
				"More entries under must_be_closed name no host and port that this run probed."))
		}
		list = append(list, exposure.NewNotice(exposure.NoticeExpectedMissing, m.Hosts.Text(), m.Anchor(),
			"The entry under must_be_closed for %s port %s names no host and port that this run probed.", m.Hosts.Text(), m.Ports.Text()))
	}
	return list
}

// asked reports whether the space contains a pair that matches the entry.
func (m *Prohibition) asked(space *scope.Space, named map[string][]netipx.IPRange) bool {
	ranges := m.Hosts.ranges()
	switch {
	case m.Hosts.Any():
		ranges = everywhere
	case m.Hosts.name() != "":
		ranges = named[m.Hosts.name()]
	}
	return slices.ContainsFunc(ranges, func(r netipx.IPRange) bool { return space.Asks(r, m.Hosts.zone(), m.Ports.Matches) })
}

// condition returns the code of the notice about one acceptance, "" if there is
// none.
func (a *AcceptedRisk) condition(findings []exposure.Violation, told []result.Notice, now time.Time) string {
	used := a.uses(told) || slices.ContainsFunc(findings, func(f exposure.Violation) bool {
		return f.Rule != nil && f.Drift != result.DriftFixed && a.touches(&f)
	})
	if age := a.age(now); used || age == exposure.NoticeAcceptanceExpired {
		return age
	}
	return exposure.NoticeAcceptanceUnused
}

// age returns the code of the notice about the expiry of an acceptance, "" if
// there is none.
func (a *AcceptedRisk) age(now time.Time) string {
	switch {
	case !a.Holds(now):
		return exposure.NoticeAcceptanceExpired
	case !now.Add(soon).Before(a.Expires.AddDate(0, 0, 1)):
		return exposure.NoticeAcceptanceSoon
	}
	return ""
}

// notice returns the notice about one acceptance.
func (a *AcceptedRisk) notice(code string) result.Notice {
	text := ""
	switch day := a.Expires.String(); code {
	case exposure.NoticeAcceptanceExpired:
		text = fmt.Sprintf("expired on '%s'", day)
	case exposure.NoticeAcceptanceUnused:
		text = "covers nothing in this run"
	case exposure.NoticeAcceptanceSoon:
		text = fmt.Sprintf("expires on '%s'", day)
	case exposure.NoticeWideAcceptance:
		text = fmt.Sprintf("accepts %s on %s %s of more than %d hosts", a.Rule, wording.Ports(a.Ports.Text()), a.Ports.Text(), maxPermitIPv4)
	}
	return exposure.NewNotice(code, a.Hosts.Text(), a.Anchor(), "Accepted-risk entry '%s' %s.", a.ID, text)
}

// Tally counts the notices about expired and unused acceptances, for the summary.
func Tally(notices []result.Notice) (expired, unused int) {
	for _, n := range notices {
		switch n.Code {
		case exposure.NoticeAcceptanceExpired:
			expired += 1 + n.Further
		case exposure.NoticeAcceptanceUnused:
			unused += 1 + n.Further
		}
	}
	return expired, unused
}
