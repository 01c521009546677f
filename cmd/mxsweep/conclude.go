package main

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"mxsweep/exposure"
	"mxsweep/fingerprint"
	"mxsweep/report"
	"mxsweep/scan"
)

// A conclusion is what a sweep comes to.
type conclusion struct {
	open     []exposure.Port // sorted, linked
	findings []exposure.Finding
	verdict  exposure.Verdict
	summary  report.Summary
}

// conclude judges what was seen. Aborted says why a run that nobody stopped
// ended early; it is nil if it did not.
func (p *plan) conclude(ctx context.Context, w *sweep, outs *outputs, aborted error) conclusion {
	now := p.flags.time()
	c := conclusion{open: w.sorted()}
	var aside []exposure.Notice
	if w.identifier != nil {
		if w.queue != nil {
			aside = w.setAside(c.open)
		}
		p.link(c.open)
	}
	canaries := exposure.WatchCanaries(p.policy)
	for _, port := range c.open {
		canaries.Add(port)
		if p.drift != nil {
			p.drift.Add(port) // again, now with what answers
		}
		c.findings = append(c.findings, p.judge.Findings(port)...)
	}
	c.findings = exposure.JoinAddresses(c.findings)
	var drifted []exposure.Notice
	if p.drift != nil {
		c.findings, drifted = p.drift.Finish(c.findings, w.sight, p.policy, now)
	}
	saw := p.saw(ctx, w, outs, aborted)
	saw.Canaries = canaries.Canaries()
	if !slices.ContainsFunc(aside, func(n exposure.Notice) bool { return n.Acceptance == nil }) && len(aside) > 0 {
		saw.Crowded = 0 // somebody knows all hosts that could not be talked to
	}
	c.verdict = p.gate.Decide(saw, c.findings)
	for _, more := range [][]exposure.Notice{aside, drifted, w.engine.notices(w.identifier != nil), w.rejected.notices(), p.resumed.notices(p.space.Len()), p.silentTargets(w.sight), p.excludedTargets(), p.excludedNames(), p.strayCanaries(), ownPorts(c.open)} {
		c.verdict.Notices = append(c.verdict.Notices, more...)
	}
	entries := p.policy.Notices(c.findings, c.verdict.Notices, now)
	c.verdict.Notices = append(c.verdict.Notices, entries...)
	c.summary = p.summary(c.verdict, saw)
	c.summary.AcceptancesExpired, c.summary.AcceptancesUnused = exposure.Tally(entries)
	return c
}

// write ends the report with the conclusion. Errors are kept by the outputs and
// told when they close.
func (p *plan) write(c conclusion, identified bool, outs *outputs, run report.Run) {
	if identified {
		for _, port := range c.open {
			s := port.Service
			_ = outs.linked(report.NewPort(port, p.tree), s != nil && (s.Stack != "" || len(s.SameAs) > 0 || s.Inconclusive == fingerprint.InconclusiveSkipped))
		}
	}
	for i := range c.findings {
		f := report.NewFinding(c.findings[i], p.tree)
		f.Verdict = p.verdict(&c.findings[i])
		c.summary.Count(f)
		_ = outs.Finding(f)
	}
	for _, n := range c.verdict.Notices {
		_ = outs.Notice(report.NewNotice(n, p.tree))
	}
	run.EndTime = report.NewTime(time.Now())
	_ = outs.End(run, c.summary)
}

// verdict is what the gate makes of one finding, in the words of the schema.
func (p *plan) verdict(f *exposure.Finding) string {
	switch {
	case p.gate.Fails(f):
		return "fail"
	case f.Status != exposure.StatusOpen || f.Drift == exposure.DriftFixed:
		return "pass"
	default:
		return "warn"
	}
}

// saw is what the run learnt about itself.
func (p *plan) saw(ctx context.Context, w *sweep, outs *outputs, aborted error) exposure.Saw {
	saw := exposure.Saw{Coverage: w.sightOrNone().Coverage(), Aborted: aborted}
	noteStop(ctx, &saw)
	saw.Progress = p.flags.resume
	saw.EmptyShard = p.emptyShard
	saw.Unasked = int(w.unasked.Load())
	saw.Crowded = int(w.crowded.Load())
	saw.ShutOut = w.engine != nil && w.engine.shutOut()
	saw.Unresolved = p.unresolved()
	for _, o := range outs.all {
		if o.err != nil {
			saw.Failed = append(saw.Failed, writing(o.spec.name(), o.err))
		}
	}
	if outs.capture != nil {
		if err := outs.capture.flush(); err != nil {
			saw.Failed = append(saw.Failed, err)
		}
	}
	return saw
}

// sightOrNone is what was seen, also of a run that never began.
func (w *sweep) sightOrNone() *exposure.Sight {
	if w.sight == nil {
		return exposure.NewSight(w.plan.space.Len(), w.plan.space.Hosts())
	}
	return w.sight
}

// excludedTargets are notices about targets that were asked for and excluded.
func (p *plan) excludedTargets() []exposure.Notice {
	var notices []exposure.Notice
	for _, t := range p.scope.Emptied() {
		if len(notices) == maxNamed {
			break
		}
		notices = append(notices, exposure.NewNotice(exposure.NoticeExcluded, t.Anchor.Text, anchorOf(t),
			"The target %q is excluded%s.", t.Anchor.Text, p.byFamily(t)))
	}
	return notices
}

// strayCanaries are notices about canaries that were not asked. The gate counts
// them as silent.
func (p *plan) strayCanaries() []exposure.Notice {
	var notices []exposure.Notice
	for _, t := range p.strays {
		notices = append(notices, exposure.NewNotice(exposure.NoticeCanary, t.Anchor.Text, anchorOf(t),
			"The canary %s was not asked: it is none of the targets, which are all that may be contacted where there is no scope.", t.Anchor.Text))
	}
	return notices
}

// anchorOf is the line that names a target, nil for the command line.
func anchorOf(t scan.Target) *scan.Anchor {
	if t.Anchor.File == "" {
		return nil
	}
	return &t.Anchor
}

// maxNamed is how many silent or excluded targets are named one by one.
const maxNamed = 100

// silentTargets are notices about single addresses and names that answered on
// no port. Silence inside of a range is what ranges are like.
func (p *plan) silentTargets(sight *exposure.Sight) []exposure.Notice {
	if sight == nil || sight.Coverage().HostsUp == 0 {
		return nil // all are silent, which is said once
	}
	var notices []exposure.Notice
	seen := make(map[string]bool)
	for _, t := range p.asked {
		addr, single := t.Single()
		if !single || seen[addr.String()] || sight.Up(addr) || !p.asks(t, addr) {
			continue
		}
		seen[addr.String()] = true
		if len(notices) == maxNamed {
			break
		}
		n := exposure.NewNotice(exposure.NoticeSilent, addr.String(), anchorOf(t),
			"%s gave no answer on any port.", withName(addr.String(), t.Name))
		n.Names = p.scope.Names(addr)
		notices = append(notices, n.AcceptedBy(p.policy.AcceptsNotice(n.Code, addr, n.Names, p.flags.time())))
	}
	return notices
}

// asks reports whether the run, or its shard, asks an address of a target for
// any port.
func (p *plan) asks(t scan.Target, addr netip.Addr) bool {
	ports := t.Ports
	if ports == nil {
		ports = p.ports
	}
	return slices.ContainsFunc(ports, func(port uint16) bool {
		_, ok := p.space.Index(netip.AddrPortFrom(addr, port))
		return ok
	})
}
