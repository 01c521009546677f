package run

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// canarySet is the canaries of a run, with their scope.
type canarySet struct {
	all   []policy.Canary
	scope *scope.Set   // their addresses, without the excludes
	space *scope.Space // their pairs
}

// readCanaries reads the canaries of the policy and of the command line. Those of the
// policy must be in the scope, or, without a scope, among the targets; otherwise they
// are out of scope and not probed. Each of the command line authorizes its own pair.
func (p *Plan) readCanaries(ctx context.Context, parser *scope.Parser, bounds scope.Bounds) error {
	var named []string
	if p.policy != nil && len(p.asked) > 0 {
		p.canaries.all = slices.Clone(p.policy.Canaries)
		for i := range p.policy.Canaries {
			named = append(named, p.policy.Canaries[i].Target())
		}
	}
	targets, err := parser.Targets(ctx, named)
	if err != nil {
		return fault.As(fault.Usage, err)
	}
	if targets, err = p.permitted(targets, bounds); err != nil {
		return err
	}
	given, err := p.flagCanaries(ctx, parser)
	if err != nil {
		return err
	}
	bounds.Targets, bounds.Allowed = slices.Concat(targets, given), nil
	if len(bounds.Targets) == 0 {
		bounds.Excluded = nil // nothing to exclude, and the list may be long
	}
	if p.canaries.scope, err = scope.New(bounds); err != nil {
		return fault.As(fault.Usage, err)
	}
	for _, t := range p.canaries.scope.Emptied() {
		if slices.ContainsFunc(given, func(g scope.Target) bool { return targetName(g) == targetName(t) }) {
			return fault.Usagef("use another canary, or remove it from the excludes", "reading flag \"--canary\": %s is excluded", targetName(t))
		}
	}
	if p.canaries.space, err = scope.NewSpace(p.canaries.scope, nil); err != nil {
		return fault.As(fault.Usage, err)
	}
	return checkZones(p.canaries.space, ModeConnect)
}

// permitted returns the canaries of the policy that may be contacted.
func (p *Plan) permitted(targets []scope.Target, bounds scope.Bounds) ([]scope.Target, error) {
	allowed := bounds.Allowed
	if allowed == nil {
		allowed = p.asked
	}
	if len(targets) == 0 {
		return nil, nil
	}
	set, err := scope.New(scope.Bounds{Targets: targets, Allowed: allowed, Family: bounds.Family})
	if err != nil {
		return nil, fault.As(fault.Usage, err)
	}
	outside := set.Outside()
	if bounds.Allowed != nil && len(outside) > 0 {
		return nil, p.outside(outside[0])
	}
	p.outOfScopeCanaries = outside
	return slices.DeleteFunc(targets, func(t scope.Target) bool {
		return slices.ContainsFunc(outside, func(s scope.Target) bool { return targetName(s) == targetName(t) })
	}), nil
}

// flagCanaries reads --canary.
func (p *Plan) flagCanaries(ctx context.Context, parser *scope.Parser) ([]scope.Target, error) {
	const form = "write HOST:PORT, like 192.0.2.10:25 or [2001:db8::1]:25"
	var targets []scope.Target
	for _, c := range p.opts.Canaries {
		one, err := parser.Targets(ctx, []string{c})
		var mistake *scope.InputError
		switch {
		case err != nil && !errors.As(err, &mistake):
			return nil, fault.As(fault.Usage, err)
		case err != nil: // its hint is about targets
			return nil, fault.Usagef(form, "reading flag \"--canary\" %q: %v", c, err)
		}
		targets = append(targets, one...)
	}
	for _, t := range targets {
		addr, single := t.Single()
		if t.Ports.Len() != 1 || t.Name == "" && !single {
			return nil, fault.Usagef(form, "reading flag \"--canary\": %q is not one host with one port", t.Anchor.Text)
		}
		host := t.Name
		if host == "" {
			host = addr.String()
		}
		selector, err := policy.ParseSelector(host)
		if err != nil {
			return nil, fault.As(fault.Usage, err)
		}
		p.canaries.all = append(p.canaries.all, policy.Canary{Selector: selector, Port: t.Ports.Ports()[0]})
	}
	return targets, nil
}

// askCanaries probes every canary, and returns the answers. It records nothing once
// the run is stopped.
func (w *sweep) askCanaries(ctx context.Context) []scan.Result {
	set := &w.plan.canaries
	var mu sync.Mutex
	var results []scan.Result
	var asking sync.WaitGroup
	slots := make(chan struct{}, maxCanariesAtOnce)
	for i := range set.space.Len() {
		pair := set.space.At(i)
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			if r, ok := w.askCanary(ctx, pair); ok {
				mu.Lock()
				defer mu.Unlock()
				results = append(results, r)
			}
		})
	}
	asking.Wait()
	if ctx.Err() != nil || len(set.all) == 0 {
		return nil
	}
	var ports []exposure.Subject
	for _, r := range results {
		ports = append(ports, w.canaryPort(r, nil))
	}
	w.canaries.AddStates(ports, time.Now())
	return results
}

// explained adds the reason to canaries that could not be probed: the name did not
// resolve, or is out of scope.
func (p *Plan) explained(canaries []gate.WatchedCanary) []gate.WatchedCanary {
	explain := func(t scope.Target, reason string) {
		addr, _ := t.Single()
		for i := range canaries {
			if canaries[i].Selector.Matches(addr, t.Name) {
				canaries[i].Reason = reason
			}
		}
	}
	for _, t := range p.canaries.scope.Unresolved() {
		reason := "its name did not resolve"
		if why := unresolved(t).Reason; why != "" {
			reason += " (" + why + ")"
		}
		explain(t, reason)
	}
	for _, t := range p.outOfScopeCanaries {
		explain(t, "it is not a target, and without a scope only targets may be contacted")
	}
	for _, t := range p.canaries.scope.Emptied() {
		explain(t, "it is excluded"+p.byFamily(t))
	}
	return canaries
}

// canaryPorts returns the ports of an address that are canaries.
func (p *Plan) canaryPorts(addr netip.Addr) []uint16 {
	var ports []uint16
	for i := range p.canaries.space.Len() {
		if pair := p.canaries.space.At(i); pair.Addr() == addr {
			ports = append(ports, pair.Port())
		}
	}
	return ports
}

// maxCanariesAtOnce is how many canaries are probed at the same time.
const maxCanariesAtOnce = 16

// askCanary probes one pair. It uses a host slot.
func (w *sweep) askCanary(ctx context.Context, pair netip.AddrPort) (scan.Result, bool) {
	if w.plan.limit.Acquire(ctx, pair.Addr()) != nil {
		return scan.Result{}, false
	}
	defer w.plan.limit.Release(pair.Addr())
	config := w.plan.connectConfig(w.plan.canaries.scope)
	config.Concurrency, config.PerHost, config.Slots = 1, 1, nil
	for r := range w.plan.further(ctx, config, scope.PairSpace([]netip.AddrPort{pair})) {
		return r, true
	}
	return scan.Result{}, false
}

// canaryPort combines a result with what the canaries' scope knows about its address.
func (w *sweep) canaryPort(r scan.Result, service *fingerprint.Identification) exposure.Subject {
	p := exposure.Subject{Result: r, Service: service}
	if names := w.plan.canaries.scope.Names(r.Target.Addr()); len(names) > 0 {
		p.Host, p.Aliases = names[0], names[1:]
	}
	return p
}

// hearCanaries holds a dialogue with the canaries that must speak a protocol and that
// the sweep itself does not identify.
func (w *sweep) hearCanaries(ctx context.Context, open []scan.Result) {
	for _, r := range open {
		if _, swept := w.plan.space.Index(r.Target); swept || r.State != result.StateOpen || !w.canaries.WantsService(w.canaryPort(r, nil)) {
			continue
		}
		id := w.newIdentifier(w.plan.canaries.scope.Allows, 1)
		service, err := id.Identify(ctx, r)
		if err != nil {
			continue // it has no dialogue
		}
		w.canaries.AddService(w.canaryPort(r, service))
	}
}

// startCanaries probes the canaries for the first time, and waits in the background
// for the middle of the sweep to probe them for the second time. The returned function
// ends that wait; if the middle has not come, the second time is then.
func (w *sweep) startCanaries(ctx context.Context) (middle func()) {
	if len(w.plan.canaries.all) == 0 {
		return func() {}
	}
	open := w.askCanaries(ctx)
	var work sync.WaitGroup
	if w.identifier != nil {
		work.Go(func() { w.hearCanaries(ctx, open) })
	}
	swept := make(chan struct{})
	work.Go(func() {
		tick := time.NewTicker(middleEvery)
		defer tick.Stop()
		for w.progress().Share < 0.5 {
			select {
			case <-tick.C:
				continue
			case <-swept:
			case <-ctx.Done():
			}
			break
		}
		w.askCanaries(ctx)
	})
	return func() {
		close(swept)
		work.Wait()
	}
}

// middleEvery is how often it is checked whether half of a sweep is done.
const middleEvery = 100 * time.Millisecond
