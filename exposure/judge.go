package exposure

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
)

// Knowledge says what a port number is usually used for. Package signatures has
// the data; the interface lets judgements be tested without it.
type Knowledge interface {
	// Internal reports whether mail systems use the port for internal traffic.
	Internal(port uint16) bool
	// Public reports whether the port is meant to be reachable from the internet.
	Public(port uint16) bool
}

// A Policy is the user's policy for ports and findings: a *policy.Policy.
type Policy interface {
	// Apply sets the status of the finding at the given time: accepted, expected
	// or open.
	Apply(f *Violation, now time.Time)
	// Forbids reports whether a port of a host, given by its address or one of
	// its names, must be closed, and which policy line requires it.
	Forbids(addr netip.Addr, names []string, port uint16) (at *result.Anchor, forbidden bool)
}

// A Judge turns the result of a port into findings. It does no I/O: the same
// input gives the same findings.
type Judge struct {
	// Rules are the rules to check; nil means none.
	Rules *RuleSet

	// Policy has the accepted risks, expected services and forbidden ports; nil
	// means none.
	Policy Policy

	// Identity says what identifies the host in finding ids; "" is IdentityName.
	Identity Identity

	// Vantage is the vantage point of the scanner. The zero Vantage is the
	// internet.
	Vantage Vantage

	// VantageOf returns the vantage point for an address, if it is not the same
	// for all, as for this machine's own addresses; nil means Vantage everywhere.
	VantageOf func(netip.Addr) Vantage

	// Knowledge says which ports are internal and which public; nil means
	// that no port is either.
	Knowledge Knowledge

	// NotOpenIPv4 returns the IPv4 addresses of the host of an IPv6 target on
	// which its port is proven not to be open (see FamilyWatch); nil means that
	// nothing is known.
	NotOpenIPv4 func(netip.AddrPort) []netip.Addr

	// Intrusive is set if the run was allowed intrusive probes.
	Intrusive bool

	// Now is the time at which acceptances must be valid; zero means the time at
	// which the port was seen.
	Now time.Time
}

// RuleForbidden is the rule for an open port that must be closed according to the
// policy.
const RuleForbidden = "MXS1801"

// RuleOnlyIPv6 is the rule for a port that is open over IPv6 only.
const RuleOnlyIPv6 = "MXS1906"

// Findings judges one port. The findings are ordered by severity, highest first,
// then by rule id. A port that is not open has none.
func (j *Judge) Findings(p Subject) []Violation {
	if p.State != result.StateOpen || j.Rules == nil {
		return nil
	}
	v := j.vantage(p.Target.Addr())
	var list []Violation
	if p.Service == nil || p.Service.Inconclusive != result.InconclusiveSkipped {
		s := j.situation(p, v)
		for _, r := range j.broken(s) {
			f := j.finding(r, p, v)
			if fault := r.certificate(s.certificate); fault != "" {
				f.Confidence = certificateConfidence(fault)
				f.Evidence = slices.Insert(f.Evidence, 0, certificateEvidence(fault, p.Service.TLS, p.Names()))
			}
			if r.ID == RuleOnlyIPv6 {
				f.Evidence = slices.Insert(f.Evidence, 0, familyEvidence(p.Target.Port(), p.Host, s.notOpen))
			}
			list = append(list, f)
		}
	}
	if p.Setting == nil {
		list = append(list, j.forbidden(p, v)...)
	}
	j.apply(list, p)
	slices.SortStableFunc(list, compareWeight)
	return list
}

// Forbidden checks one port only against the ports that the policy forbids, for
// ports that were judged before with another policy.
func (j *Judge) Forbidden(p Subject) []Violation {
	if p.State != result.StateOpen || j.Rules == nil {
		return nil
	}
	list := j.forbidden(p, j.vantage(p.Target.Addr()))
	j.apply(list, p)
	return list
}

// RuleBehindFilter is the rule for an internal port that is not open from the vantage point
// only because something on the way filters it.
const RuleBehindFilter = "MXS1907"

// BehindFilter judges a port that is bound so that others can connect, but that the scan
// could not reach; why says so. There is a finding if a rule would object to the open port.
func (j *Judge) BehindFilter(p Subject, why string) []Violation {
	rule := j.Rules.Lookup(RuleBehindFilter)
	if rule == nil || !slices.ContainsFunc(j.Findings(p), func(f Violation) bool { return f.Rule.Kind == KindListener }) {
		return nil
	}
	v := j.vantage(p.Target.Addr())
	f := j.finding(rule, p, v)
	switch {
	case p.Socket != nil:
		f.Evidence = append([]string{why}, f.Evidence...)
	case p.OpenedBy != nil:
		f.Evidence = append([]string{why}, p.lineEvidence()...)
	}
	list := []Violation{f}
	j.apply(list, p)
	return list
}

// apply sets the status of findings of a port according to the policy.
func (j *Judge) apply(list []Violation, p Subject) {
	if j.Policy == nil {
		return
	}
	for i := range list {
		j.Policy.Apply(&list[i], j.now(p))
	}
}

// forbidden returns the finding of an open port that the policy forbids, nil if
// it is not forbidden.
func (j *Judge) forbidden(p Subject, v Vantage) []Violation {
	rule := j.Rules.Lookup(RuleForbidden)
	if j.Policy == nil || rule == nil {
		return nil
	}
	at, forbidden := j.Policy.Forbids(p.Target.Addr(), p.Names(), p.Target.Port())
	if !forbidden {
		return nil
	}
	f := j.finding(rule, p, v)
	f.PolicyAnchor = at
	f.Confidence = 10 // it is certain that the port is open, whatever answers
	return []Violation{f}
}

// compareWeight orders the findings of one port.
func compareWeight(a, b Violation) int {
	return cmp.Or(-cmp.Compare(a.Severity, b.Severity), -cmp.Compare(a.Score, b.Score), cmp.Compare(a.Rule.ID, b.Rule.ID))
}

// vantage returns the vantage point for an address.
func (j *Judge) vantage(a netip.Addr) Vantage {
	if j.VantageOf != nil {
		return j.VantageOf(a)
	}
	return j.Vantage
}

// now returns the time at which acceptances must be valid.
func (j *Judge) now(p Subject) time.Time {
	if j.Now.IsZero() {
		return p.Time
	}
	return j.Now
}

// seen returns when the port was seen: results of an old run are judged by its
// date. If that is not known, it is otherwise.
func (p *Subject) seen(otherwise time.Time) time.Time {
	if p.Time.IsZero() {
		return otherwise
	}
	return p.Time
}

// situation returns the input of the conditions.
func (j *Judge) situation(p Subject, v Vantage) *situation {
	s := &situation{service: p.Service, port: p.Target.Port(), vantage: v.class(), intrusive: j.Intrusive}
	if j.NotOpenIPv4 != nil && p.Target.Addr().Unmap().Is6() {
		s.notOpen = j.NotOpenIPv4(p.Target)
	}
	if p.Setting != nil {
		s.setting = p.Setting.Fault
	}
	if p.Service != nil {
		s.certificate = certificateFaults(p.Service.TLS, p.Names(), p.seen(j.now(p)))
	}
	s.public = j.public(s.port)
	if j.Knowledge != nil {
		s.internal = j.Knowledge.Internal(s.port)
	}
	return s
}

// public reports whether a port is one that strangers are meant to reach.
func (j *Judge) public(port uint16) bool { return j.Knowledge != nil && j.Knowledge.Public(port) }

// broken returns the rules that hold, in the order of their ids, without those
// that another of them replaces.
func (j *Judge) broken(s *situation) []*Rule {
	var rules []*Rule
	replaced := map[string]bool{}
	listener := false
	for _, r := range j.Rules.rules {
		if !r.Fallback && r.holds(s) {
			rules = append(rules, r)
			listener = listener || r.Kind == KindListener
			for _, id := range r.Replaces {
				replaced[id] = true
			}
		}
	}
	for _, r := range j.Rules.rules {
		if r.Fallback && !listener && !replaced[r.ID] && r.holds(s) {
			rules = append(rules, r)
			break
		}
	}
	return slices.DeleteFunc(rules, func(r *Rule) bool { return replaced[r.ID] })
}

// holds reports whether one of the rule's conditions holds.
func (r *Rule) holds(s *situation) bool {
	return slices.ContainsFunc(r.When, func(c Condition) bool { return c.holds(s) })
}

// finding returns the finding for a broken rule.
func (j *Judge) finding(r *Rule, p Subject, v Vantage) Violation {
	f := Violation{
		Rule: r, Title: r.Title, Severity: r.Severity, Score: r.Score,
		Target: p.Target, Host: p.Host, Aliases: p.Aliases, Vantage: v.String(),
		Evidence: evidence(r, p, v), Tags: r.Tags,
		Status: result.StatusOpen, Drift: result.DriftNone, Anchor: p.Anchor,
		FirstSeen: p.Time, LastSeen: p.Time, Reachability: p.Reachability, Listener: p.Listener, NamedBy: p.NamedBy,
	}
	j.Identity.identify(&f)
	product, version := "", ""
	var alternatives []string
	if p.Service != nil {
		product, version, alternatives = p.Service.KnownProduct(), p.Service.KnownVersion(), p.Service.Alternatives
		f.Product, f.Service = ProductOf(p.Service), p.Service.Name
		f.Confidence = p.Service.ProtocolConfidence()
		f.Certainty, f.Method = Certainty(p.Service), p.Service.Method
	}
	advice := r.Fixes.For(product, version, alternatives, p.Target, f.Vantage)
	public := j.public(p.Target.Port())
	if p.Listener != nil && r.Kind != KindDomain {
		f.Title, f.Listener, advice = r.TitleOf(p.Target.Addr(), p.Listener), r.lineOf(p.Listener, public), p.advice(r, public)
	}
	if p.Setting != nil {
		f.Confidence = min(f.Confidence, p.Setting.Confidence)
	}
	if p.Socket != nil {
		f.Title = boundTitle(r.Title, p.boundTo())
	}
	if p.OpenedBy != nil {
		f.OpenedBy, advice = r.lineOf(p.OpenedBy, public), p.adviceOfLine(r, advice, f.Vantage, public)
		if p.Socket == nil { // else it is in the evidence of the socket
			f.Evidence = slices.Insert(f.Evidence, min(1, len(f.Evidence)), p.lineEvidence()...)
		}
	}
	f.Remediation, f.Fixes = advice.Text, advice.Fixes
	return f
}

// ProductOf returns name and version of the daemon, as far as a signature
// determined them.
func ProductOf(s *fingerprint.Identification) string {
	product := s.KnownProduct()
	if s.Version == "" || product == "" {
		return product
	}
	return product + " " + s.Version
}

// Certainty returns the confidence, 0 to 10, with which a dialogue identified the
// service: 0 if it did not, or if it was refused or cut off before it could.
func Certainty(s *fingerprint.Identification) int {
	if !Identified(s) || s.Inconclusive != "" {
		return 0
	}
	return s.ProtocolConfidence()
}

// SplitProduct splits what ProductOf joined.
func SplitProduct(s string) (product, version string) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 || s[i+1:] == "" || s[i+1] < '0' || s[i+1] > '9' {
		return s, ""
	}
	return s[:i], s[i+1:]
}
