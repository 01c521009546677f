package report

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/report/escape"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// gitlabIssue is an entry of GitLab's code quality report, with only the members
// that GitLab documents.
type gitlabIssue struct {
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

// gitlabWriter writes a code quality report: the live findings, each at the line
// that puts its host in scope.
type gitlabWriter struct {
	view.Collector
	w      io.Writer
	anchor string
}

func newGitLab(w io.Writer, o format.Options) format.Writer {
	return &gitlabWriter{w: w, anchor: cmp.Or(o.SARIF.Anchor, view.FallbackAnchor)}
}

// gitlabSeverity returns Code Climate's name of a severity.
func gitlabSeverity(s result.Severity) string {
	switch s {
	case result.SeverityCritical:
		return "blocker"
	case result.SeverityHigh:
		return "critical"
	case result.SeverityMedium:
		return "major"
	case result.SeverityLow:
		return "minor"
	}
	return "info"
}

// partial returns an issue about a run with too little coverage, because without
// it all issues would look fixed.
func (g *gitlabWriter) partial(s result.Summary) gitlabIssue {
	v := g.Brief(s)
	sum := sha256.Sum256([]byte("incomplete\x00" + view.Category(&g.Run)))
	issue := gitlabIssue{
		Description: "mxsweep " + string(s.Gate) + ": " + words.Sentence(v.Verdict()) + " Services that are not listed may still be exposed.",
		CheckName:   "mxsweep-incomplete", Fingerprint: hex.EncodeToString(sum[:]), Severity: "major",
	}
	issue.Location.Path, issue.Location.Lines.Begin = g.anchor, 1
	return issue
}

// End implements [format.Writer].
func (g *gitlabWriter) End(r result.Run, s result.Summary) error {
	g.Finish(r)
	ports := g.ByPlace()
	var issues []gitlabIssue
	if s.Partial() {
		issues = append(issues, g.partial(s))
	}
	for i := range g.Findings {
		f := &g.Findings[i]
		if !f.Active() {
			continue
		}
		text := fmt.Sprintf("%s: %s", view.FindingPlace(f), f.Title)
		if p := ports[view.FindingPlace(f)]; p != nil && p.Service.Label() != "" {
			text += " (" + escape.Unlink(p.Service.Label()) + ")"
		}
		if by := view.NamedBy(f); by != "" {
			text += ", named by " + escape.Unlink(by)
		}
		if fix, _, _ := strings.Cut(f.Remediation, "\n"); fix != "" {
			text += ". Fix: " + fix
		}
		issue := gitlabIssue{Description: text, CheckName: f.Rule, Fingerprint: f.ID, Severity: gitlabSeverity(f.Severity)}
		a := view.AnchorOf(f, g.anchor)
		issue.Location.Path, issue.Location.Lines.Begin = a.File, a.Line
		issues = append(issues, issue)
	}
	d := documentWriter{w: bufio.NewWriter(g.w)}
	d.list(len(issues), "", func(i int) any { return &issues[i] })
	d.w.WriteByte('\n')
	return cmp.Or(d.err, d.w.Flush())
}
