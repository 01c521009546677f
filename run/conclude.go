package run

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/run/records"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// An Outcome is the result of a run.
type Outcome struct {
	Open     []exposure.Subject   // the open ports, by address and port
	Findings []exposure.Violation // as assessed by the gate
	Paths    []result.Path        // how mail flows through the hosts, as far as it is known
	Joined   []result.Joined      // what the scan and the files of Options.Configs show together
	Decision gate.Decision        // with the exit code and the notices of the run
	Summary  result.Summary       // the last record of the reports
	Gate     gate.Criteria        // the criteria of the decision
}

// conclude assesses the results. aborted says why a run ended early that no one
// stopped; otherwise it is nil.
func (p *Plan) conclude(ctx context.Context, w *sweep, outs *output.Set, aborted error) Outcome {
	now := p.opts.now()
	c := Outcome{Open: w.sorted(), Gate: p.gate}
	var aside []result.Notice
	if w.identifier != nil {
		if w.queue != nil {
			aside = w.setAside(c.Open, w.queue.Kind)
		}
		p.link(c.Open)
	}
	p.judge.NotOpenIPv4 = func(target netip.AddrPort) []netip.Addr { return w.families.NotOpen(target, w.counter.Up) }
	which := p.files.Join(p.filesSweep(w, c.Open))
	for _, port := range c.Open {
		w.canaries.AddService(w.canaryPort(port.Result, port.Service))
		if p.drift != nil {
			p.drift.Add(port) // again, now with the service
		}
		w.assess(port, aside)
		c.Findings = append(c.Findings, p.judgeOpen(port)...)
	}
	for _, b := range p.files.Filtered(func(r scan.Result) exposure.Subject { return w.port(r, nil) }) {
		c.Findings = append(c.Findings, p.judge.BehindFilter(b.Subject, b.Why)...)
	}
	c.Findings = append(c.Findings, p.domains.Judge(p.judge, &records.Sweep{Open: c.Open, Up: w.counter.Up, Now: now, Subject: func(r scan.Result) exposure.Subject { return w.port(r, nil) }})...)
	c.Joined = p.files.Rows(p.scope.Names)
	c.Paths = mailPaths(c.Open, p.known, p.files)
	mailpath.Explain(c.Paths, c.Findings)
	c.Findings = exposure.JoinAddresses(c.Findings)
	var drifted []result.Notice
	if p.drift != nil {
		p.drift.Loss(w.engine.Loss())
		c.Findings, drifted = p.drift.Finish(c.Findings, w.counter.Up, p.policy, now)
	}
	facts := p.facts(ctx, w, outs, aborted)
	undecided, told := p.files.Undecided()
	facts.Incomplete = slices.Concat(facts.Incomplete, which, undecided, p.domains.Gaps())
	c.Decision = gate.Decide(p.gate, facts, c.Findings)
	for _, more := range [][]result.Notice{aside, drifted, told, p.domains.Notices(), w.engine.Notices(w.identifier != nil), w.rejected.notices(), w.timeoutNotices(), w.later.notices(), w.coverageNotices(), p.resumed.notices(p.space.Len()), p.excludedTargets(), p.excludedNames(), p.unusableAddresses(), p.policy.NeverAsked(p.wholeSpace, p.scope), ownPorts(c.Open), gate.TurnedAway(c.Open, c.Findings)} {
		c.Decision.Notices = append(c.Decision.Notices, more...)
	}
	entries := p.policy.Notices(c.Findings, c.Decision.Notices, now)
	c.Decision.Notices = append(c.Decision.Notices, entries...)
	c.Summary = p.summary(c.Decision, facts, w.upHosts())
	c.Summary.Coverage.Loss = w.engine.Loss()
	c.Summary.AcceptancesExpired, c.Summary.AcceptancesUnused = policy.Tally(entries)
	return c
}

// write ends the reports with the outcome. Errors are kept by the outputs and returned
// when they close.
func (p *Plan) write(c *Outcome, identified bool, outs *output.Set, run result.Run) {
	if identified {
		for _, port := range c.Open {
			s := port.Service
			_ = outs.Linked(report.Clean(port.Port(), p.tree), s != nil && (s.Stack != "" || len(s.SameAs) > 0 || s.Inconclusive == result.InconclusiveSkipped))
		}
	}
	for i := range c.Findings {
		f := p.shown(&c.Findings[i])
		f.Verdict = report.GateVerdict(&p.gate, &c.Findings[i])
		c.Summary.Count(f)
		_ = outs.Finding(f)
	}
	for _, n := range c.Decision.Notices {
		_ = outs.Notice(report.Clean(n, p.treeOf(n.Code)))
	}
	run.Rules = p.broken(c.Findings)
	run.Paths, run.Joined = report.Clean(c.Paths, p.tree), report.Clean(c.Joined, "")
	run.EndTime = result.NewTime(time.Now())
	_ = outs.End(run, c.Summary)
}

// broken returns the rules of the findings, as reports write them.
func (p *Plan) broken(findings []exposure.Violation) []result.RuleInfo {
	named := make(map[string]bool)
	for i := range findings {
		if r := findings[i].Rule; r != nil {
			named[r.ID] = true
		}
	}
	return p.judge.Rules.Infos(func(id string) bool { return named[id] })
}

// facts returns what the run learned about itself.
func (p *Plan) facts(ctx context.Context, w *sweep, outs *output.Set, aborted error) gate.RunFacts {
	w.settle()
	silent := w.tellSilent()
	facts := gate.RunFacts{Coverage: w.counter.Coverage(), Unknown: &w.unknown, Silent: silent,
		Short: w.lines.Short(), Parts: w.lines.Parts(), Canaries: p.explained(w.canaries.Canaries()), Aborted: aborted}
	noteStop(ctx, &facts)
	facts.Progress = p.opts.Resume
	facts.EmptyShard = p.emptyShard
	facts.EmptyScope = p.emptyScope
	facts.Nothing = p.domains.Nothing()
	facts.Blocked = w.engine.BlockedMidScan()
	facts.Unresolved = p.unresolved()
	facts.Failed = outs.Failures()
	return facts
}

// excludedTargets returns notices about targets that are excluded.
func (p *Plan) excludedTargets() []result.Notice {
	var notices []result.Notice
	for _, t := range p.scope.Emptied() {
		if len(notices) == maxNamed {
			break
		}
		notices = append(notices, exposure.NewNotice(exposure.NoticeExcluded, t.Anchor.Text, anchorOf(t),
			"The target %q is excluded%s.", t.Anchor.Text, p.byFamily(t)))
	}
	return notices
}

// anchorOf returns the line with a target, nil for the command line.
func anchorOf(t scope.Target) *result.Anchor {
	if t.Anchor.File == "" {
		return nil
	}
	return &t.Anchor
}

// maxNamed is how many excluded targets are named individually.
const maxNamed = 100
