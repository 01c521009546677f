package run

import (
	"context"
	"iter"
	"net/netip"
	"slices"
	"time"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// againConfig returns the config for pairs that are probed after the sweep. Its
// timeouts follow from the answers so far.
func (w *sweep) againConfig() scan.Config {
	config := w.plan.connectConfig(w.plan.scope)
	config.Measured = w.engine.Measured()
	return config
}

// once returns the config for pairs that are probed one time each.
func (w *sweep) once() scan.Config {
	config := w.againConfig()
	config.Retries = -1
	return config
}

// referenceConfig is the config of reference ports. If nothing has answered at all,
// they are awaited only until a SYN would be repeated (RFC 6298, Section 2.1), or
// longer if --timeout is longer.
func (w *sweep) referenceConfig() scan.Config {
	config := w.once()
	if !config.Measured.Answered() {
		config.Timeout = min(config.Timeout, max(time.Second, config.Timeout/3))
	}
	return config
}

// further probes some more pairs than the sweep itself, only for their states. It
// yields nothing if this machine cannot send: then their states are unknown. It uses
// full connections even if the sweep sends single SYNs: there are few pairs, and the
// right to raw sockets is dropped by then.
func (p *Plan) further(ctx context.Context, config scan.Config, space *scope.Space) iter.Seq[scan.Result] {
	return func(yield func(scan.Result) bool) {
		if space.Len() == 0 || ctx.Err() != nil {
			return
		}
		engine, err := scan.NewConnect(config)
		if err != nil {
			return
		}
		for r := range engine.Scan(ctx, space) {
			if !yield(r) {
				return
			}
		}
	}
}

// lookAgain sends, after the sweep, the probes that distinguish filtered ports from a
// scanner that nothing answers: the reference ports of single targets that are silent,
// silent addresses of ranges for a second time, and a control in each range at the
// end. found gets the results of hosts that were silent and answer now.
func (w *sweep) lookAgain(ctx context.Context, found func(scan.Result) error) {
	w.askUnproven(ctx, found)
	w.askReferences(ctx, found)
	late, any := w.secondLook(ctx)
	w.sweepLate(ctx, late, found)
	if any {
		for _, pair := range w.askControls(ctx) {
			w.lines.Answered(pair)
		}
	}
	w.looked = ctx.Err() == nil
}

// askReferences probes the reference ports of each single target that is silent, and
// the canaries on silent addresses of ranges: an answer to any of them shows that the
// host is up and reached. It may have come up only now, so that its other ports are
// probed once more. found gets the results of those that answer now.
func (w *sweep) askReferences(ctx context.Context, found func(scan.Result) error) {
	p := w.plan
	var pairs []netip.AddrPort
	silent := 0
	for t := range p.silentTargets(w.counter) {
		if silent++; silent > maxSilent {
			break
		}
		if p.hosts.Short(t.Addr) {
			continue // it must not be probed any more
		}
		pairs = append(pairs, p.references(t.Addr)...)
	}
	pairs = append(pairs, w.silentCanaries()...)
	var shown []scan.Result
	var up []netip.Addr
	for r := range p.further(ctx, w.referenceConfig(), scope.PairSpace(pairs)) {
		if addr := r.Target.Addr(); r.FromTarget() && !w.counter.Up(addr) {
			w.counter.Forget(addr)
			w.counter.SetUp(addr)
			w.lines.Answers(r.Target, p.isOwn(addr))
			w.shownBy = append(w.shownBy, r.Target)
			shown = append(shown, r)
			up = append(up, addr)
		}
	}
	slices.SortFunc(up, netip.Addr.Compare)
	w.askSilent(ctx, p.space.Of(up), shown, found)
}

// silentCanaries returns the canaries on silent addresses of ranges, at ports that the
// sweep itself does not probe.
func (w *sweep) silentCanaries() []netip.AddrPort {
	p := w.plan
	var pairs []netip.AddrPort
	for i := range p.canaries.space.Len() {
		pair := p.canaries.space.At(i)
		addr := pair.Addr()
		if w.required.Target(addr) || w.counter.Up(addr) || p.hosts.Short(addr) || p.space.HostsIn(netipx.IPRangeFrom(addr, addr)) == 0 {
			continue
		}
		if _, asked := p.wholeSpace.Index(pair); !asked {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

// maxAgain is how many pairs that earlier runs found silent are probed again. The
// others are unknown.
const maxAgain = 1 << 20

// askUnproven probes the pairs again whose silence in an earlier run proves nothing,
// because their host answered only later. found gets the results of those that answer
// now.
func (w *sweep) askUnproven(ctx context.Context, found func(scan.Result) error) {
	var pairs []netip.AddrPort
	var signs []scan.Result
	for pair := range w.plan.resumed.unproven(w.counter.Up) {
		addr := pair.Addr()
		w.counter.Retract(addr)
		w.forget(pair)
		if len(pairs) == maxAgain {
			continue
		}
		pairs = append(pairs, pair)
		if port, ok := w.signs[addr]; ok {
			signs = append(signs, scan.Result{Target: netip.AddrPortFrom(addr, port), State: result.StateOpen})
			delete(w.signs, addr) // once is enough
		}
	}
	w.askSilent(ctx, scope.PairSpace(pairs), signs, found)
}

// askSilent probes silent pairs of hosts again, each of which sent one of the signs.
// The counter must have forgotten the pairs: those that have no result afterwards are
// unknown. found gets the results of those that answer now.
func (w *sweep) askSilent(ctx context.Context, space *scope.Space, signs []scan.Result, found func(scan.Result) error) {
	config := w.againConfig()
	config.Earlier = slices.Values(signs) // from which the engine knows what answers controls
	for i := range space.Len() {
		w.forget(space.At(i))
	}
	for r := range w.plan.further(ctx, config, space) {
		if r.State == result.StateFiltered {
			w.count(r) // it was reported as silent before
		} else if found(r) != nil {
			return // and the run has ended
		}
	}
}

// references returns the reference ports of an address, and the ports of its canaries,
// that the sweep itself does not probe.
func (p *Plan) references(addr netip.Addr) []netip.AddrPort {
	ports, err := p.opts.referencePorts()
	if err != nil || !p.scope.Allows(addr) {
		return nil // which NewPlan has refused
	}
	ports = slices.Concat(ports, p.canaryPorts(addr))
	slices.Sort(ports)
	var pairs []netip.AddrPort
	for _, port := range slices.Compact(ports) {
		pair := netip.AddrPortFrom(addr, port)
		if _, asked := p.wholeSpace.Index(pair); !asked {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

const (
	// secondPorts is how many ports of a silent address are probed again.
	secondPorts = 3
	// secondRanges is how many ranges of silent addresses are probed again at a time,
	// to limit memory.
	secondRanges = 1 << 16
	// maxLate is how many addresses may turn out to be up. If there are more, the first
	// look failed.
	maxLate = 1 << 16
)

// secondLook probes a few ports of each silent address of a range once more, unless
// the sweep itself has probed on two occasions. It returns those that answered now,
// and whether there were any to probe.
func (w *sweep) secondLook(ctx context.Context) (late []netip.Addr, any bool) {
	if len(w.lines.Controls()) == 0 && len(w.plan.canaries.all) == 0 {
		return nil, false // no control can show that one is vacant
	}
	if w.engine.Stats().SilentTwice {
		for r := range w.silentInRanges() {
			return nil, r.IsValid()
		}
		return nil, false
	}
	// An answer in between shows that no single outage hides both looks.
	w.askControls(ctx)
	config := w.once()
	seen := map[netip.Addr]bool{}
	look := func(ranges []netipx.IPRange) {
		any = any || len(ranges) > 0
		for r := range w.plan.further(ctx, config, w.plan.space.Sample(ranges, secondPorts)) {
			switch addr := r.Target.Addr(); {
			case r.FromTarget() && !seen[addr] && len(seen) < maxLate:
				seen[addr] = true
				late = append(late, addr)
			case r.FromTarget() || r.State != result.StateFiltered:
				w.counter.Doubt(addr)
			}
		}
	}
	var batch []netipx.IPRange
	for r := range w.silentInRanges() {
		if batch = append(batch, r); len(batch) == secondRanges {
			look(batch)
			batch = batch[:0]
		}
	}
	look(batch)
	return late, any
}

// silentInRanges yields the silent addresses that are no single targets, and whose
// reference ports were probed, as ranges of adjacent addresses.
func (w *sweep) silentInRanges() iter.Seq[netipx.IPRange] {
	return func(yield func(netipx.IPRange) bool) {
		for r := range w.counter.Silent() {
			if r.From() == r.To() && w.required.Target(r.From()) {
				continue
			}
			if !yield(r) {
				return
			}
		}
	}
}

// sweepLate probes all ports of hosts that were silent and answer now. found gets the
// results.
func (w *sweep) sweepLate(ctx context.Context, late []netip.Addr, found func(scan.Result) error) {
	slices.SortFunc(late, netip.Addr.Compare)
	for _, addr := range late {
		w.counter.Forget(addr)
	}
	config := w.againConfig()
	config.Clock = w.plan.hosts
	space := w.plan.space.Of(late)
	for i := range space.Len() {
		w.forget(space.At(i))
	}
	for r := range w.plan.further(ctx, config, space) {
		if found(r) != nil {
			return // and the run has ended
		}
	}
	for _, addr := range late {
		w.counter.Doubt(addr) // in case it is silent again
	}
}

// askControls probes pairs that are known to answer, and returns those that still do.
// The timeouts are those of a new scan: an outage may be about to end.
func (w *sweep) askControls(ctx context.Context) (answered []netip.AddrPort) {
	for r := range w.plan.further(ctx, w.plan.connectConfig(w.plan.scope), scope.PairSpace(w.lines.Controls())) {
		if r.FromTarget() {
			answered = append(answered, r.Target)
		}
	}
	return answered
}
