package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// SchemaVersion is the version of the result schema that is written. A reader
// takes any 1.x: a minor version only adds.
const SchemaVersion = "1.0"

// The two forms of a saved run.
const (
	schemaReport = "mxsweep.report"
	schemaLine   = "mxsweep.line"
)

// A Time is a point in time as the schema writes it: RFC 3339, UTC, at most
// milliseconds. The zero Time is left out.
type Time struct{ time.Time }

// NewTime makes a Time of t: in UTC, milliseconds kept.
func NewTime(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Millisecond)}
}

const timeLayout = "2006-01-02T15:04:05.999Z07:00" // RFC 3339, Section 5.6

// String returns the time as it is written, "" for the zero Time.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Millisecond).Format(timeLayout)
}

// MarshalText implements [encoding.TextMarshaler].
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON implements [json.Marshaler].
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON implements [json.Unmarshaler]. Only UTC ("Z") is taken.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.Parse(time.RFC3339, s)
	if err != nil || s[len(s)-1] != 'Z' {
		return fmt.Errorf("parsing time %q: not RFC 3339 in UTC", clip(s, 40))
	}
	*t = NewTime(v)
	return nil
}

// A Tool names the program that made a run.
type Tool struct {
	Name          string `json:"name"` // always "mxsweep"
	Version       string `json:"version"`
	RulesVersion  string `json:"rules_version,omitempty"`
	ProbesVersion string `json:"probes_version,omitempty"`
}

// A Run says what was scanned, when, from where and who authorized it.
type Run struct {
	ID            string    `json:"run_id"` // a UUID, lower case
	StartTime     Time      `json:"start_time"`
	EndTime       Time      `json:"end_time,omitzero"`
	Args          []string  `json:"args,omitempty"` // the exact command, secrets redacted
	Vantage       string    `json:"vantage"`
	Authorization string    `json:"authorization,omitempty"`
	Scope         Scope     `json:"scope"`
	Baseline      *Baseline `json:"baseline,omitempty"`

	// Mode is the engine that asked, "connect" or "syn"; "" if not recorded.
	Mode string `json:"mode,omitempty"`

	// Shard is "I/N" where the run is the I-th of N disjoint parts of a sweep;
	// "" where it is the whole.
	Shard string `json:"shard,omitempty"`

	// Merged are the ids of the runs that were merged into this one; nil for a
	// run that was scanned.
	Merged []string `json:"merged,omitempty"`

	// Now is the moment by which expiries were judged where it was not that of
	// the run itself; zero where it was.
	Now Time `json:"now,omitzero"`

	// Rules are the rules of the run. A writer keeps those that a finding
	// names, so that a saved run explains itself.
	Rules []Rule `json:"rules,omitempty"`
}

// A Scope says what a run was allowed to contact, and asked.
type Scope struct {
	Name      string   `json:"name"`
	SHA256    string   `json:"sha256"` // lower-case hex, of the scope in canonical form
	Files     []string `json:"files,omitempty"`
	Ports     string   `json:"ports"`
	Addresses uint64   `json:"addresses"`
	Excluded  uint64   `json:"excluded,omitempty"`

	// TargetsSHA256 is over the targets as they were named, where those are
	// not all of the scope: it tells two jobs over one scope apart.
	TargetsSHA256 string `json:"targets_sha256,omitempty"`

	// Asked are the addresses that were asked for something, each as ADDRESS or
	// FROM-TO, and the names that they were asked by; in all shards those of the
	// whole sweep. It is nil where there are too many to tell.
	Asked []string `json:"asked,omitempty"`
}

// A Baseline names the earlier findings that a run was compared with.
type Baseline struct {
	SHA256     string `json:"sha256"`
	Created    Time   `json:"created,omitzero"`
	Comparable bool   `json:"comparable"`
	Why        string `json:"why,omitempty"` // why not, if it is not
}

// A Rule explains a class of findings.
type Rule struct {
	ID         string   `json:"id"`             // "MXSnnnn"
	Name       string   `json:"name,omitempty"` // in PascalCase, for tools
	Title      string   `json:"title"`
	Severity   string   `json:"severity"`
	Score      float64  `json:"score"`              // 0 to 10
	CVSS       string   `json:"cvss,omitempty"`     // the CVSS 4.0 vector of which Score is the score
	Reviewed   string   `json:"reviewed,omitempty"` // YYYY-MM-DD
	Why        string   `json:"why,omitempty" clean:"block"`
	Fix        string   `json:"fix,omitempty" clean:"block"`  // for any daemon
	Help       string   `json:"help,omitempty" clean:"block"` // markdown: the fix for each daemon
	References []string `json:"references,omitempty"`
	CWE        []int    `json:"cwe,omitempty"`
	Tags       []string `json:"tags,omitempty"`
}

// An Anchor is the line of a file that put an address into a run, or the
// policy line that bears on a finding.
type Anchor struct {
	File      string `json:"file"` // relative to the root of the checkout, with slashes
	Line      int    `json:"line"` // from 1
	EndColumn int    `json:"end_column,omitempty"`
	Text      string `json:"text,omitempty"`
}

// A Notice is something the reader must know about the run itself.
type Notice struct {
	Code    string  `json:"code"`  // "MXS9nnn"
	Level   string  `json:"level"` // "note", "warning" or "error"
	Message string  `json:"message"`
	Target  string  `json:"target,omitempty"`
	Anchor  *Anchor `json:"anchor,omitempty"`

	// Names are the names in scope of the target, an address, where the policy
	// may accept the notice by one of them.
	Names []string `json:"names,omitempty"`

	// Acceptance covers what the notice is about; nil if nobody has accepted it.
	Acceptance *Acceptance `json:"acceptance,omitempty"`
}

// A Summary closes a run.
type Summary struct {
	Complete           bool       `json:"complete"`
	ExitCode           int        `json:"exit_code"`
	Gate               string     `json:"gate"` // "pass", "fail", "incomplete" or "error"
	FailOn             string     `json:"fail_on,omitempty"`
	Coverage           Coverage   `json:"coverage"`
	BySeverity         BySeverity `json:"by_severity"`
	ByDrift            ByDrift    `json:"by_drift"`
	Accepted           int        `json:"accepted"`
	AcceptancesExpired int        `json:"acceptances_expired"`
	AcceptancesUnused  int        `json:"acceptances_unused"`

	// Incomplete says that the run saw too little, whatever the gate is: what
	// is not among its findings may still be there.
	Incomplete bool `json:"incomplete,omitempty"`

	// Reason says in one sentence why the gate decided as it did.
	Reason string `json:"reason,omitempty"`
}

// partial reports whether what is not among the findings of the run may still
// be there: the run did not look at all of it, or saw too little.
func (s *Summary) partial() bool {
	return s.Incomplete || !s.Complete || s.Gate == GateIncomplete || s.Gate == GateError
}

// The gates of a [Summary].
const (
	GatePass       = "pass"
	GateFail       = "fail"
	GateIncomplete = "incomplete"
	GateError      = "error"
)

// Coverage says how much of what was planned gave a conclusive result.
type Coverage struct {
	// Planned is how many pairs of address and port count: those of all
	// addresses but the vacant ones.
	Planned uint64 `json:"planned"`

	// Answered is how many of them are conclusive: open and assessed, closed,
	// or filtered on a host that is up.
	Answered    uint64  `json:"answered"`
	Ratio       float64 `json:"ratio"` // Answered of Planned, 0 to 1
	HostsUp     int     `json:"hosts_up"`
	HostsSilent int     `json:"hosts_silent"` // and not vacant

	// Up are the hosts that were up, each as ADDRESS or FROM-TO. It is nil where
	// there are none, or too many to tell.
	Up []string `json:"up,omitempty"`

	// CoverageCounts are nil in runs of versions that did not count them.
	*CoverageCounts

	Loss       float64 `json:"loss,omitempty"`        // share of the probes or their answers, 0 to 1
	CanariesOK *bool   `json:"canaries_ok,omitempty"` // nil: no canaries

	// CanariesOwn says that canaries answered, and none of them on another machine
	// than the scanner's: they show nothing of the network.
	CanariesOwn bool `json:"canaries_own,omitempty"`

	// Parts are the lines of the scope of which this run, as a shard, asked a
	// part: whether enough hosts are up in them can only be told of all shards.
	Parts []LinePart `json:"parts,omitempty"`
}

// A LinePart is what a shard saw of a line of the scope that it shares with
// other shards.
type LinePart struct {
	Line     string `json:"line"`      // as it was written
	Range    string `json:"range"`     // the addresses that are meant, FROM-TO
	MinHosts uint64 `json:"min_hosts"` // the least number of hosts up in all of the line
	HostsUp  uint64 `json:"hosts_up"`  // in the part of this shard
}

// CoverageCounts are the numbers that a [Coverage] is made of. Open, Closed,
// Filtered and Unknown together are its Planned.
type CoverageCounts struct {
	Open     uint64 `json:"open"` // and assessed
	Closed   uint64 `json:"closed"`
	Filtered uint64 `json:"filtered"`
	Unknown  uint64 `json:"unknown"`
	Vacant   uint64 `json:"vacant"` // addresses

	// VacantPairs and Accepted are pairs that are not in Planned: those of vacant
	// addresses, and those of hosts of which the policy accepts that they cannot
	// be judged. Nil in runs of versions that did not record them.
	VacantPairs *uint64 `json:"vacant_pairs,omitempty"`
	Accepted    *uint64 `json:"accepted_pairs,omitempty"`
}

// BySeverity counts the findings that are open and seen in this run.
type BySeverity struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Info     int `json:"info"`
}

// ByDrift counts the findings by what they are to the baseline.
type ByDrift struct {
	New        int `json:"new"`
	Unchanged  int `json:"unchanged"`
	Updated    int `json:"updated"`
	Fixed      int `json:"fixed"`
	Unverified int `json:"unverified"`
	Expired    int `json:"expired,omitempty"`
	Reopened   int `json:"reopened,omitempty"`
	None       int `json:"none,omitempty"` // there is no baseline
}

// Count adds a finding to the counts of the summary. An accepted, expected or
// fixed one is not counted by severity.
func (s *Summary) Count(f Finding) {
	if f.Status == statusAccepted {
		s.Accepted++
	}
	if f.live() {
		*s.BySeverity.of(f.Severity)++
	}
	*s.ByDrift.of(f.Drift)++
}

func (b *BySeverity) of(severity string) *int {
	switch severity {
	case "critical":
		return &b.Critical
	case "high":
		return &b.High
	case "medium":
		return &b.Medium
	case "low":
		return &b.Low
	}
	return &b.Info
}

func (b *ByDrift) of(drift string) *int {
	switch drift {
	case driftNew:
		return &b.New
	case driftUnchanged:
		return &b.Unchanged
	case driftUpdated:
		return &b.Updated
	case driftFixed:
		return &b.Fixed
	case driftUnverified:
		return &b.Unverified
	case driftExpired:
		return &b.Expired
	case driftReopened:
		return &b.Reopened
	}
	return &b.None
}

// words lists the counts with their severities, the heaviest first; "" if all
// are 0.
func (b BySeverity) words() string {
	var words []string
	for _, s := range severities {
		if n := *b.of(s); n > 0 {
			words = append(words, itoa(n)+" "+s)
		}
	}
	return strings.Join(words, ", ")
}

// Total is the number of findings counted by severity.
func (b BySeverity) Total() int {
	return b.Critical + b.High + b.Medium + b.Low + b.Info
}

// clip cuts s to at most n bytes, for messages.
func clip(s string, n int) string { return Sanitise(s, n) }
