package result

// ReachabilityAssumed is that of what the scanning machine saw of itself.
const ReachabilityAssumed = "assumed"

// The statuses of a finding: what the policy makes of it.
const (
	StatusOpen     = "open"
	StatusAccepted = "accepted"
	StatusExpected = "expected"
	StatusFixed    = "fixed"
)

// The drifts: how a finding relates to the baseline.
const (
	DriftNew        = "new"
	DriftUnchanged  = "unchanged"
	DriftUpdated    = "updated"
	DriftFixed      = "fixed"
	DriftUnverified = "unverified"
	DriftExpired    = "expired"  // accepted in the baseline, and no longer
	DriftReopened   = "reopened" // fixed before
	DriftNone       = "none"
)

// The verdicts of the gate on one finding. "" is not recorded.
const (
	VerdictFail = "fail"
	VerdictWarn = "warn"
	VerdictPass = "pass"
)

// The gates of a [Summary].
const (
	GatePass       = "pass"
	GateFail       = "fail"
	GateIncomplete = "incomplete"
	GateError      = "error"
)
