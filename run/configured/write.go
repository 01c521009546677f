package configured

import (
	"strings"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/output"
)

// Write writes the outcome as a report of a tool that was called with args. The writer
// keeps its errors and returns them when it is closed.
func (a *Audit) Write(tool result.Tool, args []string, w format.Writer, c *Outcome) {
	tool.RulesVersion = a.Rules.Version
	run := a.run(args)
	output.WriteJudged(w, tool, run, &output.Judged{
		Open: c.Open, Findings: c.Findings, Notices: c.Decision.Notices, Summary: &c.Summary, Gate: &a.Gate, Rules: a.Rules, Paths: c.Paths,
	})
}

// run returns what was read, when and by which command.
func (a *Audit) run(args []string) result.Run {
	run := result.Run{
		ID:        report.NewRunID(),
		StartTime: result.NewTime(a.start),
		Args:      append([]string{"mxsweep"}, redact.Args(args)...),
		Vantage:   vantage.String(),
		Scope:     result.Scope{Name: strings.Join(a.names, ","), SHA256: a.scopeSHA256()},
	}
	for _, f := range a.found {
		run.Scope.Files = append(run.Scope.Files, a.tree.ShownName(f.Name))
	}
	if len(run.Scope.Files) > report.MaxHosts {
		run.Scope.Files = nil
	}
	if b := a.Baseline; b != nil {
		run.Baseline = &result.BaselineInfo{SHA256: b.SHA256, Created: result.NewTime(b.Created), Comparable: b.Vantage == vantage.String()}
		if !run.Baseline.Comparable {
			run.Baseline.Why = "it is not of configuration files"
		}
	}
	return report.Clean(run, "")
}

// counts returns the counts of a coverage as reports have them.
func counts(c gate.PairCounts) *result.CoverageCounts { return report.NewCoverageCounts(c) }
