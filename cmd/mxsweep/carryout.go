package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/scan/hosts"
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
	s.code = gate.Worse(s.code, c.verdict.Code)
	s.warn(p.flags.quiet, &p.gate, specs, &c.verdict, c.findings)
	closed := outs.Close()
	kept := p.resumed.end(ctx.Err() == nil && aborted == nil && closed == nil && !p.hosts.AnyShort())
	err = errors.Join(closed, fault.As(fault.Failed, aborted), kept)
	return errors.Join(err, log.end(run, &c, gate.Worse(s.code, codeOf(err)), outs))
}

// newSweep makes the engine and the identifier of a plan.
func newSweep(ctx context.Context, p *plan, outs *output.Set) (*sweep, error) {
	w := &sweep{plan: p,
		report: func(port exposure.Port) error { return outs.Port(report.NewPort(port, p.tree)) },
		early:  func(port exposure.Port) error { return outs.Early(report.NewPort(port, p.tree)) },
	}
	p.limit = hosts.NewSlots(atMost(p.flags.perHost))
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
