package report

import (
	"io"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/html"
	"github.com/mxsweep/mxsweep/report/junit"
	"github.com/mxsweep/mxsweep/report/nmapxml"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/report/sarif"
	"github.com/mxsweep/mxsweep/report/terminal"
)

// An entry of the registry is one format.
type entry struct {
	name    string
	summary string // for --help, one line
	open    func(io.Writer, format.Options) format.Writer
	kind    kind
}

// A kind says who reads a format, and when it is written.
type kind int

const (
	forPrograms kind = iota // has all findings, whatever Options.Only is
	forPeople               // has the findings selected by Options.Only
	inStream                // has all findings, writes at once and is valid wherever it is cut
)

// formats is in the order of the help text.
var formats = [...]entry{
	{"text", "a report for people: verdict, findings by host with fixes, gaps in coverage", terminal.New, forPeople},
	{"json", "one document with a published schema", newJSON, forPrograms},
	{"jsonl", "one JSON object per line, written immediately; can be read even if it is cut off", newLines, inStream},
	{"sarif", "SARIF 2.1.0, for code scanning", sarif.New, forPrograms},
	{"nmap-xml", "nmap's XML, for tools that read it", nmapxml.New, forPrograms},
	{"junit", "JUnit XML, for test reports of CI systems", junit.New, forPrograms},
	{"csv", "one row per finding and open port, for spreadsheets", newCSV, forPeople},
	{"markdown", "a summary for a workflow step or a merge request, at most 65,536 characters", newMarkdown, forPeople},
	{"html", "one self-contained file: verdict, matrix, findings with fix and evidence, method", html.New, forPeople},
	{"gitlab", "GitLab code quality", newGitLab, forPrograms},
	{"defectdojo", "DefectDojo's generic findings import", newDojo, forPrograms},
	{"prometheus", "metrics for node_exporter's textfile collector", newPrometheus, forPrograms},
	{"github", "workflow commands that annotate a GitHub pull request", newGitHub, forPeople},
}

// Formats returns the names of the formats, in the order of the help text.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// Describe returns the one-line description of a format, "" if there is none with
// that name.
func Describe(name string) string {
	for _, f := range formats {
		if f.name == name {
			return f.summary
		}
	}
	return ""
}

// Restricted returns the names of the formats that obey Options.Only.
func Restricted() []string {
	var names []string
	for _, f := range formats {
		if f.kind == forPeople {
			names = append(names, f.name)
		}
	}
	return names
}

// Streams reports whether a format is written record by record, and is valid
// wherever it is cut.
func Streams(name string) bool {
	return slices.ContainsFunc(formats[:], func(f entry) bool { return f.name == name && f.kind == inStream })
}

// New returns a Writer that writes a run to w in the named format. It fails if
// there is no such format (the error has those that exist as its hint) or an
// option is invalid.
func New(name string, w io.Writer, o format.Options) (format.Writer, error) {
	i := slices.IndexFunc(formats[:], func(f entry) bool { return f.name == name })
	if i < 0 {
		return nil, fault.Usagef("formats are "+strings.Join(Formats(), ", "), "unknown output format %q", sanitize.Text(name, 40))
	}
	return formats[i].open(w, o), nil
}
