package result

import "slices"

// A Reachability says how it is known that the vantage point can reach a port.
// The zero Reachability means that the port was reached from there.
type Reachability string

// ReachabilityAssumed is for an address of the scanning machine: its packets to
// itself do not pass the firewalls in front of it.
const ReachabilityAssumed Reachability = "assumed"

// ParseReachability returns the reachability with that name, which may be "", and
// reports whether it exists.
func ParseReachability(word string) (Reachability, bool) {
	return find([]Reachability{"", ReachabilityAssumed}, word)
}

// A Status is the status of a finding according to the policy.
type Status string

// The statuses of a finding.
const (
	StatusOpen     Status = "open"
	StatusAccepted Status = "accepted"
	StatusExpected Status = "expected"
	StatusFixed    Status = "fixed" // its drift is DriftFixed
)

var statuses = []Status{StatusOpen, StatusAccepted, StatusExpected, StatusFixed}

// ParseStatus returns the status with that name, and reports whether it exists.
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

	// DriftExpired means that the finding was accepted when the baseline was
	// created, but the acceptance has expired.
	DriftExpired Drift = "expired"
	// DriftReopened means that the finding is fixed in the baseline, but was
	// found again.
	DriftReopened Drift = "reopened"
	DriftNone     Drift = "none"
)

var drifts = []Drift{DriftNew, DriftUnchanged, DriftUpdated, DriftFixed, DriftUnverified, DriftExpired, DriftReopened, DriftNone}

// Drifts returns all drifts.
func Drifts() []Drift { return slices.Clone(drifts) }

// ParseDrift returns the drift with that name, and reports whether it exists.
func ParseDrift(word string) (Drift, bool) { return find(drifts, word) }

// A Verdict is the decision of the gate about one finding. "" means not recorded.
type Verdict string

// The verdicts.
const (
	VerdictFail Verdict = "fail"
	VerdictWarn Verdict = "warn"
	VerdictPass Verdict = "pass"
)

// ParseVerdict returns the verdict with that name, which may be "", and reports
// whether it exists.
func ParseVerdict(word string) (Verdict, bool) {
	return find([]Verdict{"", VerdictFail, VerdictWarn, VerdictPass}, word)
}

// A GateResult is the decision of the gate about a run.
type GateResult string

// The results of the gate.
const (
	GatePass       GateResult = "pass"
	GateFail       GateResult = "fail"
	GateIncomplete GateResult = "incomplete"
	GateError      GateResult = "error"
)

var gateResults = []GateResult{GatePass, GateFail, GateIncomplete, GateError}

// GateResults returns all results of the gate.
func GateResults() []GateResult { return slices.Clone(gateResults) }

// ParseGateResult returns the result with that name, and reports whether it
// exists.
func ParseGateResult(word string) (GateResult, bool) { return find(gateResults, word) }

// A Level is the severity of a notice.
type Level string

// The levels.
const (
	LevelNote    Level = "note"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

var levels = []Level{LevelNote, LevelWarning, LevelError}

// ParseLevel returns the level with that name, and reports whether it exists.
func ParseLevel(word string) (Level, bool) { return find(levels, word) }

// Compare orders levels: notes first, errors last.
func (l Level) Compare(m Level) int { return slices.Index(levels, l) - slices.Index(levels, m) }

// find returns the entry of a table that is equal to word, so that word, which
// may be part of a large input, need not stay in memory.
func find[T ~string](table []T, word string) (T, bool) {
	if i := slices.Index(table, T(word)); i >= 0 {
		return table[i], true
	}
	return "", false
}
