package format

// Options steer the formats. The zero Options are fit for a file.
type Options struct {
	// Width is the number of columns that text is wrapped to. If zero, 80;
	// less than 40 means 40.
	Width int

	// Color says whether text is colored. Nothing is told by color alone.
	Color bool

	// Verbose adds to text what is otherwise left out for brevity.
	Verbose bool

	// Only restricts what the formats that report.Restricted lists show of the
	// findings to [OnlyNew] or [OnlyFailing]; "" is all. The counts stay those
	// of the run, and the formats that other programs keep account by show
	// all: there a finding that is missing is taken for fixed.
	Only string

	// MaxBytes bounds markdown, from report.MinMarkdown to report.MaxMarkdown. If
	// zero, report.UsualMarkdown.
	MaxBytes int

	// Evidence is how much html and text show of what was seen: one of the
	// words below. "" is EvidenceSummary.
	Evidence string

	// Saved is the file of the saved run that is also written, or that is read, for
	// text to name. "" is none.
	Saved string

	// Title is what html says of itself on its first page.
	Title TitlePage

	// SARIF steers that format.
	SARIF SARIFOptions
}

// How much of the evidence is shown.
const (
	EvidenceNone    = "none"    // nothing
	EvidenceSummary = "summary" // in brief, the rest folded; nothing in print
	EvidenceFull    = "full"    // all, in print as well
)

// A TitlePage is what a report that is handed on says of itself. Each of its
// texts may be "". They are no part of a saved run.
type TitlePage struct {
	Title          string // in place of the usual one
	Client         string // for whom it was written
	Engagement     string // which piece of work it belongs to
	Author         string
	Classification string // who may read it, on every printed page
}

// What reports for people show of the findings.
const (
	OnlyNew     = "new"     // those that the baseline does not hold
	OnlyFailing = "failing" // those that the gate fails on
)

// SARIFOptions steer the SARIF format.
type SARIFOptions struct {
	// Profile is "ci" (the default), which leaves out what is accepted,
	// expected or fixed because GitHub ignores suppressions, or "full", which
	// keeps all of it with suppressions and baseline state.
	Profile string

	// Category tells several uploads for one commit apart. If empty,
	// "mxsweep/SCOPE/VANTAGE", with the shard behind it where there is one.
	Category string

	// Anchor is the file, relative to the root of the checkout, that results
	// point at where no line of a file put the host in scope (targets given
	// on the command line). If empty, "mxsweep.yaml". GitHub takes no result
	// without a file, but does not ask that the file exists.
	Anchor string

	// Revision is what was checked out where the files are that results point
	// at. The zero Revision is not told.
	Revision Revision
}

// A Revision is a state of a repository. Without a URI it is none.
type Revision struct {
	URI    string // without user and password
	Commit string // "" if not known
	Branch string // "" if not known
}

// The profiles of SARIF.
const (
	ProfileCI   = "ci"
	ProfileFull = "full"
)
