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

// A sweep carries a plan out: it asks every pair, talks to what is open while
// the asking goes on, and gathers what was seen.
type sweep struct {
	plan       *Plan
	engine     *engine.Engine
	identifier *fingerprint.Identifier      // nil: states only
	report     func(exposure.Subject) error // one that is known as it is
	early      func(exposure.Subject) error // one whose host may tell more of it

	canaries         *gate.CanaryWatch
	counter          *gate.CoverageCounter
	lines            *gate.ScopeLines
	families         *exposure.FamilyWatch // nil: no port is known to be open over IPv6 only
	required         gate.Requirements
	unknown          gate.UnknownPairs
	looked           bool                  // silent addresses were asked a second time, and controls after them
	shownBy          []netip.AddrPort      // reference ports that show their hosts to be up
	signs            map[netip.Addr]uint16 // the first port that answered of each host that is up; of a run with --resume only
	queue            *queue.Queue
	later            laterPorts
	identified       atomic.Int64
	resumedOpen      atomic.Int64 // open ports that earlier runs have talked to
	resumedUncounted atomic.Int64 // open ports of earlier runs that the engine does not count
	skippedBusyHost  atomic.Int64 // open ports of hosts with too many to talk to all

	rejected rejections
	timeouts hostTimeouts
	counted  countedPairs

	mu   sync.Mutex
	open []exposure.Subject
}

// run sweeps until all is asked and answered, or ctx is done. The error says
// why a run that nobody stopped ended early. What was seen until then stays.
func (w *sweep) run(ctx context.Context) error {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	// Half of the places of a host are for questions to ports that are silent.
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
	// Dialogues and reports need no ring of answers.
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
	return nil // which is why the run was stopped
}

// identifiers is how many ports are talked to at once with so many connections
// at most: three to a port. Most of the time of a dialogue is waiting, so that
// hosts with many silent ports would else hold up the others; but each takes
// some 80 KiB at its busiest.
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
	// What a run that was stopped did not come to is said once.
	if r.State == result.StateUnknown && ctx.Err() == nil && w.counted.first(r.Target, asUnknown) {
		port := w.port(r, nil)
		w.unknown.Add(port, w.required.Of(r.Target, w.plan.scope.Names(r.Target.Addr())...))
	}
}

// count takes the state of a pair into coverage and drift.
func (w *sweep) count(r scan.Result) {
	w.counter.Add(r)
	if w.plan.drift != nil {
		w.plan.drift.Add(exposure.Subject{Result: r})
	}
}

// forget takes back for the drift what was seen of a pair that is asked again: until
// there is an answer, nothing shows that a finding is fixed.
func (w *sweep) forget(pair netip.AddrPort) {
	if w.plan.drift != nil {
		w.plan.drift.Forget(pair)
	}
}

// take keeps one result. An open port is handed to the identifiers; the others
// are reported at once if they are reported at all.
func (w *sweep) take(ctx context.Context, r scan.Result) error {
	if r.State == result.StateOpen && w.identifier != nil {
		w.queue.Put(r)
		return nil
	}
	if r.Conn != nil {
		// Nothing was said, and nothing is lost if closing fails.
		_ = r.Conn.Close()
		r.Conn = nil
	}
	if err := w.state(r); err != nil {
		return err
	}
	// What is silent as long as a run lasts that was stopped may yet answer.
	if r.State != result.StateFiltered || ctx.Err() == nil && w.engine.Failed() == nil {
		w.plan.resumed.add(r, nil)
	}
	return nil
}

// state reports a port of which only the state is known.
func (w *sweep) state(r scan.Result) error {
	if r.State != result.StateOpen && r.State != result.StateUnknown && !w.plan.opts.AllPorts {
		return nil // nearly all of a sweep: no more is looked up for them
	}
	port := w.port(r, nil)
	if r.State == result.StateOpen {
		w.mu.Lock()
		w.open = append(w.open, port)
		w.mu.Unlock()
	}
	return w.report(port)
}

// identify talks to open ports until there are no more. It aborts the run where
// nobody would hear of them.
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

// tell notes and reports what became of an open port.
func (w *sweep) tell(ctx context.Context, r scan.Result, service *fingerprint.Identification, abort context.CancelCauseFunc) {
	w.identified.Add(1)
	// Noted before it is told: a run that is killed in between tells it when
	// it goes on.
	if ctx.Err() == nil && !dialer.Exhausted(r.Err) && service.Inconclusive != result.InconclusiveHostTimeout {
		w.plan.resumed.add(r, &resumeNote{Service: service, SkippedBusyHost: w.skipped(r, service)})
	}
	if err := w.name(r, service); err != nil {
		abort(err)
	}
}

// name reports an open port and what answers there.
func (w *sweep) name(r scan.Result, service *fingerprint.Identification) error {
	port := w.port(r, service)
	w.plan.link([]exposure.Subject{port})
	w.mu.Lock()
	w.open = append(w.open, port)
	w.mu.Unlock()
	return w.early(port)
}

// ask talks to one open port, unless its host is not what it looks like or has
// more of them than are worth it. A daemon among the ports of a tarpit is heard if
// it greets.
func (w *sweep) ask(ctx context.Context, r *scan.Result) (*fingerprint.Identification, error) {
	if !w.queue.Worth(r.Target.Addr()) && !w.greets(ctx, r) {
		if r.Conn != nil {
			_ = r.Conn.Close() // nothing was said
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
		w.queue.Done(*r, nil) // what it would have replied is not known
	} else {
		w.queue.Done(*r, service)
	}
	return service, err
}

// port puts a result together with what the scope knows of its address.
func (w *sweep) port(r scan.Result, service *fingerprint.Identification) exposure.Subject {
	p := exposure.Subject{Result: r, Service: service, Reachability: w.plan.reachability(r.Target.Addr())}
	if names := w.plan.scope.Names(r.Target.Addr()); len(names) > 0 {
		p.Host, p.Aliases = names[0], names[1:]
	} else if addr := r.Target.Addr(); addr.Zone() != "" {
		p.Host = addr.String() // as the user named it
	}
	if a, ok := w.plan.scope.Anchor(r.Target.Addr()); ok {
		p.Anchor = &a
	}
	return p
}

// sorted are the open ports in the order of address and port.
func (w *sweep) sorted() []exposure.Subject {
	slices.SortFunc(w.open, func(a, b exposure.Subject) int { return a.Target.Compare(b.Target) })
	return w.open
}

// link lets what was found on one host explain each other.
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

// tuneGC has the garbage of single SYNs collected early, and returns what undoes
// it and memory.CollectEarlier. The heap would else be let grow by as much as the
// program's tables take, which are larger than all that such a sweep keeps.
func (w *sweep) tuneGC() (undo func()) {
	before := debug.SetGCPercent(25)
	if !w.engine.SendsSYNs() || w.identifier != nil || os.Getenv("GOGC") != "" { // the user knows better
		debug.SetGCPercent(before)
	}
	if w.engine.SendsSYNs() {
		// What reading the rules and the targets took is not needed again.
		debug.FreeOSMemory()
	}
	return func() { debug.SetGCPercent(before) }
}

// manyTalks is how many ports are talked to at once before memory counts for
// more than speed.
const manyTalks = 512

// A pace lets the connections of dialogues leave at the rate of the run, and
// counts them, so that the engine sends as much less. The nil pace lets them
// leave at once.
type pace struct {
	limit *rate.Limiter
	spent atomic.Int64
}

// newPace makes a pace of so many connections a second; none of 0.
func newPace(perSecond uint) *pace {
	if perSecond == 0 {
		return nil
	}
	return &pace{limit: rate.NewLimiter(rate.Limit(perSecond), max(1, atMost(perSecond)/100))}
}

// wait waits until one more connection may leave.
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

// take returns how many connections have left since it was last called.
func (p *pace) take() int {
	if p == nil {
		return 0
	}
	return int(p.spent.Swap(0))
}
