package result

import "net/netip"

// A Finding is one rule that one port breaks.
type Finding struct {
	ID           string       `json:"id"`
	GroupID      string       `json:"group_id,omitempty"` // of the finding from any vantage
	Rule         string       `json:"rule"`
	Severity     Severity     `json:"severity"`
	Title        string       `json:"title"`
	Score        float64      `json:"score,omitempty"`
	IP           netip.Addr   `json:"ip"` // without a zone, which Host holds
	Host         string       `json:"host,omitempty" clean:"field"`
	Aliases      []string     `json:"aliases,omitempty" clean:"field"`
	Addresses    []netip.Addr `json:"addresses,omitempty"` // of the host, where there are several
	Port         uint16       `json:"port"`
	Protocol     string       `json:"protocol"`
	Vantage      string       `json:"vantage,omitempty" clean:"field"` // "" is that of the run
	Reachability Reachability `json:"reachability,omitempty"`          // "assumed", or ""
	Status       Status       `json:"status"`
	Drift        Drift        `json:"drift"`
	Verdict      Verdict      `json:"verdict,omitempty"` // "fail", "warn" or "pass"
	Confidence   int          `json:"confidence"`
	Certainty    *int         `json:"certainty,omitempty"` // how surely the service was named, 0 to 10
	CWE          []int        `json:"cwe,omitempty"`
	Tags         []string     `json:"tags,omitempty"`
	Evidence     []string     `json:"evidence,omitempty"`
	Remediation  string       `json:"remediation,omitempty" clean:"block"`
	Fixes        []string     `json:"fixes,omitempty" clean:"field"` // ids of the fixes in Remediation
	References   []string     `json:"references,omitempty"`
	Anchor       *Anchor      `json:"anchor,omitempty"`
	PolicyAnchor *Anchor      `json:"policy_anchor,omitempty"`
	Listener     *Configured  `json:"listener,omitempty"` // nil if the port was scanned

	// State is that of a port that breaks the rule without being open, such as a closed port
	// that the records of a domain name; "" for an open one.
	State State `json:"state,omitempty"`

	// NamedBy are the paths that lead from the domains of the run to the host, in words, such
	// as "mx 10 of example.org".
	NamedBy []string `json:"named_by,omitempty" clean:"field"`

	// OpenedBy is what a configuration file says that opens a port that was scanned, or on
	// which the machine listens; nil if that is not known. Anchor is then its token.
	OpenedBy *Configured `json:"opened_by,omitempty"`

	FirstSeen  Time        `json:"first_seen,omitzero"`
	LastSeen   Time        `json:"last_seen,omitzero"`
	Acceptance *Acceptance `json:"acceptance,omitempty"`
}

// Line returns what the configuration file says that opens the port; nil if no line is
// known. Anchor is its token.
func (f *Finding) Line() *Configured {
	if f.Listener != nil {
		return f.Listener
	}
	return f.OpenedBy
}

// OfRecords reports whether the finding is about records of a domain, and not about a port.
// Host is then the domain, and IP and Port mean nothing.
func (f *Finding) OfRecords() bool { return f.Listener != nil && f.Listener.Kind == KindRecords }

// Active reports whether the finding is neither accepted, nor expected, nor
// fixed.
func (f *Finding) Active() bool {
	return f.Status == StatusOpen && f.Drift != DriftFixed
}

// Fails reports whether the finding fails the gate.
func (f *Finding) Fails() bool { return f.Verdict == VerdictFail }

// IsNew reports whether the finding is active and was not when the baseline was
// created. Without a baseline every active finding is new.
func (f *Finding) IsNew() bool {
	switch f.Drift {
	case DriftNew, DriftExpired, DriftReopened, DriftNone:
		return f.Active()
	}
	return false
}

// Known reports whether the finding is unchanged since the baseline and does not
// fail the gate, so that it needs no new decision.
func (f *Finding) Known() bool {
	return f.Active() && f.Drift == DriftUnchanged && !f.Fails()
}
