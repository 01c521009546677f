package drift

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// A sighting is the result of this run for a target of the baseline.
type sighting struct {
	state     result.State // "" if it was not probed
	attempts  int          // number of probes
	named     bool         // a dialogue identified the service
	refused   bool         // the daemon's access list refused the scanner
	certainty int          // confidence of the identification
	product   string

	entries []*Entry         // of the baseline, for this target
	broken  []*exposure.Rule // the rules that this run found broken there
}

// minEvidenceConfidence is the minimum confidence with which another service proves that the
// daemon was replaced or fixed.
const minEvidenceConfidence = 7

// maxChance is the maximum probability that all probes of a port got lost for
// which its silence counts as evidence.
const maxChance = 0.001

// SilenceShows reports whether the silence of a port that was probed a number of times, in a
// run that lost a share of its packets, 0 to 1, shows that it is not open.
func SilenceShows(loss float64, attempts int) bool {
	return math.Pow(loss, float64(max(attempts, 1))) <= maxChance
}

// maxDialogueLoss is the maximum loss with which a dialogue is evidence of a change
// on a port of the baseline. With more, what is missing in the dialogue may have
// been lost.
const maxDialogueLoss = 0.2

// Knows reports whether the baseline has an entry for the target.
func (c *Comparison) Knows(target netip.AddrPort) bool { return c.known[target] != nil }

// Add records the result of one port. Ports without an entry in the baseline are
// ignored.
func (c *Comparison) Add(p exposure.Subject) {
	target := netip.AddrPortFrom(p.Target.Addr().Unmap(), p.Target.Port())
	s := c.known[target]
	if s == nil {
		return
	}
	*s = sighting{state: p.State, attempts: p.Attempts, entries: s.entries}
	if v := p.Service; v != nil && v.Inconclusive == "" {
		s.named = exposure.Identified(v)
		s.refused = v.Has(exposure.ObservedRefused)
		s.certainty, s.product = exposure.Certainty(v), exposure.ProductOf(v)
	}
}

// Forget undoes Add for a port that is to be probed again.
func (c *Comparison) Forget(target netip.AddrPort) {
	if s := c.known[netip.AddrPortFrom(target.Addr().Unmap(), target.Port())]; s != nil {
		*s = sighting{entries: s.entries}
	}
}

// moreConfident reports whether the entry's service was identified with more confidence
// than the given certainty, for a product. Entries of files without confidences
// count as certain, unless the same product is named again.
func (e *Entry) moreConfident(certainty int, product string) bool {
	if e.Confidence != nil {
		return *e.Confidence > certainty
	}
	return certainty < 10 && (certainty < minEvidenceConfidence || e.Product != "" && e.Product != product)
}

// restsOnLess reports whether a finding that is not in the baseline rests on a weaker
// identification than the entries of its port, or on a dialogue with much loss:
// then it may be the same as an earlier finding. That a port is open at all is
// certain.
func (c *Comparison) restsOnLess(f *exposure.Violation) bool {
	if f.Rule.Kind == exposure.KindPolicy || f.Rule.Kind == exposure.KindJoined || f.Rule.Kind == exposure.KindDomain || f.Listener != nil {
		return false
	}
	for _, addr := range f.AllAddresses() {
		s := c.known[netip.AddrPortFrom(addr, f.Target.Port())]
		if s != nil && slices.ContainsFunc(s.entries, func(e *Entry) bool {
			return e.Status != result.StatusFixed && ruleOfEntry(c.rules, e).Kind != exposure.KindPolicy && (c.loss > maxDialogueLoss || e.moreConfident(f.Certainty, f.Product))
		}) {
			return true
		}
	}
	return false
}

// verify decides whether a finding that was not found again is fixed. That
// requires evidence from this run and from the same vantage point, on all
// addresses; why describes the evidence, or what is missing.
func (c *Comparison) verify(e *Entry, up func(netip.Addr) bool) (fixed bool, why string) {
	if ruleOfEntry(c.rules, e).Kind == exposure.KindDomain {
		return c.verifyDomain(e)
	}
	if c.now.Gone != nil || e.Listener != "" {
		return c.verifyListener(e)
	}
	places := c.places(e)
	for _, addr := range places {
		var reason string
		if fixed, reason = c.verifyAt(e, addr, up); why == "" || !fixed {
			why = reason
			if len(places) > 1 {
				why = addr.String() + ": " + reason
			}
		}
		if !fixed {
			return false, why
		}
	}
	if len(places) > 1 {
		why += fmt.Sprintf("; none of the %d addresses breaks the rule any longer", len(places))
	}
	return fixed, why
}

// verifyDomain is verify for an entry about the records of a domain.
func (c *Comparison) verifyDomain(e *Entry) (fixed bool, why string) {
	if c.now.Domains == nil {
		return false, "this run looked up no domain"
	}
	return c.now.Domains(e)
}

// verifyListener is verify where the run probes nothing, or the entry is one of a file.
func (c *Comparison) verifyListener(e *Entry) (fixed bool, why string) {
	files := c.now.Vantage.String() == string(exposure.ClassConfig)
	switch {
	case c.now.Gone == nil || e.Listener != "" && !files:
		return false, "this run did not read configuration files"
	case e.Listener == "" && files:
		return false, "this run read configuration files and did not probe the port"
	}
	return c.now.Gone(e)
}

// verifyAt is verify for one address.
func (c *Comparison) verifyAt(e *Entry, addr netip.Addr, up func(netip.Addr) bool) (fixed bool, why string) {
	s := c.known[netip.AddrPortFrom(addr, e.Port)]
	r := ruleOfEntry(c.rules, e)
	switch {
	case e.Vantage != c.now.vantage(addr):
		return false, fmt.Sprintf("this run did not scan from the vantage point %q", e.Vantage)
	case s == nil || s.state == "":
		return false, "this run did not probe the port"
	case s.state == result.StateClosed:
		return true, "the port is closed now"
	case e.Rule == exposure.RuleBehindFilter && s.state == result.StateFiltered && (c.now.Joined == nil || !c.now.Joined(addr)):
		return false, "the port is silent, and this run did not read the configuration files of the host"
	case e.Rule == exposure.RuleBehindFilter && s.state == result.StateOpen:
		return true, "the port is reachable now"
	case s.state == result.StateFiltered && !SilenceShows(c.loss, s.attempts):
		return false, fmt.Sprintf("the port is silent now, but this run lost %.0f%% of its packets, so it may be open", 100*c.loss)
	case s.state == result.StateFiltered && up != nil && up(addr):
		return true, "the port is silent now, while the same host answered on other ports"
	case s.state == result.StateFiltered:
		return false, "the whole host is silent now, which proves nothing"
	case s.state != result.StateOpen:
		return false, "this run could not probe the port"
	case slices.ContainsFunc(s.broken, func(b *exposure.Rule) bool { return b.ID == e.Rule }):
		return false, "the rule is still broken there, but the host has another name"
	case c.rules != nil && c.rules.Lookup(e.Rule) == nil:
		return false, "the port is open, but this version does not know the rule"
	case r.OptIn && !c.now.Intrusive:
		return false, "the port is open, but only intrusive probes, which this run did not send, show the finding"
	case e.Rule == exposure.RuleOnlyIPv6:
		return false, "the port is open over IPv6, but this run did not show that it is not open over IPv4"
	case c.loss > maxDialogueLoss:
		return false, fmt.Sprintf("the port is open, but this run lost %.0f%% of its packets, too many to show that the daemon changed", 100*c.loss)
	case s.refused:
		return true, "the port is open, but the daemon's own access list now refuses us"
	case !s.named || s.certainty < minEvidenceConfidence:
		return false, "the port is open, but this run did not identify the service with certainty"
	case e.moreConfident(s.certainty, s.product):
		return false, "the port is open, but this run identified the service with less certainty than the baseline"
	default:
		return true, "the port is open and no longer breaks the rule"
	}
}
