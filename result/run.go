package result

// A Tool identifies the program that made a run.
type Tool struct {
	Name          string `json:"name"` // always "mxsweep"
	Version       string `json:"version"`
	RulesVersion  string `json:"rules_version,omitempty"`
	ProbesVersion string `json:"probes_version,omitempty"`
}

// A Run says what was scanned, when, from where and who authorized it.
type Run struct {
	ID            string        `json:"run_id"` // a UUID, lower case
	StartTime     Time          `json:"start_time"`
	EndTime       Time          `json:"end_time,omitzero"`
	Args          []string      `json:"args,omitempty"` // the exact command, secrets redacted
	Vantage       string        `json:"vantage"`
	Authorization string        `json:"authorization,omitempty"`
	Scope         Scope         `json:"scope"`
	Baseline      *BaselineInfo `json:"baseline,omitempty"`

	// Mode is the engine, "connect" or "syn"; "" if not recorded.
	Mode string `json:"mode,omitempty"`

	// Shard is "I/N" if the run is the I-th of N disjoint parts of a sweep; "" if
	// it is the whole sweep.
	Shard string `json:"shard,omitempty"`

	// Merged are the ids of the runs that were merged into this one; nil for a
	// run that was not merged.
	Merged []string `json:"merged,omitempty"`

	// Now is the time at which acceptances had to be valid, if that is not the
	// time of the run; otherwise zero.
	Now Time `json:"now,omitzero"`

	// Paths are how mail flows through the hosts, as far as it is known; nil if nothing
	// is.
	Paths []Path `json:"paths,omitempty"`

	// Joined is what the scan and the machine, or its configuration files, show together, by
	// port and address; nil unless both were given.
	Joined []Joined `json:"joined,omitempty"`

	// Rules are the rules of the run. A writer keeps those that a finding refers
	// to, so that a saved run is self-contained.
	Rules []RuleInfo `json:"rules,omitempty"`
}

// A Scope says what a run was allowed to contact, and what it probed.
type Scope struct {
	Name      string   `json:"name"`
	SHA256    string   `json:"sha256"` // lower-case hex, of the scope in canonical form
	Files     []string `json:"files,omitempty"`
	Ports     string   `json:"ports"`
	Addresses uint64   `json:"addresses"`
	Excluded  uint64   `json:"excluded,omitempty"`

	// TargetsSHA256 is the hash of the targets as written, if they are not the
	// whole scope: it distinguishes two jobs with the same scope.
	TargetsSHA256 string `json:"targets_sha256,omitempty"`

	// Asked are the addresses that were probed, each as ADDRESS or FROM-TO, and
	// their names; in each shard those of the whole sweep. It is nil if there are
	// too many to list.
	Asked []string `json:"asked,omitempty"`
}

// A BaselineInfo identifies the baseline with which a run was compared.
type BaselineInfo struct {
	SHA256     string `json:"sha256"`
	Created    Time   `json:"created,omitzero"`
	Comparable bool   `json:"comparable"`
	Why        string `json:"why,omitempty"` // why not, if it is not
}

// An Anchor is the line of a file that puts an address in scope, the policy line that
// applies to a finding, or the token of a configuration file that opens a port.
type Anchor struct {
	File      string `json:"file"`             // relative to the root of the checkout, with slashes
	Line      int    `json:"line"`             // from 1
	Column    int    `json:"column,omitempty"` // from 1; 0 is 1
	EndColumn int    `json:"end_column,omitempty"`
	Text      string `json:"text,omitempty"`
}
