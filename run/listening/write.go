package listening

import (
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
	run := result.Run{
		ID:        report.NewRunID(),
		StartTime: result.NewTime(a.start),
		Args:      append([]string{"mxsweep"}, redact.Args(args)...),
		Vantage:   vantage.String(),
		Scope:     result.Scope{Name: a.Name, SHA256: a.scopeSHA256()},
	}
	if a.Baseline != nil {
		comparable, why := a.comparison(c.Open).Comparable()
		run.Baseline = &result.BaselineInfo{SHA256: a.Baseline.SHA256, Created: result.NewTime(a.Baseline.Created), Comparable: comparable, Why: why}
	}
	output.WriteJudged(w, tool, report.Clean(run, ""), &output.Judged{
		Open: c.Open, Findings: c.Findings, Notices: c.Decision.Notices, Summary: &c.Summary, Gate: &a.Gate, Rules: a.Rules, Paths: c.Paths, Joined: c.Joined,
	})
}
