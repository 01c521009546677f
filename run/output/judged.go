package output

import (
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// A Judged is a run that was judged before anything of it is written.
type Judged struct {
	Open     []exposure.Subject
	Findings []exposure.Violation // as assessed by the gate
	Notices  []result.Notice
	Summary  *result.Summary // to which the findings are counted
	Gate     *gate.Criteria
	Rules    *exposure.RuleSet
	Paths    []result.Path // how mail flows; nil if that is not known
	Joined   []result.Joined
}

// WriteJudged writes a run from its start to its end. The writer keeps its errors and
// returns them when it is closed.
func WriteJudged(w format.Writer, tool result.Tool, run result.Run, j *Judged) {
	_ = w.Start(tool, run)
	for i := range j.Open {
		_ = w.Port(report.Clean(j.Open[i].Port(), ""))
	}
	for i := range j.Findings {
		f := report.Clean(j.Findings[i].Finding(), "")
		f.Verdict = report.GateVerdict(j.Gate, &j.Findings[i])
		j.Summary.Count(f)
		_ = w.Finding(f)
	}
	for _, n := range j.Notices {
		_ = w.Notice(report.Clean(n, ""))
	}
	run.Rules = j.Rules.Infos(func(id string) bool {
		return slices.ContainsFunc(j.Findings, func(f exposure.Violation) bool { return f.Rule != nil && f.Rule.ID == id })
	})
	run.Paths, run.Joined = report.Clean(j.Paths, ""), report.Clean(j.Joined, "")
	run.EndTime = result.NewTime(time.Now())
	_ = w.End(run, *j.Summary)
}
