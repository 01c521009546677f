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

// Knowledge says what a port number is usually for. Package signatures has
// it; here it is a question, so that judgements can be tested alone.
type Knowledge interface {
	// Internal reports whether mail systems use the port for traffic that is
	// not for strangers.
	Internal(port uint16) bool
	// Public reports whether strangers are meant to reach the port.
	Public(port uint16) bool
}

// A Policy says what the user makes of ports and findings, as a *policy.Policy
// does.
type Policy interface {
	// Apply gives the finding the status that it has at the given time: accepted,
	// expected or open.
	Apply(f *Violation, now time.Time)
	// Forbids reports whether a port of a host, by its address or one of its names,
	// must be closed, and where that is written.
	Forbids(addr netip.Addr, names []string, port uint16) (at *result.Anchor, forbidden bool)
}

// A Judge turns what was seen on a port into findings. It does no I/O: the
// same port gives the same findings.
type Judge struct {
	// Rules are the rules to judge by; nil means none.
	Rules *RuleSet

	// Policy holds accepted risks, expected services and forbidden ports; nil
	// means none of them.
	Policy Policy

	// Identity is what findings know their hosts by; "" is IdentityName.
	Identity Identity

	// Vantage is where the scanner stands. The zero Vantage is the internet.
	Vantage Vantage

	// VantageOf gives the vantage for one address where it is not the same
	// for all, such as this machine's own; nil means Vantage everywhere.
	VantageOf func(netip.Addr) Vantage

	// Knowledge says which ports are internal and which public; nil means
	// that no port is either.
	Knowledge Knowledge

	// NotOpenIPv4 gives the IPv4 addresses of the host of an IPv6 target on which
	// its port is proven not to be open (see FamilyWatch); nil means that nothing
	// is known of IPv4.
	NotOpenIPv4 func(netip.AddrPort) []netip.Addr

	// Intrusive says that the run was allowed intrusive probes.
	Intrusive bool

	// Now is the day against which acceptances expire; zero means the time
	// at which the port was seen.
	Now time.Time
}

// RuleForbidden is the rule for a port that the policy wants closed.
const RuleForbidden = "MXS1801"

// RuleOnlyIPv6 is the rule for a port that is open over IPv6 only.
const RuleOnlyIPv6 = "MXS1906"

// Findings judges one port. Heavier findings come first, equal ones in the
// order of their rules. A port that is not open gives none.
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
	list = append(list, j.forbidden(p, v)...)
	j.apply(list, p)
	slices.SortStableFunc(list, compareWeight)
	return list
}

// Forbidden judges one port by nothing but what the policy wants closed: for ports
// that were judged before, by another policy.
func (j *Judge) Forbidden(p Subject) []Violation {
	if p.State != result.StateOpen || j.Rules == nil {
		return nil
	}
	list := j.forbidden(p, j.vantage(p.Target.Addr()))
	j.apply(list, p)
	return list
}

// apply gives findings of a port the status that the policy has for them.
func (j *Judge) apply(list []Violation, p Subject) {
	if j.Policy == nil {
		return
	}
	for i := range list {
		j.Policy.Apply(&list[i], j.now(p))
	}
}

// forbidden gives the finding of an open port that the policy wants closed.
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
	f.Confidence = 10 // that the port is open is certain, whatever answers
	return []Violation{f}
}

// compareWeight orders findings of one port.
func compareWeight(a, b Violation) int {
	return cmp.Or(-cmp.Compare(a.Severity, b.Severity), -cmp.Compare(a.Score, b.Score), cmp.Compare(a.Rule.ID, b.Rule.ID))
}

// vantage gives the vantage point for an address.
func (j *Judge) vantage(a netip.Addr) Vantage {
	if j.VantageOf != nil {
		return j.VantageOf(a)
	}
	return j.Vantage
}

// now gives the time against which acceptances expire.
func (j *Judge) now(p Subject) time.Time {
	if j.Now.IsZero() {
		return p.Time
	}
	return j.Now
}

// seen is when the port was seen; what is told of a run that is long past is
// judged by its day.
func (p *Subject) seen(otherwise time.Time) time.Time {
	if p.Time.IsZero() {
		return otherwise
	}
	return p.Time
}

// situation gathers what conditions are asked about.
func (j *Judge) situation(p Subject, v Vantage) *situation {
	s := &situation{service: p.Service, port: p.Target.Port(), vantage: v.class(), intrusive: j.Intrusive}
	if j.NotOpenIPv4 != nil && p.Target.Addr().Unmap().Is6() {
		s.notOpen = j.NotOpenIPv4(p.Target)
	}
	if p.Service != nil {
		s.certificate = certificateFaults(p.Service.TLS, p.Names(), p.seen(j.now(p)))
	}
	if j.Knowledge != nil {
		s.public = j.Knowledge.Public(s.port)
		s.internal = j.Knowledge.Internal(s.port)
	}
	return s
}

// broken gives the rules that hold, without those that another one of them
// makes redundant, in the order of their ids.
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

// finding writes down that a rule is broken.
func (j *Judge) finding(r *Rule, p Subject, v Vantage) Violation {
	f := Violation{
		Rule: r, Title: r.Title, Severity: r.Severity, Score: r.Score,
		Target: p.Target, Host: p.Host, Aliases: p.Aliases, Vantage: v.String(),
		Evidence: evidence(r, p, v), Tags: r.Tags,
		Status: result.StatusOpen, Drift: result.DriftNone, Anchor: p.Anchor,
		FirstSeen: p.Time, LastSeen: p.Time, Reachability: p.Reachability,
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
	f.Remediation, f.Fixes = advice.Text, advice.Fixes
	return f
}

// ProductOf gives name and version of the daemon, as far as a signature names it.
func ProductOf(s *fingerprint.Identification) string {
	product := s.KnownProduct()
	if s.Version == "" || product == "" {
		return product
	}
	return product + " " + s.Version
}

// Certainty gives how surely a dialogue named the service: 0 where it did not,
// or where it was refused or cut off before it settled what answers.
func Certainty(s *fingerprint.Identification) int {
	if !Identified(s) || s.Inconclusive != "" {
		return 0
	}
	return s.ProtocolConfidence()
}

// SplitProduct parts what ProductOf joined.
func SplitProduct(s string) (product, version string) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 || s[i+1:] == "" || s[i+1] < '0' || s[i+1] > '9' {
		return s, ""
	}
	return s[:i], s[i+1:]
}
