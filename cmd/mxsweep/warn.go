package main

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/output"
)

// warn says on standard error that findings fail the run, if no report on standard
// output does, and why the run is incomplete, unless the same terminal has just shown
// it in the report. With --quiet it is one line that says why the exit code is not 0.
func (s *session) warn(quiet bool, by *gate.Criteria, specs []output.Spec, v *gate.Decision, findings []exposure.Violation) {
	if quiet {
		if why := whyNot(by, v, findings); why != "" {
			fmt.Fprintf(s.stderr, "mxsweep: %s\n", visible(why))
		}
		return
	}
	if s.isTerminal(s.stdout) && shows(specs, "text") {
		return
	}
	if v.Failing > 0 && !printed(specs) {
		fmt.Fprintf(s.stderr, "mxsweep: findings that match %s: %d\n", by.FailOn, v.Failing)
	}
	for _, n := range v.Notices {
		// Outputs that failed are reported as errors, once they are closed.
		if n.Level != result.LevelNote && n.Code != exposure.NoticeOutput {
			s.tell(n)
		}
	}
}

// tell prints a notice on standard error.
func (s *session) tell(n result.Notice) {
	fmt.Fprintf(s.stderr, "mxsweep: %s\n", visible(noticeText(&n)))
}

// noticeText returns a notice with the code that "mxsweep rules" explains and, as in a
// report, the line of the policy or the scope that it is about.
func noticeText(n *result.Notice) string {
	text := n.Code + ": " + n.Message
	if n.Anchor != nil {
		text += " (" + view.Where(n.Anchor) + ")"
	}
	return text
}

// log prints on standard error what a user should know immediately.
func (s *session) log(text string) { fmt.Fprintf(s.stderr, "mxsweep: %s\n", visible(text)) }

// whyNot says in one line why the gate does not pass, "" if it does or if an error
// says it.
func whyNot(by *gate.Criteria, v *gate.Decision, findings []exposure.Violation) string {
	switch v.Code {
	case gate.ExitPass, gate.ExitError:
		return ""
	case gate.ExitFail:
		return whyFailed(by, v, findings)
	}
	for _, level := range []result.Level{result.LevelError, result.LevelWarning} {
		for i := range v.Notices {
			if n := &v.Notices[i]; n.Level == level {
				return noticeText(n)
			}
		}
	}
	return fmt.Sprintf("the run is %s", v.Gate)
}

// whyFailed names the most severe of the findings that fail the run.
func whyFailed(by *gate.Criteria, v *gate.Decision, findings []exposure.Violation) string {
	var worst *exposure.Violation
	for i := range findings {
		f := &findings[i]
		if by.Fails(f) && (worst == nil || f.Severity > worst.Severity) {
			worst = f
		}
	}
	if worst == nil {
		return ""
	}
	text := fmt.Sprintf("%s on %s, %s, matches %s", worst.Rule.ID, worst.Place(), worst.Severity, by.FailOn)
	switch more := v.Failing - 1; {
	case more == 1:
		text += ", and so does 1 more finding"
	case more > 1:
		text += fmt.Sprintf(", and so do %d more findings", more)
	}
	return text
}

// maxUnknownRules is how many unknown rules are named.
const maxUnknownRules = 10

// tellUnknownRules says on standard error which rules of a file's findings this
// version does not know: they belong to another version, or were written by hand. Each
// is reported once.
func (s *session) tellUnknownRules(file string, known *exposure.RuleSet, ids iter.Seq[string]) {
	var unknown []string
	for id := range ids {
		if known.Lookup(id) == nil && !s.toldRules[id] {
			if s.toldRules == nil {
				s.toldRules = map[string]bool{}
			}
			s.toldRules[id] = true
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return
	}
	slices.Sort(unknown)
	what, are := "rule "+unknown[0], "is"
	if n := len(unknown); n > 1 {
		what, are = "rules "+strings.Join(unknown[:min(n, maxUnknownRules)], ", "), "are"
		if more := n - maxUnknownRules; more > 0 {
			what += fmt.Sprintf(" and %d more", more)
		}
	}
	fmt.Fprintf(s.stderr, "mxsweep: %s of %s %s unknown to this version; only what the file says about their findings is known\n", what, visible(fmt.Sprintf("%q", file)), are)
}
