package result

// A Tool names the program that made a run.
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
	Rules []RuleInfo `json:"rules,omitempty"`
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

// A BaselineInfo names the earlier findings that a run was compared with.
type BaselineInfo struct {
	SHA256     string `json:"sha256"`
	Created    Time   `json:"created,omitzero"`
	Comparable bool   `json:"comparable"`
	Why        string `json:"why,omitempty"` // why not, if it is not
}

// An Anchor is the line of a file that put an address into a run, or the
// policy line that bears on a finding.
type Anchor struct {
	File      string `json:"file"` // relative to the root of the checkout, with slashes
	Line      int    `json:"line"` // from 1
	EndColumn int    `json:"end_column,omitempty"`
	Text      string `json:"text,omitempty"`
}
