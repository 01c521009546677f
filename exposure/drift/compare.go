package drift

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// Conditions are what must be the same in two runs for them to be comparable.
type Conditions struct {
	Vantage     exposure.Vantage
	VantageOf   func(netip.Addr) exposure.Vantage // as in Judge; nil means Vantage everywhere
	ScopeSHA256 string
	Ports       []uint16
	Intrusive   bool

	// Identity says what identifies hosts in the ids of the run's findings.
	Identity exposure.Identity

	// AddressesOf returns the addresses that a name in scope has in this run,
	// none if it is not in scope; nil means not known.
	AddressesOf func(name string) []netip.Addr

	// Joined reports whether the run read the configuration files of the host of an
	// address; nil means of none.
	Joined func(netip.Addr) bool

	// Domains reports whether the run, which looked up domains, proves that an entry about their
	// records that was not found again is fixed, and what proves it or is missing; nil for a
	// run that looked up none.
	Domains func(e *Entry) (fixed bool, why string)

	// Gone reports whether a run that probes nothing, of files or of what listens on a
	// machine, proves that the listener of an entry that was not found again does not
	// break its rule any longer, and what proves it or is missing; nil for a scan, of which
	// the ports are added instead.
	Gone func(e *Entry) (fixed bool, why string)
}

// vantage returns the name of the vantage point for an address.
func (c *Conditions) vantage(a netip.Addr) string {
	if c.VantageOf != nil {
		return c.VantageOf(a).String()
	}
	return c.Vantage.String()
}

// addressesOf returns the addresses of a name in this run.
func (c *Conditions) addressesOf(name string) []netip.Addr {
	if name == "" || c.AddressesOf == nil {
		return nil
	}
	return c.AddressesOf(name)
}

// A Comparison compares a run with a baseline: ports are added while the run is
// going on, and Finish returns the drift. Compare makes one. It is not safe for
// concurrent use.
type Comparison struct {
	baseline *Baseline
	rules    *exposure.RuleSet
	now      Conditions

	known map[netip.AddrPort]*sighting // the targets of the baseline
	loss  float64
}

// Loss sets the fraction of probes or answers that the run lost, from 0 to 1,
// before Finish: if much is lost, a silent port may well be open.
func (c *Comparison) Loss(share float64) { c.loss = min(max(share, 0), 1) }

// Compare starts comparing a run under the given conditions with a baseline.
// rules provide the texts of findings that are carried forward.
func Compare(b *Baseline, now Conditions, rules *exposure.RuleSet) *Comparison {
	c := &Comparison{baseline: b, rules: rules, now: now, known: map[netip.AddrPort]*sighting{}}
	for i := range b.Entries {
		for _, addr := range c.places(&b.Entries[i]) {
			target := netip.AddrPortFrom(addr, b.Entries[i].Port)
			if c.known[target] == nil {
				c.known[target] = &sighting{}
			}
			c.known[target].entries = append(c.known[target].entries, &b.Entries[i])
		}
	}
	return c
}

// places returns the addresses that must all be probed before an entry counts as
// fixed: those with the finding, and those that its host has now.
func (c *Comparison) places(e *Entry) []netip.Addr {
	list := slices.Clone(e.AllAddresses())
	if e.byName() {
		list = append(list, c.now.addressesOf(e.Host)...)
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// Comparable reports whether the baseline was created under the conditions of
// this run, and if not, why. Findings are then still compared one by one; what
// the run did not probe is unverified.
func (c *Comparison) Comparable() (ok bool, why string) {
	var reasons []string
	b := c.baseline
	if now := c.now.Vantage.String(); b.Vantage != now {
		reasons = append(reasons, fmt.Sprintf("the vantage point was %q and is now %q", b.Vantage, now))
	}
	ports := scope.FormatPorts(c.now.Ports)
	otherPorts := b.Ports != "" && b.Ports != ports
	if b.ScopeSHA256 != "" && c.now.ScopeSHA256 != "" && b.ScopeSHA256 != c.now.ScopeSHA256 {
		// The hash covers addresses and ports together.
		if otherPorts {
			reasons = append(reasons, "the addresses in scope may differ")
		} else {
			reasons = append(reasons, "the addresses in scope differ")
		}
	}
	if otherPorts {
		reasons = append(reasons, c.otherPorts(ports))
	}
	return len(reasons) == 0, strings.Join(reasons, "; ")
}

// otherPorts describes how the ports of the baseline and of this run differ.
func (c *Comparison) otherPorts(now string) string {
	then, err := scope.ParsePorts(c.baseline.Ports, nil)
	if err != nil {
		return fmt.Sprintf("the ports were %q and are now %s", c.baseline.Ports, now)
	}
	var words []string
	only := func(words []string, format string, a, b []uint16) []string {
		a = slices.DeleteFunc(slices.Clone(a), func(p uint16) bool { return slices.Contains(b, p) })
		if len(a) == 0 {
			return words
		}
		list := scope.FormatPorts(a)
		return append(words, fmt.Sprintf(format, wording.Ports(list)+" "+list))
	}
	words = only(words, "this run probed %s, the baseline did not", c.now.Ports, then)
	words = only(words, "the baseline probed %s, this run did not", then, c.now.Ports)
	return strings.Join(words, "; ")
}

// Finish returns the findings of the run with their drift, followed by those of
// the baseline that the run did not find again: fixed if there is evidence,
// otherwise unverified. up reports whether a host sent a packet of its own; nil
// means that none did. policy and now determine the status of the latter; both
// may be zero.
func (c *Comparison) Finish(findings []exposure.Violation, up func(netip.Addr) bool, policy *policy.Policy, now time.Time) ([]exposure.Violation, []result.Notice) {
	old := newEntryIndex(c.baseline, &c.now)
	list := slices.Clone(findings)
	for i := range list {
		f := &list[i]
		c.note(f)
		if entries := old.take(f); len(entries) > 0 {
			c.matched(f, entries, policy, now)
			continue
		}
		f.Drift = result.DriftNew
		if c.restsOnLess(f) {
			f.Drift = result.DriftUnverified
			f.Evidence = append(slices.Clip(f.Evidence), c.weakerReason())
		}
	}
	for _, e := range old.rest() {
		if e.Status == result.StatusFixed {
			continue // it was fixed before, and still is
		}
		list = append(list, c.carry(e, up, policy, now))
	}
	var notices []result.Notice
	if ok, why := c.Comparable(); !ok {
		notices = append(notices, exposure.NewNotice(exposure.NoticeBaseline, "", nil,
			"The baseline of %s was made under different conditions: %s.", c.baseline.Created.Format(time.DateOnly), why))
	}
	return list, notices
}

// weakerReason says why a finding of this run is based on less evidence than the entry of
// the baseline.
func (c *Comparison) weakerReason() string {
	if c.loss > maxDialogueLoss {
		return fmt.Sprintf("this run lost %.0f%% of its packets, and the baseline has a different result for the port", 100*c.loss)
	}
	return "this run identified the service with less certainty than the baseline"
}

// note records that a rule is broken on a target of the baseline.
func (c *Comparison) note(f *exposure.Violation) {
	for _, addr := range f.AllAddresses() {
		if s := c.known[netip.AddrPortFrom(addr, f.Target.Port())]; s != nil {
			s.broken = append(s.broken, f.Rule)
		}
	}
}

// matched sets the drift of a finding that is in the baseline. A finding that was
// suppressed when the baseline was created was not accepted by the baseline, so
// it cannot be unchanged; one that is suppressed now needs no drift.
func (c *Comparison) matched(f *exposure.Violation, entries []*Entry, policy *policy.Policy, now time.Time) {
	var standing []*Entry
	f.Drift = result.DriftNone
	for _, e := range entries {
		if !e.FirstSeen.IsZero() && e.FirstSeen.Before(f.FirstSeen) {
			f.FirstSeen = e.FirstSeen
		}
		if e.Status == "" {
			standing = append(standing, e)
		}
	}
	switch {
	case f.Status != result.StatusOpen:
	case len(standing) > 0 && c.baseline.SchemaVersion == schemaVersion0 && policy.Expired(f, now) != nil:
		f.Drift = result.DriftExpired // such files do not record what was accepted
	case len(standing) > 0:
		f.Drift = c.changed(f, standing)
	case slices.ContainsFunc(entries, func(e *Entry) bool { return e.Status == result.StatusAccepted }):
		f.Drift = result.DriftExpired
	case slices.ContainsFunc(entries, func(e *Entry) bool { return e.Status == result.StatusFixed }):
		f.Drift = result.DriftReopened
	default:
		f.Drift = result.DriftNew // it was expected at that time
	}
}

// changed returns unchanged or updated. If the daemon is identified with less
// confidence than before, another product is not a change.
func (c *Comparison) changed(f *exposure.Violation, entries []*Entry) result.Drift {
	now := EntryOf(f)
	for _, e := range entries {
		if e.same(&now) || e.Severity == now.Severity && e.moreConfident(f.Certainty, f.Product) {
			return result.DriftUnchanged
		}
	}
	return result.DriftUpdated
}

// carry returns the finding for an entry of the baseline that was not found
// again.
func (c *Comparison) carry(e *Entry, up func(netip.Addr) bool, policy *policy.Policy, now time.Time) exposure.Violation {
	fixed, why := c.verify(e, up)
	r := ruleOfEntry(c.rules, e)
	product, version := exposure.SplitProduct(e.Product)
	advice := r.Fixes.For(product, version, nil, e.target(), e.Vantage)
	f := exposure.Violation{ID: e.ID, GroupID: e.groupID(), Rule: r, Title: r.Title, Severity: e.Severity, Score: r.Score,
		Target: e.target(), Addresses: e.Addresses, Host: e.Host, Vantage: e.Vantage, Service: e.Service, Product: e.Product,
		Confidence: 10, Evidence: []string{why}, Remediation: advice.Text, Fixes: advice.Fixes, Tags: r.Tags, Method: e.Method,
		Carried: true, Drift: result.DriftUnverified, FirstSeen: e.FirstSeen, LastSeen: c.baseline.lastSeen(e)}
	if e.Listener != "" {
		f.Listener = &result.Configured{Name: e.Listener}
		for _, file := range e.DependsOn {
			f.Listener.Causes = append(f.Listener.Causes, result.Widening{Why: "the finding depends on this file", Anchor: &result.Anchor{File: file, Line: 1}})
		}
		if f.Remediation, f.Fixes = r.Fix, nil; r.Kind == exposure.KindDomain {
			f.Listener.Kind = result.KindRecords
		} else {
			f.Title = r.TitleOf(e.IP, f.Listener)
		}
	}
	if e.Confidence != nil {
		f.Certainty = *e.Confidence
	}
	policy.Apply(&f, now)
	if fixed {
		f.Drift, f.Status, f.Acceptance = result.DriftFixed, result.StatusFixed, nil
	}
	return f
}

// groupID returns the id without the vantage.
func (e *Entry) groupID() string {
	if e.Listener != "" {
		return exposure.ListenerGroupID(e.Rule, e.Host, e.Listener)
	}
	if e.byName() {
		return exposure.GroupID(e.Rule, e.Host, e.Port)
	}
	return exposure.GroupID(e.Rule, e.IP.String(), e.Port)
}

// ruleOfEntry returns the rule of an entry; one that no longer exists has only
// its id.
func ruleOfEntry(rules *exposure.RuleSet, e *Entry) *exposure.Rule {
	if rules != nil {
		if r := rules.Lookup(e.Rule); r != nil {
			return r
		}
	}
	_, score := e.Severity.Scores()
	return &exposure.Rule{
		RuleInfo: result.RuleInfo{ID: e.Rule, Name: "Retired", Title: "Finding of a rule that no longer exists",
			Severity: e.Severity, Score: score, Why: "The rule of this finding is not part of this version."},
		Kind: exposure.KindListener, Fixes: exposure.Fixes{Default: "Write a new baseline with this version."},
	}
}
