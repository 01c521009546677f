package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/scan"
)

// carryOut sweeps, judges and reports. The outputs are closed whatever happens.
func (s *session) carryOut(ctx context.Context, p *plan, specs []output.Spec, outs *output.Set, log *audit) error {
	w, err := newSweep(ctx, p, outs)
	if err != nil {
		outs.Discard()
		return err
	}
	defer w.engine.close()
	run := p.reportRun(time.Now(), w.engine.mode)
	if err := log.start(p, run); err != nil {
		outs.Discard()
		return err
	}
	aborted := outs.Start(p.reportTool(), run)
	if aborted == nil {
		shown := startProgress(s.stderr, s.progressMode(p.flags.progress.value, p.flags.quiet), s.color(p.flags.output.color.value, s.stderr), func() int { return s.width(s.stderr) }, w.tally)
		aborted = w.run(ctx)
		shown.stop()
	}
	c := p.conclude(ctx, w, outs, aborted)
	c.verdict.Notices = append(c.verdict.Notices, log.notices()...)
	p.write(c, w.identifier != nil, outs, run)
	s.code = exposure.Worse(s.code, c.verdict.Code)
	s.warn(p, specs, &c)
	closed := outs.Close()
	kept := p.resumed.end(ctx.Err() == nil && aborted == nil && closed == nil && !p.hosts.AnyShort())
	err = errors.Join(closed, fault.As(fault.Failed, aborted), kept)
	return errors.Join(err, log.end(run, &c, exposure.Worse(s.code, codeOf(err)), outs))
}

// warn says on standard error that findings fail the run, where no report on
// standard output does, and what keeps the run from being whole, unless the same
// terminal has just shown it as part of the report. With --quiet it is one line
// that says why the exit code is not 0.
func (s *session) warn(p *plan, specs []output.Spec, c *conclusion) {
	if p.flags.quiet {
		if why := c.why(&p.gate); why != "" {
			fmt.Fprintf(s.stderr, "mxsweep: %s\n", visible(why))
		}
		return
	}
	if s.isTerminal(s.stdout) && shows(specs, "text") {
		return
	}
	if c.verdict.Failing > 0 && !printed(specs) {
		fmt.Fprintf(s.stderr, "mxsweep: findings that meet %s: %d\n", p.gate.FailOn, c.verdict.Failing)
	}
	for _, n := range c.verdict.Notices {
		// Outputs that failed are told as errors, once they are closed.
		if n.Level != exposure.LevelNote && n.Code != exposure.NoticeOutput {
			s.tell(n)
		}
	}
}

// tell writes a notice on standard error, with the code that "mxsweep rules" explains.
func (s *session) tell(n exposure.Notice) {
	fmt.Fprintf(s.stderr, "mxsweep: %s: %s\n", n.Code, visible(n.Message))
}

// log writes on standard error what a user should know at once.
func (s *session) log(text string) { fmt.Fprintf(s.stderr, "mxsweep: %s\n", visible(text)) }

// why says in one line why the gate does not pass, "" if it does or if an
// error says it.
func (c *conclusion) why(gate *exposure.Gate) string {
	switch c.verdict.Code {
	case exposure.ExitPass, exposure.ExitError:
		return ""
	case exposure.ExitFail:
		return c.whyFailed(gate)
	}
	for _, level := range []exposure.Level{exposure.LevelError, exposure.LevelWarning} {
		for _, n := range c.verdict.Notices {
			if n.Level == level {
				return n.Code + ": " + n.Message
			}
		}
	}
	return fmt.Sprintf("the run is %s", c.verdict.Gate)
}

// whyFailed names the most severe of the findings that fail the run.
func (c *conclusion) whyFailed(gate *exposure.Gate) string {
	var worst *exposure.Finding
	for i := range c.findings {
		f := &c.findings[i]
		if gate.Fails(f) && (worst == nil || f.Severity > worst.Severity) {
			worst = f
		}
	}
	if worst == nil {
		return ""
	}
	text := fmt.Sprintf("%s on %s, %s, meets %s", worst.Rule.ID, worst.Target, worst.Severity, gate.FailOn)
	switch more := c.verdict.Failing - 1; {
	case more == 1:
		text += ", and so does 1 more finding"
	case more > 1:
		text += fmt.Sprintf(", and so do %d more findings", more)
	}
	return text
}

// newSweep makes the engine and the identifier of a plan.
func newSweep(ctx context.Context, p *plan, outs *output.Set) (*sweep, error) {
	w := &sweep{plan: p,
		report: func(port exposure.Port) error { return outs.Port(report.NewPort(port, p.tree)) },
		early:  func(port exposure.Port) error { return outs.Early(report.NewPort(port, p.tree)) },
	}
	p.limit = scan.NewHostLimit(atMost(p.flags.perHost))
	p.pace = newPace(p.flags.rate)
	var err error
	if w.engine, err = newEngine(ctx, p, outs.Pcap()); err != nil {
		return nil, err
	}
	w.observe()
	if !p.flags.noIdentify {
		w.identifier = w.newIdentifier(p.scope.Allows, identifiers(w.engine.connections()))
		w.identifier.Idle = func(a netip.AddrPort) { w.queue.idle(a) }
	}
	return w, nil
}

// newIdentifier makes an identifier that may contact what allowed says, and
// talks to so many ports at once.
func (w *sweep) newIdentifier(allowed func(netip.Addr) bool, concurrency int) *fingerprint.Identifier {
	p := w.plan
	return &fingerprint.Identifier{
		Signatures:      p.set,
		Fallbacks:       p.fallbacks,
		Allowed:         allowed,
		Limit:           p.limit,
		Pace:            p.pace.wait,
		Intrusive:       p.flags.intrusive,
		NotAfter:        p.lastMoment(),
		GreetingTimeout: p.flags.greeting,
		ConnectTimeout:  p.flags.timeout,
		Concurrency:     concurrency,
	}
}
