package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// maxAnnotations is how many annotations of each level GitHub keeps of a
// step; what comes after is dropped without a word.
const maxAnnotations = 10

// githubWriter writes workflow commands: one annotation for each of the
// heaviest findings, at the line that put its host in scope.
type githubWriter struct {
	collector
	w      io.Writer
	anchor string
	only   string
}

func newGitHub(w io.Writer, o Options) Writer {
	return &githubWriter{w: w, anchor: cmp.Or(o.SARIF.Anchor, fallbackAnchor), only: o.Only}
}

// commandLevel is the workflow command for a finding: an error is what fails
// the gate, and what the baseline knows and nothing fails on is a notice.
func commandLevel(f *result.Finding) string {
	switch {
	case f.Fails():
		return "error"
	case f.Known():
		return "notice"
	case f.Verdict == result.VerdictWarn && level(f.Severity) == "error":
		return "warning"
	}
	switch level(f.Severity) {
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

// End implements [Writer].
func (g *githubWriter) End(r result.Run, s result.Summary) error {
	g.finish(r)
	v := g.brief(s)
	ports := g.byPlace()
	w := bufio.NewWriter(g.w)
	last := "notice"
	if s.Partial() {
		last = "error" // a run that saw too little must not look clean
	}
	count := map[string]int{last: 1}
	left := 0
	for _, f := range g.shown(g.only) {
		kind := commandLevel(f)
		if count[kind]++; count[kind] > maxAnnotations {
			left++
			continue
		}
		text := place(f.IP, f.Port)
		if p := ports[text]; p != nil && p.Service.Label() != "" {
			text += " answers as " + unlink(p.Service.Label())
		}
		text += " (" + grade(f) + ")"
		if fix := v.fix(f, true); len(fix) > 0 {
			text += "\nFix: " + strings.Join(fix, "\n")
		}
		a := anchorOf(f, g.anchor)
		fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", kind, commandProperty.Replace(a.File), a.Line,
			commandProperty.Replace(f.Rule+" "+f.Title), commandData.Replace(text))
	}
	text := sentence(v.verdict()) + " " + sentence(v.coverage())
	if left > 0 {
		text += fmt.Sprintf(" %s not annotated: GitHub keeps %d of each level.", plural(left, "finding"), maxAnnotations)
	}
	fmt.Fprintf(w, "::%s title=mxsweep %s::%s\n", last, s.Gate, commandData.Replace(text))
	return w.Flush()
}

// GitHubOutputs is what a step of a workflow appends to $GITHUB_OUTPUT: one
// name=value on a line.
func GitHubOutputs(s result.Summary) string {
	return fmt.Sprintf("gate=%s\nexit_code=%d\ncomplete=%t\nfindings=%d\nnew=%d\ncritical=%d\nhigh=%d\nmedium=%d\nlow=%d\ncoverage=%.4f\nincomplete=%t\n",
		s.Gate, s.ExitCode, s.Complete, s.BySeverity.Total(), s.ByDrift.New,
		s.BySeverity.Critical, s.BySeverity.High, s.BySeverity.Medium, s.BySeverity.Low, s.Coverage.Ratio, s.Partial())
}
