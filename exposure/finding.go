package exposure

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// Names returns all names of the finding's address.
func (f *Violation) Names() []string { return allNames(f.Host, f.Aliases) }

func allNames(host string, aliases []string) []string {
	return append([]string{host}, aliases...)
}

// A Violation is one rule that one port breaks, while it is judged: with the rule
// itself, which policy, baseline and gate need. [result.Finding] is what a report
// shows of it.
type Violation struct {
	// ID is the result of FindingID. It does not change between runs, versions of
	// mxsweep, addresses of a name, or scope lines.
	ID string

	// GroupID is the result of the function GroupID: the same from each vantage
	// point.
	GroupID string

	Rule  *Rule
	Title string
	// Severity and Score are copied from the rule.
	Severity result.Severity
	Score    float64

	// Target is where it was found; of several addresses, the lowest.
	Target  netip.AddrPort
	Host    string
	Aliases []string // further names in scope of the same address
	Vantage string   // vantage point from which it was seen

	// Addresses are all addresses of Host on which it was found, sorted; nil if
	// Target's is the only one.
	Addresses []netip.Addr

	// Listener is what the file says that opens the port; nil for a port that was
	// scanned. Host is then the name of the file, and Anchor the token.
	Listener *result.Configured

	// OpenedBy is what the file of Anchor says that opens the port; nil for a finding of a
	// file, and where that is not known.
	OpenedBy *result.Configured

	// NamedBy is copied from the port. PortState is that of a port that breaks a rule without
	// being open; "" is open, and of a finding about records alone.
	NamedBy   []string
	PortState result.State

	// Reachability is copied from the port.
	Reachability result.Reachability

	// Service is the protocol, "" if not known.
	Service string

	// Product is the detected name and version of the daemon, "" if not known. If
	// it changes, the drift of the finding is "updated".
	Product string

	// Confidence, from 0 to 10, is how certain it is that the rule is broken: for
	// most rules the confidence of the identification.
	Confidence int

	// Certainty, from 0 to 10, is the confidence with which the service was
	// identified, 0 if no dialogue settled it. Method is that of the service.
	Certainty int
	Method    result.Method

	Evidence []string // one sentence each
	// Remediation is the fix for this daemon. If one is known, it has several
	// lines: the edit, and the commands that check, apply and verify it. Fixes
	// are the ids of the fixes in it.
	Remediation string
	Fixes       []string
	Tags        []string

	Status result.Status
	Drift  result.Drift

	// Anchor is the scope line of the host, nil for the command line;
	// PolicyAnchor is the policy line that applies to the finding, nil if none
	// does.
	Anchor       *result.Anchor
	PolicyAnchor *result.Anchor

	// Carried is set if the finding is from the baseline and this run did not
	// find it again.
	Carried bool

	FirstSeen, LastSeen time.Time

	// Acceptance is the accepted risk that covers the finding, nil if none.
	Acceptance *result.Acceptance
}

// Place returns where the finding is: address and port, or of a file
// "postfix/master.cf: 10025 inet".
func (f *Violation) Place() string {
	if f.Listener == nil {
		return f.Target.String()
	}
	return f.Host + ": " + f.Listener.Name
}

// Subject returns what a notice about the finding is about: address and port, or the file.
func (f *Violation) Subject() string {
	if f.Listener == nil {
		return f.Target.String()
	}
	return f.Host
}

// Finding returns what a report shows of the violation. Its texts are as received
// from the network: report.Clean makes them safe to write.
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
		Listener:     f.Listener,
		NamedBy:      f.NamedBy,
		State:        f.PortState,
		OpenedBy:     f.OpenedBy,
		FirstSeen:    result.NewTime(f.FirstSeen),
		LastSeen:     result.NewTime(f.LastSeen),
		Acceptance:   f.Acceptance,
	}
	if f.Rule != nil {
		w.Rule, w.CWE, w.References = f.Rule.ID, f.Rule.CWE, f.Rule.References
	}
	return w
}
