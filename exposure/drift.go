package exposure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"mxsweep/scan"
)

// Conditions are what two runs must share to be compared.
type Conditions struct {
	Vantage     Vantage
	VantageOf   func(netip.Addr) Vantage // as in Judge; nil means Vantage everywhere
	ScopeSHA256 string
	Ports       []uint16
	Intrusive   bool
}

// vantage gives the name of the vantage point for an address.
func (c *Conditions) vantage(a netip.Addr) string {
	if c.VantageOf != nil {
		return c.VantageOf(a).String()
	}
	return c.Vantage.String()
}

// A Comparison holds a run against a baseline: it is told of each port while
// the run goes on, and gives the drift at its end. It is not safe for
// concurrent use. Compare makes one.
type Comparison struct {
	baseline *Baseline
	rules    *RuleSet
	now      Conditions

	known map[netip.AddrPort]*sighting // the targets of the baseline
}

// A sighting is what this run saw of a target of the baseline.
type sighting struct {
	state scan.State // "" if the run did not come to it
	sure  bool       // a dialogue told what answers
}

// sureEnough is the confidence from which on an answer is evidence that the
// daemon of before is gone or mended.
const sureEnough = 7

// Compare begins to hold a run under the given conditions against the
// baseline. Rules give the texts of findings that are carried forward.
func (b *Baseline) Compare(now Conditions, rules *RuleSet) *Comparison {
	c := &Comparison{baseline: b, rules: rules, now: now, known: map[netip.AddrPort]*sighting{}}
	for i := range b.Entries {
		c.known[b.Entries[i].Target()] = &sighting{}
	}
	return c
}

// Add looks at one port. Ports that the baseline does not know cost nothing.
func (c *Comparison) Add(p Port) {
	target := netip.AddrPortFrom(p.Target.Addr().Unmap(), p.Target.Port())
	if s := c.known[target]; s != nil {
		s.state = p.State
		s.sure = (&situation{service: p.Service}).identified() &&
			(p.Service.Confidence >= sureEnough || p.Service.Has(ObservedRefused))
	}
}

// Comparable reports whether the baseline was taken under the conditions of
// this run, and if not, why. Findings are then still compared one by one; what
// the run did not look at is unverified.
func (c *Comparison) Comparable() (ok bool, why string) {
	var reasons []string
	b := c.baseline
	if now := c.now.Vantage.String(); b.Vantage != now {
		reasons = append(reasons, fmt.Sprintf("the vantage was %q and is %q", b.Vantage, now))
	}
	ports := scan.FormatPorts(c.now.Ports)
	otherPorts := b.Ports != "" && b.Ports != ports
	if b.ScopeSHA256 != "" && c.now.ScopeSHA256 != "" && b.ScopeSHA256 != c.now.ScopeSHA256 {
		// The hash is of addresses and ports together.
		if otherPorts {
			reasons = append(reasons, "the scope may be another one")
		} else {
			reasons = append(reasons, "the scope is another one")
		}
	}
	if otherPorts {
		reasons = append(reasons, c.otherPorts(ports))
	}
	return len(reasons) == 0, strings.Join(reasons, "; ")
}

// otherPorts says in which ports the baseline and this run differ.
func (c *Comparison) otherPorts(now string) string {
	then, err := scan.ParsePorts(c.baseline.Ports, nil)
	if err != nil {
		return fmt.Sprintf("the ports were %q and are %s", c.baseline.Ports, now)
	}
	var words []string
	only := func(words []string, format string, a, b []uint16) []string {
		a = slices.DeleteFunc(slices.Clone(a), func(p uint16) bool { return slices.Contains(b, p) })
		if len(a) == 0 {
			return words
		}
		return append(words, fmt.Sprintf(format, scan.FormatPorts(a)))
	}
	words = only(words, "ports %s were not asked then", c.now.Ports, then)
	words = only(words, "ports %s are not asked now", then, c.now.Ports)
	return strings.Join(words, " and ")
}

// Finish gives the findings of the run with their drift, and behind them those
// of the baseline that the run did not find again: fixed where there is
// evidence, else unverified. Sight says which hosts answered. Policy and the
// time give the carried ones their status; both may be zero.
func (c *Comparison) Finish(findings []Finding, sight *Sight, policy *Policy, now time.Time) ([]Finding, []Notice) {
	old := map[string]*BaselineEntry{}
	for i := range c.baseline.Entries {
		old[c.baseline.Entries[i].ID] = &c.baseline.Entries[i]
	}
	list := slices.Clone(findings)
	for i := range list {
		f := &list[i]
		f.Drift = DriftNew
		if e := old[f.ID]; e != nil {
			delete(old, f.ID)
			f.FirstSeen = e.FirstSeen
			f.Drift = DriftUpdated
			if now := EntryOf(f); e.same(&now) {
				f.Drift = DriftUnchanged
			}
		}
	}
	for i := range c.baseline.Entries {
		if e := &c.baseline.Entries[i]; old[e.ID] != nil {
			f := c.carry(e, sight)
			policy.Apply(&f, now)
			list = append(list, f)
		}
	}
	var notices []Notice
	if ok, why := c.Comparable(); !ok {
		notices = append(notices, NewNotice(NoticeBaseline, "", nil,
			"The baseline of %s was taken under other conditions: %s.", c.baseline.Created.Format(time.DateOnly), why))
	}
	return list, notices
}

// carry makes a finding of a line of the baseline that was not found again.
func (c *Comparison) carry(e *BaselineEntry, sight *Sight) Finding {
	fixed, why := c.verify(e, sight)
	r := c.rules.find(e)
	f := Finding{ID: e.ID, Rule: r, Title: r.Title, Severity: e.Severity, Score: r.Score,
		Target: e.Target(), Host: e.Host, Vantage: e.Vantage, Service: e.Service, Product: e.Product,
		Confidence: 10, Evidence: []string{why}, Remediation: r.Fix.For(e.Product, e.Port), Tags: r.Tags,
		Status: StatusOpen, Drift: DriftUnverified, FirstSeen: e.FirstSeen, LastSeen: c.baseline.Created}
	if e.LastSeen != nil {
		f.LastSeen = *e.LastSeen
	}
	if fixed {
		f.Drift = DriftFixed
	}
	return f
}

// find gives the rule of a line; one that no longer exists is named by its id.
func (s *RuleSet) find(e *BaselineEntry) *Rule {
	if s != nil {
		if r := s.Lookup(e.Rule); r != nil {
			return r
		}
	}
	_, score := e.Severity.scores()
	return &Rule{ID: e.Rule, Name: "Retired", Kind: KindListener, Title: "Finding of a rule that no longer exists",
		Severity: e.Severity, Score: score, Why: "The rule of this finding is not part of this version.",
		Fix: Fix{Default: "Write a new baseline with this version."}}
}

// verify decides whether a finding that was not found again is fixed. That
// needs evidence from this run and from the same vantage point; why says which
// there is, or what is missing.
func (c *Comparison) verify(e *BaselineEntry, sight *Sight) (fixed bool, why string) {
	s := c.known[e.Target()]
	r := c.rules.find(e)
	switch {
	case e.Vantage != c.now.vantage(e.IP):
		return false, fmt.Sprintf("this run did not look from the vantage point %q", e.Vantage)
	case s == nil || s.state == "":
		return false, "this run did not look at the port"
	case s.state == scan.StateClosed:
		return true, "the port is closed now"
	case s.state == scan.StateFiltered && sight != nil && sight.Up(e.IP):
		return true, "the port is silent now, while the same host answered on other ports"
	case s.state == scan.StateFiltered:
		return false, "the whole host is silent now, which proves nothing"
	case s.state != scan.StateOpen:
		return false, "this run could not ask the port"
	case r.OptIn && !c.now.Intrusive:
		return false, "the port is open, and only intrusive probes, which this run did not send, would show the finding"
	case !s.sure:
		return false, "the port is open, and this run did not learn for sure what answers"
	default:
		return true, "the port is open and no longer breaks the rule"
	}
}
