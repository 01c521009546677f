package format

// Options control the formats. The zero Options are suitable for a file.
type Options struct {
	// Width is the number of columns for wrapped text. If zero, 80; less than 40
	// means 40.
	Width int

	// Color says whether text is colored. Colors carry no information of their
	// own.
	Color bool

	// Verbose adds details to text that are otherwise omitted.
	Verbose bool

	// Only restricts the findings in the formats listed by report.Restricted to
	// [OnlyNew] or [OnlyFailing]; "" means all. The counts stay those of the run.
	// Formats that other programs import have all findings, because those
	// programs take a missing one for fixed.
	Only string

	// MaxBytes is the maximum size of markdown, from report.MinMarkdown to
	// report.MaxMarkdown. If zero, report.UsualMarkdown.
	MaxBytes int

	// Evidence is how much evidence html and text show: one of the values below.
	// "" is EvidenceSummary.
	Evidence string

	// Saved is the saved run that is also written, or that is read, for text to
	// refer to. "" is none.
	Saved string

	// Title is the title page of html.
	Title TitlePage

	// SARIF has the options of that format.
	SARIF SARIFOptions
}

// The values of Options.Evidence.
const (
	EvidenceNone    = "none"    // nothing
	EvidenceSummary = "summary" // in brief, the rest folded; nothing in print
	EvidenceFull    = "full"    // all, in print as well
)

// A TitlePage describes a report that is handed to others. Each of its texts may
// be "". They are not part of a saved run.
type TitlePage struct {
	Title          string // instead of the default title
	Client         string // for whom the report was written
	Engagement     string // the project or contract it belongs to
	Author         string
	Classification string // who may read it, shown on every printed page
}

// The values of Options.Only.
const (
	OnlyNew     = "new"     // those that the baseline does not hold
	OnlyFailing = "failing" // those that the gate fails on
)

// SARIFOptions control the SARIF format.
type SARIFOptions struct {
	// Profile is "ci" (the default), which omits accepted, expected and fixed
	// findings because GitHub ignores suppressions, or "full", which has them
	// with suppressions and baseline state.
	Profile string

	// Category distinguishes several uploads for one commit. If empty,
	// "mxsweep/SCOPE/VANTAGE", followed by the shard if there is one.
	Category string

	// Anchor is the file, relative to the root of the checkout, at which results
	// point if no line of a file puts the host in scope (targets on the command
	// line). If empty, "mxsweep.yaml". GitHub accepts no result without a file,
	// but the file need not exist.
	Anchor string

	// Revision is the state of the repository with the files at which results
	// point. The zero Revision is omitted.
	Revision Revision
}

// A Revision is a state of a repository. One without a URI is none.
type Revision struct {
	URI    string // without user name and password
	Commit string // "" if not known
	Branch string // "" if not known
}

// The profiles of SARIF.
const (
	ProfileCI   = "ci"
	ProfileFull = "full"
)
