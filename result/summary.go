package result

// A Summary is the end of a report: the result of a run in numbers.
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

	// Incomplete is set if the coverage was too low, whatever the gate is:
	// exposed services may be missing in the findings.
	Incomplete bool `json:"incomplete,omitempty"`

	// Reason says in one sentence why the gate decided as it did.
	Reason string `json:"reason,omitempty"`
}

// Partial reports whether exposed services may be missing in the findings: the
// run did not probe everything, or its coverage was too low.
func (s *Summary) Partial() bool {
	return s.Incomplete || !s.Complete || s.Gate == GateIncomplete || s.Gate == GateError
}

// Coverage says how much of the plan gave a conclusive result.
type Coverage struct {
	// Planned is the number of pairs of address and port, without those of vacant
	// addresses.
	Planned uint64 `json:"planned"`

	// Answered is the number of conclusive ones: open and assessed, closed, or
	// filtered on a host that is up.
	Answered    uint64  `json:"answered"`
	Ratio       float64 `json:"ratio"` // Answered of Planned, 0 to 1
	HostsUp     int     `json:"hosts_up"`
	HostsSilent int     `json:"hosts_silent"` // and not vacant

	// Up are the hosts that were up, each as ADDRESS or FROM-TO. It is nil if
	// there are none, or too many to list.
	Up []string `json:"up,omitempty"`

	// CoverageCounts are nil in runs of versions that did not record them.
	*CoverageCounts

	Loss       float64 `json:"loss,omitempty"`        // share of the probes or their answers, 0 to 1
	CanariesOK *bool   `json:"canaries_ok,omitempty"` // nil: no canaries

	// CanariesOwn is set if canaries answered, but none on another machine than
	// the scanner: they show nothing about the network.
	CanariesOwn bool `json:"canaries_own,omitempty"`

	// Parts are the scope lines of which this run, as a shard, probed a part:
	// only all shards together show whether enough hosts are up in them.
	Parts []LinePart `json:"parts,omitempty"`
}

// A LinePart is what a shard found in a scope line that it shares with other
// shards.
type LinePart struct {
	Line     string `json:"line"`      // as it was written
	Range    string `json:"range"`     // the addresses that are meant, FROM-TO
	MinHosts uint64 `json:"min_hosts"` // the least number of hosts up in all of the line
	HostsUp  uint64 `json:"hosts_up"`  // in the part of this shard
}

// CoverageCounts are the numbers from which a [Coverage] is computed. The sum of
// Open, Closed, Filtered and Unknown is its Planned.
type CoverageCounts struct {
	Open     uint64 `json:"open"` // and assessed
	Closed   uint64 `json:"closed"`
	Filtered uint64 `json:"filtered"`
	Unknown  uint64 `json:"unknown"`
	Vacant   uint64 `json:"vacant"` // addresses

	// VacantPairs and Accepted are pairs that are not in Planned: those of vacant
	// addresses, and those of hosts that cannot be assessed, if the policy
	// accepts that. Nil in runs of versions that did not record them.
	VacantPairs *uint64 `json:"vacant_pairs,omitempty"`
	Accepted    *uint64 `json:"accepted_pairs,omitempty"`
}

// BySeverity counts the open findings of this run.
type BySeverity struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Info     int `json:"info"`
}

// ByDrift counts the findings by drift.
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
// fixed one does not count in BySeverity.
func (s *Summary) Count(f Finding) {
	if f.Status == StatusAccepted {
		s.Accepted++
	}
	if f.Active() {
		*s.BySeverity.Of(f.Severity)++
	}
	*s.ByDrift.Of(f.Drift)++
}

// Of returns the count of a severity; that of info for an invalid one.
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

// Of returns the count of a drift; that of none for an invalid one.
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

// Total returns the number of findings counted by severity.
func (b BySeverity) Total() int {
	return b.Critical + b.High + b.Medium + b.Low + b.Info
}
