package report

import (
	"cmp"
	"net/netip"
	"slices"
)

// A Finding is one broken rule, as written.
type Finding struct {
	ID           string      `json:"id"`
	GroupID      string      `json:"group_id,omitempty"` // of the finding from any vantage
	Rule         string      `json:"rule"`
	Severity     string      `json:"severity"`
	Title        string      `json:"title"`
	Score        float64     `json:"score,omitempty"`
	IP           string      `json:"ip"`
	Host         string      `json:"host,omitempty"`
	Aliases      []string    `json:"aliases,omitempty"`
	Addresses    []string    `json:"addresses,omitempty"` // of the host, where there are several
	Port         uint16      `json:"port"`
	Protocol     string      `json:"protocol"`
	Vantage      string      `json:"vantage,omitempty"`      // "" is that of the run
	Reachability string      `json:"reachability,omitempty"` // "assumed", or ""
	Status       string      `json:"status"`
	Drift        string      `json:"drift"`
	Verdict      string      `json:"verdict,omitempty"` // "fail", "warn" or "pass"
	Confidence   int         `json:"confidence"`
	Certainty    *int        `json:"certainty,omitempty"` // how surely the service was named, 0 to 10
	CWE          []int       `json:"cwe,omitempty"`
	Tags         []string    `json:"tags,omitempty"`
	Evidence     []string    `json:"evidence,omitempty"`
	Remediation  string      `json:"remediation,omitempty" clean:"block"`
	Fixes        []string    `json:"fixes,omitempty"` // ids of the fixes in Remediation
	References   []string    `json:"references,omitempty"`
	Anchor       *Anchor     `json:"anchor,omitempty"`
	PolicyAnchor *Anchor     `json:"policy_anchor,omitempty"`
	FirstSeen    Time        `json:"first_seen,omitzero"`
	LastSeen     Time        `json:"last_seen,omitzero"`
	Acceptance   *Acceptance `json:"acceptance,omitempty"`
	addr         netip.Addr  // of IP
}

// An Acceptance is a risk that somebody accepted until a day.
type Acceptance struct {
	ID      string `json:"id"`
	Reason  string `json:"reason"`
	Owner   string `json:"owner,omitempty"`
	Expires string `json:"expires"` // "2006-01-02"
}

const (
	statusOpen     = "open"
	statusAccepted = "accepted"
	statusExpected = "expected"
	statusFixed    = "fixed"
)

const (
	driftNew        = "new"
	driftUnchanged  = "unchanged"
	driftUpdated    = "updated"
	driftFixed      = "fixed"
	driftUnverified = "unverified"
	driftExpired    = "expired"  // accepted in the baseline, and no longer
	driftReopened   = "reopened" // fixed before
	driftNone       = "none"
)

// The verdicts of the gate on one finding. "" is not recorded.
const (
	verdictFail = "fail"
	verdictWarn = "warn"
	verdictPass = "pass"
)

// severities, heaviest first.
var severities = [...]string{"critical", "high", "medium", "low", "info"}

// weight is 5 for critical down to 1 for info.
func weight(severity string) int {
	for i, s := range severities {
		if s == severity {
			return len(severities) - i
		}
	}
	return 0
}

// fallbackAnchor is the file that findings point at where no file put their
// host in scope: the name under which a policy file is looked for.
const fallbackAnchor = "mxsweep.yaml"

// anchorOf is where a finding points for tools that want a file: the line
// that put its host in scope, else the policy line that bears on it, else the
// first line of the fallback.
func anchorOf(f *Finding, fallback string) *Anchor {
	switch {
	case f.Anchor != nil:
		return f.Anchor
	case f.PolicyAnchor != nil:
		return f.PolicyAnchor
	}
	return &Anchor{File: fallback, Line: 1}
}

// live reports whether the finding stands: neither accepted, nor expected,
// nor fixed.
func (f *Finding) live() bool {
	return f.Status == statusOpen && f.Drift != driftFixed
}

func (f *Finding) address() netip.Addr {
	if f.addr.IsValid() {
		return f.addr
	}
	a, _ := netip.ParseAddr(f.IP)
	return a
}

func sortNotices(notices []Notice) {
	slices.SortStableFunc(notices, func(a, b Notice) int {
		return cmp.Or(
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Target, b.Target),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
