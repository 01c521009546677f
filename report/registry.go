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

// An entry of the registry is one way to write a run down.
type entry struct {
	name    string
	summary string // for --help, one line
	open    func(io.Writer, format.Options) format.Writer
	kind    kind
}

// A kind is how a format stands apart from the others.
type kind int

const (
	forPrograms kind = iota // holds all findings, whatever a report is to show
	forPeople               // shows what format.Options.Only says
	inStream                // holds all, writes at once and is valid wherever it is cut
)

// formats in the order in which help lists them.
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

// Restricted lists the formats that show only what format.Options.Only says.
func Restricted() []string {
	var names []string
	for _, f := range formats {
		if f.kind == forPeople {
			names = append(names, f.name)
		}
	}
	return names
}

// Streams reports whether a format is written record by record, each at once,
// and is valid wherever it is cut.
func Streams(name string) bool {
	return slices.ContainsFunc(formats[:], func(f entry) bool { return f.name == name && f.kind == inStream })
}

// New returns a Writer that writes a run to w in the named format. The error
// says that there is no such format, with those that there are as its hint, or which
// option is wrong.
func New(name string, w io.Writer, o format.Options) (format.Writer, error) {
	i := slices.IndexFunc(formats[:], func(f entry) bool { return f.name == name })
	if i < 0 {
		return nil, fault.Usagef("formats are "+strings.Join(Formats(), ", "), "unknown output format %q", sanitize.Clip(name, 40))
	}
	return formats[i].open(w, o), nil
}
