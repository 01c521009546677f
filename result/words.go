package result

import "slices"

// A Reachability says how it is known that a port can be reached from the
// vantage point. The zero Reachability is: it was reached from there.
type Reachability string

// ReachabilityAssumed is that of an address of the scanning machine: what it
// hears of itself does not pass the firewalls on the way to it.
const ReachabilityAssumed Reachability = "assumed"

// ParseReachability finds the reachability of a word, "" among them, and reports
// whether there is one.
func ParseReachability(word string) (Reachability, bool) {
	return find([]Reachability{"", ReachabilityAssumed}, word)
}

// A Status says what the policy makes of a finding.
type Status string

// The statuses of a finding.
const (
	StatusOpen     Status = "open"
	StatusAccepted Status = "accepted"
	StatusExpected Status = "expected"
	StatusFixed    Status = "fixed" // its drift is DriftFixed
)

var statuses = []Status{StatusOpen, StatusAccepted, StatusExpected, StatusFixed}

// ParseStatus finds the status of a word, and reports whether there is one.
func ParseStatus(word string) (Status, bool) { return find(statuses, word) }

// A Drift says how a finding relates to the baseline.
type Drift string

// The drifts. DriftNone means that there is no baseline.
const (
	DriftNew        Drift = "new"
	DriftUnchanged  Drift = "unchanged"
	DriftUpdated    Drift = "updated"
	DriftFixed      Drift = "fixed"
	DriftUnverified Drift = "unverified"

	// DriftExpired is that of a finding that was accepted when the baseline was
	// written, and is no longer: new to whoever relied on the acceptance.
	DriftExpired Drift = "expired"
	// DriftReopened is that of a finding that the baseline knows as fixed.
	DriftReopened Drift = "reopened"
	DriftNone     Drift = "none"
)

var drifts = []Drift{DriftNew, DriftUnchanged, DriftUpdated, DriftFixed, DriftUnverified, DriftExpired, DriftReopened, DriftNone}

// Drifts lists all drifts.
func Drifts() []Drift { return slices.Clone(drifts) }

// ParseDrift finds the drift of a word, and reports whether there is one.
func ParseDrift(word string) (Drift, bool) { return find(drifts, word) }

// A Verdict is that of the gate on one finding. "" is not recorded.
type Verdict string

// The verdicts.
const (
	VerdictFail Verdict = "fail"
	VerdictWarn Verdict = "warn"
	VerdictPass Verdict = "pass"
)

// ParseVerdict finds the verdict of a word, "" among them, and reports whether
// there is one.
func ParseVerdict(word string) (Verdict, bool) {
	return find([]Verdict{"", VerdictFail, VerdictWarn, VerdictPass}, word)
}

// A GateResult is what the gate decided of a run.
type GateResult string

// The results of the gate.
const (
	GatePass       GateResult = "pass"
	GateFail       GateResult = "fail"
	GateIncomplete GateResult = "incomplete"
	GateError      GateResult = "error"
)

var gateResults = []GateResult{GatePass, GateFail, GateIncomplete, GateError}

// GateResults lists all results of the gate.
func GateResults() []GateResult { return slices.Clone(gateResults) }

// ParseGateResult finds the result of the gate of a word, and reports whether
// there is one.
func ParseGateResult(word string) (GateResult, bool) { return find(gateResults, word) }

// A Level says how much a notice matters.
type Level string

// The levels.
const (
	LevelNote    Level = "note"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

var levels = []Level{LevelNote, LevelWarning, LevelError}

// ParseLevel finds the level of a word, and reports whether there is one.
func ParseLevel(word string) (Level, bool) { return find(levels, word) }

// Compare orders levels: notes first, errors last.
func (l Level) Compare(m Level) int { return slices.Index(levels, l) - slices.Index(levels, m) }

// find gives the word of a table that is equal to one that was read, so that what
// was read need not be kept.
func find[T ~string](table []T, word string) (T, bool) {
	if i := slices.Index(table, T(word)); i >= 0 {
		return table[i], true
	}
	return "", false
}
