package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/escape"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// maxAnnotations is the number of annotations of each level that GitHub keeps per
// step; it drops the rest silently.
const maxAnnotations = 10

// githubWriter writes workflow commands: one annotation for each of the most
// severe findings, at the line that puts its host in scope.
type githubWriter struct {
	view.Collector
	w      io.Writer
	anchor string
	only   string
}

func newGitHub(w io.Writer, o format.Options) format.Writer {
	return &githubWriter{w: w, anchor: cmp.Or(o.SARIF.Anchor, view.FallbackAnchor), only: o.Only}
}

// commandLevel returns the workflow command for a finding: error if it fails the
// gate, and notice if it is known from the baseline and does not.
func commandLevel(f *result.Finding) string {
	switch {
	case f.Fails():
		return "error"
	case f.Known():
		return "notice"
	case f.Verdict == result.VerdictWarn && view.Level(f.Severity) == "error":
		return "warning"
	}
	switch view.Level(f.Severity) {
	case "error":
		return "error"
	case "warning":
		return "warning"
	}
	return "notice"
}

var (
	commandData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// End implements [format.Writer].
func (g *githubWriter) End(r result.Run, s result.Summary) error {
	g.Finish(r)
	v := g.Brief(s)
	ports := g.ByPlace()
	w := bufio.NewWriter(g.w)
	last := "notice"
	if s.Partial() {
		last = "error" // a run that saw too little must not look clean
	}
	count := map[string]int{last: 1}
	left := 0
	for _, f := range g.Shown(g.only) {
		kind := commandLevel(f)
		if count[kind]++; count[kind] > maxAnnotations {
			left++
			continue
		}
		text := view.FindingPlace(f)
		if p := ports[text]; p != nil && p.Service.Label() != "" {
			text += map[bool]string{true: ": ", false: " answers as "}[p.Listener != nil] + escape.Unlink(p.Service.Label())
		}
		text += " (" + view.SeverityLabel(f) + ")"
		if fix := v.Fix(f); len(fix) > 0 {
			text += "\nFix: " + strings.Join(fix, "\n")
		}
		a := view.AnchorOf(f, g.anchor)
		fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", kind, commandProperty.Replace(a.File), a.Line,
			commandProperty.Replace(f.Rule+" "+f.Title), commandData.Replace(text))
	}
	text := words.Sentence(v.Verdict()) + " " + words.Sentence(v.Coverage())
	if left > 0 {
		text += fmt.Sprintf(" %s not annotated: GitHub keeps %d per level.", wording.Plural(left, "finding"), maxAnnotations)
	}
	fmt.Fprintf(w, "::%s title=mxsweep %s::%s\n", last, s.Gate, commandData.Replace(text))
	return w.Flush()
}

// GitHubOutputs returns what a step of a workflow appends to $GITHUB_OUTPUT: one
// name=value per line.
func GitHubOutputs(s result.Summary) string {
	return fmt.Sprintf("gate=%s\nexit_code=%d\ncomplete=%t\nfindings=%d\nnew=%d\ncritical=%d\nhigh=%d\nmedium=%d\nlow=%d\ncoverage=%.4f\nincomplete=%t\n",
		s.Gate, s.ExitCode, s.Complete, s.BySeverity.Total(), s.ByDrift.New,
		s.BySeverity.Critical, s.BySeverity.High, s.BySeverity.Medium, s.BySeverity.Low, s.Coverage.Ratio, s.Partial())
}
