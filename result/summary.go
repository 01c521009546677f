package result

// A Summary closes a run.
type Summary struct {
	Complete           bool       `json:"complete"`
	ExitCode           int        `json:"exit_code"`
	Gate               GateResult `json:"gate"` // "pass", "fail", "incomplete" or "error"
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

// Partial reports whether what is not among the findings of the run may still
// be there: the run did not look at all of it, or saw too little.
func (s *Summary) Partial() bool {
	return s.Incomplete || !s.Complete || s.Gate == GateIncomplete || s.Gate == GateError
}

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
	if f.Status == StatusAccepted {
		s.Accepted++
	}
	if f.Active() {
		*s.BySeverity.Of(f.Severity)++
	}
	*s.ByDrift.Of(f.Drift)++
}

// Of is the count of a severity; that of info for one that is none.
func (b *BySeverity) Of(severity Severity) *int {
	switch severity {
	case SeverityCritical:
		return &b.Critical
	case SeverityHigh:
		return &b.High
	case SeverityMedium:
		return &b.Medium
	case SeverityLow:
		return &b.Low
	}
	return &b.Info
}

// Of is the count of a drift; that of none for one that is none.
func (b *ByDrift) Of(drift Drift) *int {
	switch drift {
	case DriftNew:
		return &b.New
	case DriftUnchanged:
		return &b.Unchanged
	case DriftUpdated:
		return &b.Updated
	case DriftFixed:
		return &b.Fixed
	case DriftUnverified:
		return &b.Unverified
	case DriftExpired:
		return &b.Expired
	case DriftReopened:
		return &b.Reopened
	}
	return &b.None
}

// Total is the number of findings counted by severity.
func (b BySeverity) Total() int {
	return b.Critical + b.High + b.Medium + b.Low + b.Info
}
