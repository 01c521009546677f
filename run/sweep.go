package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/engine"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// A sweep performs a plan: it probes all pairs, identifies open ports at the same
// time, and collects the results.
type sweep struct {
	plan       *Plan
	engine     *engine.Engine
	identifier *fingerprint.Identifier      // nil: no identification
	report     func(exposure.Subject) error // reports a port that is final
	early      func(exposure.Subject) error // reports a port before its whole host is known

	canaries         *gate.CanaryWatch
	counter          *gate.CoverageCounter
	lines            *gate.ScopeLines
	families         *exposure.FamilyWatch // nil: it is not known whether a port is open over IPv6 only
	required         gate.Requirements
	unknown          gate.UnknownPairs
	looked           bool                  // silent addresses were probed a second time, and controls after them
	shownBy          []netip.AddrPort      // reference ports that answered
	signs            map[netip.Addr]uint16 // the first port that answered of each host that is up; only with --resume
	queue            *queue.Queue
	later            laterPorts
	identified       atomic.Int64
	resumedOpen      atomic.Int64 // open ports with a dialogue in an earlier run
	resumedUncounted atomic.Int64 // open ports of earlier runs that the engine does not count
	skippedBusyHost  atomic.Int64 // open ports without a dialogue because their host has too many

	rejected rejections
	timeouts hostTimeouts
	counted  countedPairs

	mu   sync.Mutex
	open []exposure.Subject
}

// run sweeps until all pairs are probed, or ctx is done. The error says why a run
// that was not stopped ended early. The results so far are kept.
func (w *sweep) run(ctx context.Context) error {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	// Half of the slots of a host are for probes of silent ports.
	w.queue = queue.New((atMost(w.plan.opts.perHost) + 1) / 2)
	w.queue.Listed, w.queue.Asked = w.plan.listedPort, w.plan.listedPorts
	defer w.tuneGC()()
	var workers sync.WaitGroup
	idle := 0
	if w.identifier != nil {
		idle = w.identifier.Concurrency
	}
	w.signs = map[netip.Addr]uint16{}
	if err := w.replay(ctx); err != nil {
		abort(err)
	}
	stop := w.plan.resumed.keep(ctx, w.engine.Checkpoints(w.plan.opts.Timeout))
	defer func() {
		stop()
		w.plan.resumed.beginAnew(w.engine)
	}()
	found := func(r scan.Result) error {
		w.see(ctx, r)
		talk := r.State == result.StateOpen && idle > 0
		if err := w.take(ctx, r); err != nil {
			abort(err)
			return err
		}
		if talk {
			if idle--; w.identifier.Concurrency-idle == manyTalks {
				memory.CollectEarlier()
			}
			workers.Go(func() { w.identify(ctx, abort) })
		}
		return nil
	}
	middle := w.startCanaries(ctx)
	for r := range w.engine.Scan(ctx, w.plan.space) {
		_ = found(r) // ctx has ended, and the engine with it
	}
	middle()
	// Dialogues and reports do not need the packet ring.
	w.engine.Close()
	if w.engine.Failed() == nil {
		w.lookAgain(ctx, found)
	}
	w.queue.Close()
	w.finishTalks(ctx, &workers, abort)
	w.askCanaries(ctx)
	if err := context.Cause(ctx); err != nil && !stopped(ctx) {
		return err
	}
	if err := w.engine.Failed(); !stopped(ctx) || !errors.As(err, new(*scan.ExpiredError)) {
		return err
	}
	return nil // the run was stopped because of it
}

// identifiers returns the number of concurrent dialogues for a maximum number of
// connections: three per dialogue. A dialogue mostly waits, so that with few of
// them hosts with many silent ports would delay the others; but each takes up to
// 80 KiB.
func identifiers(connections int) int { return min(max(connections/3, 8), 640) }

// see counts one result.
func (w *sweep) see(ctx context.Context, r scan.Result) {
	if r.FromTarget() && !w.counter.Up(r.Target.Addr()) {
		w.lines.Answers(r.Target, w.plan.isOwn(r.Target.Addr()))
		if w.plan.resumed != nil {
			w.signs[r.Target.Addr()] = r.Target.Port()
		}
	}
	w.count(r)
	w.families.Add(r)
	if r.WasClosed {
		w.plan.resumed.takeBack(r.Target)
	}
	w.timeouts.add(r)
	if rejectedOnTheWay(r, w.plan.own) && w.counted.first(r.Target, asRejected) {
		w.rejected.add(r.From)
	}
	// Pairs that a stopped run did not probe have one notice for all.
	if r.State == result.StateUnknown && ctx.Err() == nil && w.counted.first(r.Target, asUnknown) {
		port := w.port(r, nil)
		w.unknown.Add(port, w.required.Of(r.Target, w.plan.scope.Names(r.Target.Addr())...))
	}
}

// count adds the state of a pair to coverage and drift.
func (w *sweep) count(r scan.Result) {
	w.counter.Add(r)
	w.plan.files.Add(r)
	w.plan.domains.Add(r)
	if w.plan.drift != nil {
		w.plan.drift.Add(exposure.Subject{Result: r})
	}
}

// forget removes a pair that is probed again from the drift: until there is an
// answer, nothing shows that a finding is fixed.
func (w *sweep) forget(pair netip.AddrPort) {
	w.plan.files.Forget(pair)
	w.plan.domains.Forget(pair)
	if w.plan.drift != nil {
		w.plan.drift.Forget(pair)
	}
}

// take handles one result. An open port is passed to the identifiers; others are
// reported at once, if at all.
func (w *sweep) take(ctx context.Context, r scan.Result) error {
	if r.State == result.StateOpen && w.identifier != nil {
		w.queue.Put(r)
		return nil
	}
	if r.Conn != nil {
		// Nothing was sent, and nothing is lost if closing fails.
		_ = r.Conn.Close()
		r.Conn = nil
	}
	if err := w.state(r); err != nil {
		return err
	}
	// What is silent while a run is being stopped may still answer.
	if r.State != result.StateFiltered || ctx.Err() == nil && w.engine.Failed() == nil {
		w.plan.resumed.add(r, nil)
	}
	return nil
}

// state reports a port of which only the state is known.
func (w *sweep) state(r scan.Result) error {
	if r.State != result.StateOpen && r.State != result.StateUnknown && !w.plan.opts.AllPorts {
		return nil // nearly all pairs of a sweep: avoids further lookups
	}
	port := w.port(r, nil)
	if r.State == result.StateOpen {
		w.mu.Lock()
		w.open = append(w.open, port)
		w.mu.Unlock()
	}
	return w.report(port)
}

// identify runs dialogues with open ports until there are no more. It aborts the
// run if no output works any more.
func (w *sweep) identify(ctx context.Context, abort context.CancelCauseFunc) {
	for {
		r, ok := w.queue.Next()
		if !ok {
			return
		}
		service, err := w.ask(ctx, &r)
		if err != nil {
			r.Err = fmt.Errorf("identifying services: %w", err)
		}
		if !w.postpone(ctx, r, service) {
			w.tell(ctx, r, service, abort)
		}
	}
}

// tell records and reports the result of an open port.
func (w *sweep) tell(ctx context.Context, r scan.Result, service *fingerprint.Identification, abort context.CancelCauseFunc) {
	w.identified.Add(1)
	// Recorded before it is reported: a run that is killed in between reports it
	// when it is resumed.
	if ctx.Err() == nil && !dialer.Exhausted(r.Err) && service.Inconclusive != result.InconclusiveHostTimeout {
		w.plan.resumed.add(r, &resumeNote{Service: service, SkippedBusyHost: w.skipped(r, service)})
	}
	if err := w.name(r, service); err != nil {
		abort(err)
	}
}

// name reports an open port with its service.
func (w *sweep) name(r scan.Result, service *fingerprint.Identification) error {
	port := w.port(r, service)
	w.plan.link([]exposure.Subject{port})
	w.mu.Lock()
	w.open = append(w.open, port)
	w.mu.Unlock()
	return w.early(port)
}

// ask runs the dialogue with one open port, unless the ports of its host are not
// services of their own or there are too many. On a host that replies nowhere it
// only waits for a greeting.
func (w *sweep) ask(ctx context.Context, r *scan.Result) (*fingerprint.Identification, error) {
	if !w.queue.Worth(r.Target.Addr()) && !w.greets(ctx, r) {
		if r.Conn != nil {
			_ = r.Conn.Close() // nothing was sent
			r.Conn = nil
		}
		if w.queue.Kind(r.Target.Addr()) == queue.Ordinary {
			w.skippedBusyHost.Add(1)
		}
		w.queue.Done(*r, nil)
		return &fingerprint.Identification{Service: result.Service{Role: "unknown", Inconclusive: result.InconclusiveSkipped}}, nil
	}
	service, err := w.talk(ctx, *r)
	r.Conn = nil // the identifier has closed it
	if service.Inconclusive == result.InconclusiveHostTimeout {
		w.queue.Done(*r, nil) // its reply is not known
	} else {
		w.queue.Done(*r, service)
	}
	return service, err
}

// port combines a result with what the scope knows about its address.
func (w *sweep) port(r scan.Result, service *fingerprint.Identification) exposure.Subject {
	p := exposure.Subject{Result: r, Service: service, Reachability: w.plan.reachability(r.Target.Addr())}
	if names := w.plan.scope.Names(r.Target.Addr()); len(names) > 0 {
		p.Host, p.Aliases = names[0], names[1:]
	} else if addr := r.Target.Addr(); addr.Zone() != "" {
		p.Host = addr.String() // as named by the user
	}
	p.NamedBy = w.plan.domains.NamedBy(r.Target.Addr())
	if a, ok := w.plan.scope.Anchor(r.Target.Addr()); ok {
		p.Anchor = &a
	}
	return p
}

// sorted returns the open ports in the order of address and port.
func (w *sweep) sorted() []exposure.Subject {
	slices.SortFunc(w.open, func(a, b exposure.Subject) int { return a.Target.Compare(b.Target) })
	return w.open
}

// link sets what the services of one host reveal about each other.
func (p *Plan) link(open []exposure.Subject) {
	for len(open) > 0 {
		n := 1
		for n < len(open) && open[n].Target.Addr() == open[0].Target.Addr() {
			n++
		}
		host := make(map[uint16]*fingerprint.Identification, n)
		for _, o := range open[:n] {
			if o.Service != nil && o.Service.Inconclusive != result.InconclusiveSkipped {
				host[o.Target.Port()] = o.Service
			}
		}
		fingerprint.Link(p.set, p.known, host)
		open = open[n:]
	}
}

// tuneGC collects garbage early in a SYN sweep. undo restores the setting, and
// undoes memory.CollectEarlier. By default the heap could grow by the size of the
// program's tables, which are larger than everything that such a sweep needs.
func (w *sweep) tuneGC() (undo func()) {
	before := debug.SetGCPercent(25)
	if !w.engine.SendsSYNs() || w.identifier != nil || os.Getenv("GOGC") != "" { // the user chose a setting
		debug.SetGCPercent(before)
	}
	if w.engine.SendsSYNs() {
		// The memory used for reading the rules and the targets is not needed
		// again.
		debug.FreeOSMemory()
	}
	return func() { debug.SetGCPercent(before) }
}

// manyTalks is the number of concurrent dialogues from which on memory matters
// more than speed.
const manyTalks = 512

// A pace limits the connections of dialogues to the rate of the run, and counts
// them, so that the engine sends fewer probes. The nil pace does not limit.
type pace struct {
	limit *rate.Limiter
	spent atomic.Int64
}

// newPace returns a pace for a number of connections per second; nil for 0.
func newPace(perSecond uint) *pace {
	if perSecond == 0 {
		return nil
	}
	return &pace{limit: rate.NewLimiter(rate.Limit(perSecond), max(1, atMost(perSecond)/100))}
}

// wait waits until one more connection may be opened.
func (p *pace) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	if err := p.limit.Wait(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("waiting for --rate: %w", err)
	}
	p.spent.Add(1)
	return nil
}

// take returns how many connections were opened since the last call.
func (p *pace) take() int {
	if p == nil {
		return 0
	}
	return int(p.spent.Swap(0))
}
