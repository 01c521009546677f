package exposure

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"mxsweep/fingerprint"
	"mxsweep/scan"
)

// A Port is one address and port as the run saw it: the input of a judgement.
type Port struct {
	scan.Result

	// Host is the name under which the address was put in scope, or "".
	Host string

	// Aliases are further names in scope of the same address. The policy
	// knows the port by any of them.
	Aliases []string

	// Anchor is the line that put it in scope; nil for the command line.
	Anchor *scan.Anchor

	// Service is nil where nothing was identified (not open, or
	// --no-identify).
	Service *fingerprint.Service
}

// names are all names of the port's address.
func (p *Port) names() []string { return allNames(p.Host, p.Aliases) }

// names are all names of the finding's address.
func (f *Finding) names() []string { return allNames(f.Host, f.Aliases) }

func allNames(host string, aliases []string) []string {
	return append([]string{host}, aliases...)
}

// Drift says how a finding relates to the baseline.
type Drift string

// The drift states. DriftNone means that there is no baseline.
const (
	DriftNone       Drift = "none"
	DriftNew        Drift = "new"
	DriftUnchanged  Drift = "unchanged"
	DriftUpdated    Drift = "updated"
	DriftFixed      Drift = "fixed"
	DriftUnverified Drift = "unverified"
)

// Status says what the policy makes of a finding.
type Status string

// The statuses of a finding.
const (
	StatusOpen     Status = "open"
	StatusAccepted Status = "accepted"
	StatusExpected Status = "expected"
)

// A Finding is one rule that one port breaks.
type Finding struct {
	// ID is the lower-case hex SHA-256 over rule, address, port, protocol and
	// vantage, NUL between: stable across runs, versions, names and lines.
	ID string

	Rule  *Rule
	Title string
	// Severity and Score are those of the rule.
	Severity Severity
	Score    float64

	Target  netip.AddrPort
	Host    string
	Aliases []string // further names in scope of the same address
	Vantage string   // where it was seen from

	// Service is the protocol spoken, "" if not known.
	Service string

	// Product is the daemon's name and version as they were seen, "" if not
	// known. A change of it makes a finding "updated" against the baseline.
	Product string

	// Confidence, from 0 to 10, is how certain it is that the rule is broken:
	// for most rules how surely the service is known.
	Confidence int
	Evidence   []string // one sentence each
	// Remediation is the fix for this daemon: the config line where known.
	Remediation string
	Tags        []string

	Status Status
	Drift  Drift

	// Anchor is where the host was put in scope, nil for the command line;
	// PolicyAnchor is the policy line that bears on it, nil if none does.
	Anchor       *scan.Anchor
	PolicyAnchor *scan.Anchor

	FirstSeen, LastSeen time.Time

	// Acceptance is the accepted risk that covers the finding, nil if none.
	Acceptance *Acceptance
}

// An Acceptance is a risk that somebody accepted until a day.
type Acceptance struct {
	ID      string
	Reason  string
	Owner   string
	Expires time.Time // the last day on which it holds, UTC midnight
}

// FindingID gives the id of a finding: the lower-case hex SHA-256 over rule,
// address, port, protocol ("tcp") and vantage, NUL between.
func FindingID(rule string, target netip.AddrPort, vantage string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		rule, target.Addr().Unmap().String(), strconv.Itoa(int(target.Port())), "tcp", vantage,
	}, "\x00")))
	return hex.EncodeToString(sum[:])
}
