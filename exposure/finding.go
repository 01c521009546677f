package exposure

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// Names are all names of the finding's address.
func (f *Violation) Names() []string { return allNames(f.Host, f.Aliases) }

func allNames(host string, aliases []string) []string {
	return append([]string{host}, aliases...)
}

// A Violation is one rule that one port breaks, as it is judged: with the rule
// itself, which the policy, the baseline and the gate ask about. [result.Finding] is
// what a report tells of it.
type Violation struct {
	// ID is that of FindingID, with the host as the user named it: stable across
	// runs, versions, addresses of a name, and lines.
	ID string

	// GroupID is that of GroupID: the same from each vantage point.
	GroupID string

	Rule  *Rule
	Title string
	// Severity and Score are those of the rule.
	Severity result.Severity
	Score    float64

	// Target is where it was found; of several addresses, the lowest.
	Target  netip.AddrPort
	Host    string
	Aliases []string // further names in scope of the same address
	Vantage string   // where it was seen from

	// Addresses are all addresses of Host on which it was found, sorted; nil
	// where that of Target is the only one.
	Addresses []netip.Addr

	// Reachability is that of its port.
	Reachability result.Reachability

	// Service is the protocol spoken, "" if not known.
	Service string

	// Product is the daemon's name and version as they were seen, "" if not
	// known. A change of it makes a finding "updated" against the baseline.
	Product string

	// Confidence, from 0 to 10, is how certain it is that the rule is broken:
	// for most rules how surely the service is known.
	Confidence int

	// Certainty, from 0 to 10, is how surely the service was named; 0 where no
	// dialogue settled it. Method is that of the service.
	Certainty int
	Method    result.Method

	Evidence []string // one sentence each
	// Remediation is the fix for this daemon, several lines where known: the
	// edit, and the commands that check, apply and verify it. Fixes are the ids
	// of the fixes in it.
	Remediation string
	Fixes       []string
	Tags        []string

	Status result.Status
	Drift  result.Drift

	// Anchor is where the host was put in scope, nil for the command line;
	// PolicyAnchor is the policy line that bears on it, nil if none does.
	Anchor       *result.Anchor
	PolicyAnchor *result.Anchor

	// Carried says that the finding is one of the baseline which this run did
	// not find again.
	Carried bool

	FirstSeen, LastSeen time.Time

	// Acceptance is the accepted risk that covers the finding, nil if none.
	Acceptance *result.Acceptance
}

// Finding gives what a report tells of the violation. Its texts are still as the
// network has sent them: report.Clean makes them fit to be written.
func (f *Violation) Finding() result.Finding {
	w := result.Finding{
		ID:           f.ID,
		GroupID:      f.GroupID,
		Severity:     f.Severity,
		Title:        f.Title,
		Score:        f.Score,
		IP:           f.Target.Addr().WithZone(""),
		Host:         f.Host,
		Aliases:      f.Aliases,
		Addresses:    f.Addresses,
		Port:         f.Target.Port(),
		Protocol:     "tcp",
		Vantage:      f.Vantage,
		Reachability: f.Reachability,
		Status:       cmp.Or(f.Status, result.StatusOpen),
		Drift:        cmp.Or(f.Drift, result.DriftNone),
		Confidence:   f.Confidence,
		Certainty:    &f.Certainty,
		Tags:         f.Tags,
		Evidence:     f.Evidence,
		Remediation:  f.Remediation,
		Fixes:        f.Fixes,
		Anchor:       f.Anchor,
		PolicyAnchor: f.PolicyAnchor,
		FirstSeen:    result.NewTime(f.FirstSeen),
		LastSeen:     result.NewTime(f.LastSeen),
		Acceptance:   f.Acceptance,
	}
	if f.Rule != nil {
		w.Rule, w.CWE, w.References = f.Rule.ID, f.Rule.CWE, f.Rule.References
	}
	return w
}
