package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Options steer the formats. The zero Options are fit for a file.
type Options struct {
	// Width is the number of columns that text is wrapped to. If zero, 80;
	// less than 40 means 40.
	Width int

	// Color says whether text is colored. Nothing is told by color alone.
	Color bool

	// Verbose adds to text what is otherwise left out for brevity.
	Verbose bool

	// Only restricts what text, markdown, html, csv and github show of the
	// findings to [OnlyNew] or [OnlyFailing]; "" is all. The counts stay those
	// of the run, and the formats that other programs keep account by show
	// all: there a finding that is missing is taken for fixed.
	Only string

	// MaxBytes bounds markdown, from [MinMarkdown] to [MaxMarkdown]. If zero,
	// [UsualMarkdown].
	MaxBytes int

	// Evidence is how much html and text show of what was seen: one of the
	// words below. "" is EvidenceSummary.
	Evidence string

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

// A format is one way to write a run down.
type format struct {
	name    string
	summary string // for --help, one line
	open    func(io.Writer, Options) Writer
	streams bool // writes at once and is valid wherever it is cut
}

// formats in the order in which help lists them.
var formats = [...]format{
	{"text", "a report to read: verdict, findings by host with the fix, what was not seen", newText, false},
	{"json", "one document, checked by the published schema", newJSON, false},
	{"jsonl", "one line for each record, written at once; valid wherever it is cut", newLines, true},
	{"sarif", "SARIF 2.1.0, for code scanning", newSARIF, false},
	{"nmap-xml", "nmap's XML, for tools that read it", newNmap, false},
	{"junit", "JUnit XML, for test reports of CI systems", newJUnit, false},
	{"csv", "one row for each finding and each open port, for spreadsheets", newCSV, false},
	{"markdown", "a summary for a workflow step or a merge request, at most 65,536 characters", newMarkdown, false},
	{"html", "one file to hand on: verdict, matrix, findings with fix and evidence, method", newHTML, false},
	{"gitlab", "GitLab code quality", newGitLab, false},
	{"defectdojo", "DefectDojo's generic findings import", newDojo, false},
	{"prometheus", "metrics for node_exporter's textfile collector", newPrometheus, false},
	{"github", "workflow commands that annotate a GitHub pull request", newGitHub, false},
}

// Formats lists the names that [New] takes, in the order for a help text.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// Describe says in one line what a format is for, "" if there is none of
// that name.
func Describe(name string) string {
	for _, f := range formats {
		if f.name == name {
			return f.summary
		}
	}
	return ""
}

// Streams reports whether a format is written record by record, each at once,
// and is valid wherever it is cut.
func Streams(name string) bool {
	return slices.ContainsFunc(formats[:], func(f format) bool { return f.name == name && f.streams })
}

// A FormatError names a format that is not known.
type FormatError struct{ Name string }

func (e *FormatError) Error() string {
	return fmt.Sprintf("unknown output format %q", clip(e.Name, 40))
}

// Hint lists the formats that are known.
func (e *FormatError) ErrorHint() string { return "formats are " + strings.Join(Formats(), ", ") }

// New returns a Writer that writes a run to w in the named format. The error
// is a [*FormatError], or says which option is wrong.
func New(name string, w io.Writer, o Options) (Writer, error) {
	i := slices.IndexFunc(formats[:], func(f format) bool { return f.name == name })
	if i < 0 {
		return nil, &FormatError{Name: name}
	}
	return formats[i].open(w, o), nil
}
