// Package run performs one run of mxsweep as a library: from [Options] it makes a
// [Plan], which reads and checks all input without sending anything; the plan
// sweeps, identifies open ports, judges them, writes the reports, and returns an
// [Outcome].
//
// During a run it tunes the garbage collector of its process. A run that sends
// SYNs drops all other privileges of the process.
//
// It does not print, and does not end the process. Errors have an exit code
// ([CodeOf]), and many have a hint (ErrorHint() string). Only scan what you are
// authorized to scan.
package run

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/run/internal/engine"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
)

// Scan plans and performs a run. An error that prevents the run is also written
// to the audit log. See [Plan.Run] for the outcome.
func Scan(ctx context.Context, opts Options) (*Outcome, error) {
	p, err := NewPlan(ctx, opts)
	if err != nil {
		if Refused(err) {
			_, failed := opts.LogRefusal(ctx, err)
			err = errors.Join(err, failed)
		}
		return nil, err
	}
	return p.Run(ctx)
}

// Run performs the run. All output files are opened before the first packet. The
// outcome is nil only if the run did not begin: one that fails or is stopped
// returns both an error and an outcome with the results so far. A plan can be run
// once.
func (p *Plan) Run(ctx context.Context) (*Outcome, error) {
	if p.long {
		defer memory.BoundRun()()
	}
	if err := p.openResumption(ctx); err != nil {
		return nil, err
	}
	defer p.resumed.drop()
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	outs, err := output.Open(ctx, p.opts.Outputs, p.outputRule())
	if err != nil {
		return nil, err
	}
	log, err := p.opts.openAudit(ctx)
	if err != nil {
		outs.Discard()
		return nil, err
	}
	defer log.Close()
	return p.execute(ctx, outs, log)
}

// outputRule says how the output files are opened.
func (p *Plan) outputRule() output.OpenOptions {
	return output.OpenOptions{Private: p.opts.Private, DropsRights: p.opts.Mode != ModeConnect, Hashed: p.opts.AuditLog != "", Pcap: p.opts.Pcap, Log: p.opts.Log}
}

// execute sweeps, judges and reports. It closes the outputs in any case.
func (p *Plan) execute(ctx context.Context, outs *output.Set, log audit) (*Outcome, error) {
	w, err := newSweep(ctx, p, outs)
	if err != nil {
		outs.Discard()
		return nil, err
	}
	defer w.engine.Close()
	run := p.reportRun(time.Now(), w.engine.Mode)
	if err := log.start(p, run); err != nil {
		outs.Discard()
		return nil, err
	}
	aborted := outs.Start(p.reportTool(), run)
	if aborted == nil {
		p.domains.Fetch(ctx, &domains.HTTPS{Allowed: p.scope.Allows})
		ended := func() {}
		if p.opts.Watch != nil {
			ended = p.opts.Watch(w.progress)
		}
		aborted = w.run(ctx)
		ended()
	}
	aborted = cmp.Or(aborted, p.completeJudge())
	c := p.conclude(ctx, w, outs, aborted)
	c.Decision.Notices = append(c.Decision.Notices, p.opts.repaired(log)...)
	p.write(&c, w.identifier != nil, outs, run)
	closed := outs.Close()
	kept := p.resumed.end(ctx.Err() == nil && aborted == nil && closed == nil && !p.hosts.AnyShort())
	p.awaitEnds(ctx)
	err = errors.Join(closed, fault.As(fault.Failed, aborted), kept)
	return &c, errors.Join(err, log.end(run, &c, gate.Worse(c.Decision.Code, CodeOf(err)), outs))
}

// lastEnd is how long a run waits in the end for daemons that have not ended their
// connections yet.
const lastEnd = time.Second

// awaitEnds waits for the other end of the last connections: what a daemon sends to a
// process that has ended is reset.
func (p *Plan) awaitEnds(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastEnd)
	defer cancel()
	p.limit.Await(ctx)
}

// newSweep creates the engine and the identifier of a plan.
func newSweep(ctx context.Context, p *Plan, outs *output.Set) (*sweep, error) {
	w := &sweep{plan: p,
		report: func(port exposure.Subject) error { return outs.Port(report.Clean(port.Port(), p.tree)) },
		early:  func(port exposure.Subject) error { return outs.Early(report.Clean(port.Port(), p.tree)) },
	}
	p.limit = hosts.NewSlots(atMost(p.opts.perHost))
	p.limit.NotAfter = p.lastMoment()
	p.limit.Ending = max(1, scan.Connections()/4) // of the files that the probes leave
	p.pace = newPace(p.opts.rate)
	var err error
	if w.engine, err = engine.New(ctx, p.engineConfig(outs.Pcap())); err != nil {
		return nil, err
	}
	w.observe()
	if !p.opts.NoIdentify {
		w.identifier = w.newIdentifier(p.scope.Allows, identifiers(w.engine.Connections()))
		w.identifier.Idle = func(a netip.AddrPort, silent bool) { w.queue.Idle(a, silent) }
	}
	return w, nil
}

// newIdentifier returns an identifier that contacts only addresses for which
// allowed is true, with at most concurrency dialogues at a time.
func (w *sweep) newIdentifier(allowed func(netip.Addr) bool, concurrency int) *fingerprint.Identifier {
	p := w.plan
	return &fingerprint.Identifier{
		Signatures:      p.set,
		Allowed:         allowed,
		Slots:           p.limit,
		Pace:            p.pace.wait,
		Intrusive:       p.opts.Intrusive,
		Digests:         p.domains != nil,
		NotAfter:        p.lastMoment(),
		GreetingTimeout: p.opts.GreetingTimeout,
		ConnectTimeout:  p.opts.Timeout,
		Concurrency:     concurrency,
	}
}

// CodeOf returns the exit code for an error: the one that wins of those in its
// tree, [gate.ExitError] if there is none, and pass for nil.
func CodeOf(err error) gate.ExitCode {
	if err == nil {
		return gate.ExitPass
	}
	code := gate.ExitPass
	fault.Walk(err, func(e error) {
		if f, ok := e.(*fault.Error); ok {
			code = gate.Worse(code, codeOfKind(f.Kind))
		}
	})
	if code == gate.ExitPass {
		return gate.ExitError
	}
	return code
}

// codeOfKind returns the exit code for a kind of error.
func codeOfKind(kind fault.Kind) gate.ExitCode {
	switch kind {
	case fault.Usage:
		return gate.ExitUsage
	case fault.Refused:
		return gate.ExitRefused
	}
	return gate.ExitError
}

// Refused reports whether err means that a run is not allowed, unless it is
// refused because it would overwrite one of its own files.
func Refused(err error) bool {
	return CodeOf(err) == gate.ExitRefused && !outfile.IsConflict(err)
}
