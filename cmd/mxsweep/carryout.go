package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"mxsweep/exposure"
	"mxsweep/fingerprint"
	"mxsweep/report"
	"mxsweep/scan"
)

// carryOut sweeps, judges and reports. The outputs are closed whatever happens.
func (s *session) carryOut(ctx context.Context, p *plan, outs *outputs) error {
	run, err := p.reportRun(time.Now())
	if err != nil {
		outs.discard()
		return err
	}
	w, err := newSweep(p, outs)
	if err != nil {
		outs.discard()
		return err
	}
	aborted := outs.Start(p.reportTool(), run)
	if aborted == nil {
		shown := startProgress(s.stderr, s.progressMode(p.flags.progress.value, p.flags.quiet), s.color(p.flags.output.color.value, s.stderr), w.tally)
		aborted = w.run(ctx)
		shown.stop()
	}
	verdict := s.finish(ctx, w, outs, run, aborted)
	s.code = exposure.Worse(s.code, verdict.Code)
	s.warn(p, outs, verdict.Notices)
	return errors.Join(outs.close(), coded(exitError, aborted))
}

// warn says on standard error what keeps the run from being whole, unless the
// same terminal has just shown it as part of the report.
func (s *session) warn(p *plan, outs *outputs, notices []exposure.Notice) {
	if p.flags.quiet || s.isTerminal(s.stdout) && outs.shows("text") {
		return
	}
	for _, n := range notices {
		if n.Level != exposure.LevelNote {
			fmt.Fprintf(s.stderr, "mxsweep: %s\n", visible(n.Message))
		}
	}
}

// newSweep makes the scanner and the identifier of a plan.
func newSweep(p *plan, outs *outputs) (*sweep, error) {
	w := &sweep{plan: p, report: func(port exposure.Port) error { return outs.Port(report.NewPort(port, p.tree)) }}
	var err error
	if w.scanner, err = newScanner(p); err != nil {
		return nil, err
	}
	if !p.flags.noIdentify {
		w.identifier = &fingerprint.Identifier{
			Signatures:     p.set,
			Allowed:        p.scope.Allows,
			PerHost:        int(p.flags.perHost),
			Intrusive:      p.flags.intrusive,
			ConnectTimeout: p.flags.timeout,
			Concurrency:    identifiers,
		}
	}
	return w, nil
}

// finish judges what was seen and ends the report.
func (s *session) finish(ctx context.Context, w *sweep, outs *outputs, run report.Run, aborted error) exposure.Verdict {
	p := w.plan
	open := w.sorted()
	if w.identifier != nil {
		p.link(open)
	}
	var findings []exposure.Finding
	for i := range open {
		if w.identifier != nil {
			// An error here is kept by the outputs and told when they close.
			_ = outs.Port(report.NewPort(open[i], p.tree))
		}
		findings = append(findings, p.judge.Findings(open[i])...)
	}
	saw := p.saw(w, outs, aborted)
	canaries := exposure.WatchCanaries(p.policy)
	for _, port := range open {
		canaries.Add(port)
	}
	saw.Canaries = canaries.Canaries()
	if code, ok := signalCode(ctx); ok {
		saw.Signal = int(code) - 128
		saw.Aborted = nil
	}
	verdict := p.gate.Decide(saw, findings)
	verdict.Notices = append(verdict.Notices, p.silentTargets(w.sight)...)
	verdict.Notices = append(verdict.Notices, p.policy.Notices(findings, time.Now())...)
	summary := p.summary(verdict, saw)
	summary.AcceptancesExpired, summary.AcceptancesUnused = p.policy.Tally(findings, time.Now())
	for i := range findings {
		f := report.NewFinding(findings[i], p.tree)
		f.Verdict = "warn"
		if p.gate.Fails(&findings[i]) {
			f.Verdict = "fail"
		} else if findings[i].Status != exposure.StatusOpen {
			f.Verdict = "pass"
		}
		summary.Count(f)
		_ = outs.Finding(f)
	}
	for _, n := range verdict.Notices {
		_ = outs.Notice(report.NewNotice(n, p.tree))
	}
	run.EndTime = report.NewTime(time.Now())
	_ = outs.End(run, summary)
	return verdict
}

// saw is what the run learnt about itself.
func (p *plan) saw(w *sweep, outs *outputs, aborted error) exposure.Saw {
	saw := exposure.Saw{Coverage: w.sightOrNone().Coverage(), Aborted: aborted}
	for _, t := range p.scope.Unresolved() {
		saw.Unresolved = append(saw.Unresolved, t.Name)
	}
	for _, o := range outs.all {
		if o.err != nil {
			saw.Failed = append(saw.Failed, writing(o.spec.name(), o.err))
		}
	}
	return saw
}

// sightOrNone is what was seen, also of a run that never began.
func (w *sweep) sightOrNone() *exposure.Sight {
	if w.sight == nil {
		return exposure.NewSight(w.plan.space.Len(), w.plan.scope.Addresses())
	}
	return w.sight
}

// maxSilent is how many silent targets are named one by one.
const maxSilent = 100

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
		if !single || seen[addr.String()] || !p.scope.Allows(addr) || sight.Up(addr) {
			continue
		}
		seen[addr.String()] = true
		if len(notices) == maxSilent {
			break
		}
		anchor := &t.Anchor
		if anchor.File == "" {
			anchor = nil
		}
		notices = append(notices, exposure.NewNotice(exposure.NoticeSilent, addr.String(), anchor,
			"%s gave no answer on any port.", withName(addr.String(), t.Name)))
	}
	return notices
}

// summary closes the report.
func (p *plan) summary(v exposure.Verdict, saw exposure.Saw) report.Summary {
	c := saw.Coverage
	s := report.Summary{
		Complete: v.Complete,
		ExitCode: int(v.Code),
		Gate:     v.Gate,
		FailOn:   p.gate.FailOn.String(),
		Coverage: report.Coverage{
			Planned: c.Planned, Answered: c.Answered, Ratio: c.Ratio(),
			HostsUp: int(c.HostsUp), HostsSilent: int(c.HostsSilent),
		},
	}
	if len(saw.Canaries) > 0 {
		s.Coverage.CanariesOK = &v.CanariesOK
	}
	return s
}

// reportTool names this program in reports.
func (p *plan) reportTool() report.Tool {
	return report.Tool{Name: "mxsweep", Version: version, RulesVersion: p.judge.Rules.Version, ProbesVersion: p.set.ProbesVersion}
}

// reportRun says what is scanned, when, from where and by whose leave.
func (p *plan) reportRun(start time.Time) (report.Run, error) {
	hash, err := p.scope.SHA256(p.ports)
	if err != nil {
		return report.Run{}, err
	}
	name := "command-line"
	if len(p.scopeFiles) > 0 {
		name = p.scopeFiles[len(p.scopeFiles)-1]
	}
	run := report.Run{
		ID:            newUUID(),
		StartTime:     report.NewTime(start),
		Args:          append([]string{"mxsweep"}, p.args...),
		Vantage:       p.vantage(),
		Authorization: p.flags.authorization,
		Mode:          p.flags.mode.value,
		Scope: report.Scope{
			Name: name, SHA256: hash, Ports: scan.FormatPorts(p.sweptPorts()),
			Addresses: p.scope.Addresses(), Excluded: p.scope.Excluded(),
		},
	}
	for _, f := range p.scopeFiles {
		if f != "-" {
			run.Scope.Files = append(run.Scope.Files, f)
		}
	}
	for _, r := range p.judge.Rules.All() {
		run.Rules = append(run.Rules, report.NewRule(r))
	}
	return run, nil
}

// sweptPorts are the ports that are asked: those of the run, and those that
// targets carry.
func (p *plan) sweptPorts() []uint16 {
	var all []uint16
	general := false
	for _, t := range p.asked {
		all = append(all, t.Ports...)
		general = general || t.Ports == nil
	}
	if general || len(all) == 0 {
		all = append(all, p.ports...)
	}
	return all
}

// vantage is where the scanner stands: on the host itself if all that is asked
// are addresses of this machine and no flag says otherwise.
func (p *plan) vantage() string {
	host := len(p.asked) > 0 && p.judge.VantageOf != nil
	for _, t := range p.asked {
		for _, r := range t.Ranges {
			host = host && r.From() == r.To() && p.judge.VantageOf(r.From()).Class == exposure.ClassHost
		}
		host = host && len(t.Ranges) > 0
	}
	if host {
		return string(exposure.ClassHost)
	}
	return p.judge.Vantage.String()
}

// newUUID is a random UUID (RFC 9562, Section 5.4: version 4).
func newUUID() string {
	var b [16]byte
	// crypto/rand.Read never returns an error.
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
