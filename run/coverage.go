package run

import (
	"iter"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// observe creates the counter for the coverage.
func (w *sweep) observe() {
	p := w.plan
	w.counter = gate.NewCoverageCounter(p.space.Len(), p.space.Hosts())
	w.families = exposure.NewFamilyWatch(p.scope.Counterparts())
	w.lines = gate.NewScopeLines(p.scopeLines())
	w.rejected, w.timeouts = rejections{}, hostTimeouts{}
	w.required = gate.Requirements{Targets: p.singles(), Listed: p.listedAlone, Policy: p.policy, Canaries: p.canaries.all}
	w.required.Baseline(p.baseline)
	w.canaries = gate.WatchCanaries(p.canaries.all, p.opts.NoIdentify, p.isOwn)
}

// scopeLines returns the ranges of the targets that the run probes.
func (p *Plan) scopeLines() []gate.ScopeLine {
	var lines []gate.ScopeLine
	for r, target := range p.named() {
		if r.From() == r.To() {
			continue
		}
		if asked := p.space.HostsIn(r); asked > 0 {
			t := target()
			lines = append(lines, gate.ScopeLine{Range: r, Text: t.Anchor.Text, Anchor: anchorOf(t), MinHosts: p.minHosts(t, r),
				Part: p.opts.Shard.Count > 1 && asked < p.wholeSpace.HostsIn(r)})
		}
	}
	return lines
}

// named yields the addresses that are swept as written, entry by entry, with a
// function that returns the target.
func (p *Plan) named() iter.Seq2[netipx.IPRange, func() scope.Target] {
	return func(yield func(netipx.IPRange, func() scope.Target) bool) {
		for _, t := range p.asked {
			for _, r := range t.Ranges {
				if !yield(r, func() scope.Target { return t }) {
					return
				}
			}
			if t.Bulk == nil {
				continue
			}
			for i, r := range t.Bulk.Ranges() {
				if !yield(r, func() scope.Target { return t.Bulk.Target(i) }) {
					return
				}
			}
		}
	}
}

// anyNamed reports whether the run probes an address that the user named individually,
// or a range.
func (p *Plan) anyNamed(single bool) bool {
	for r := range p.named() {
		if (r.From() == r.To()) == single && p.space.HostsIn(r) > 0 {
			return true
		}
	}
	return false
}

// maxLines is how many prefixes and ranges a run sweeps, because it counts for each
// how many hosts are up.
const maxLines = 300_000

// checkLines refuses more of them.
func (p *Plan) checkLines() error {
	n := 0
	for _, t := range p.asked {
		if t.Bulk != nil {
			n += t.Bulk.Wide()
		}
	}
	if n > maxLines {
		return fault.Usagef("combine adjacent addresses into prefixes or ranges", "reading the targets: %d prefixes and ranges, more than %d", n, maxLines)
	}
	return nil
}

// minHosts returns how many hosts must be up in a range of a target.
func (p *Plan) minHosts(t scope.Target, r netipx.IPRange) uint64 {
	if p.opts.AllowVacant {
		return 0
	}
	return p.policy.MinHosts(t.Anchor, r)
}

// singles returns the addresses that the user named individually, if the run probes
// them.
func (p *Plan) singles() map[netip.Addr]bool {
	singles := map[netip.Addr]bool{}
	for _, t := range p.asked { // those in bulk are looked up
		for _, r := range t.Ranges {
			if r.From() == r.To() && p.space.HostsIn(r) > 0 {
				singles[r.From().WithZone(t.Zone)] = true
			}
		}
	}
	return singles
}

// listedAlone reports whether an address is a single entry of a long list, and the run
// probes it.
func (p *Plan) listedAlone(addr netip.Addr) bool {
	return inBulk(p.asked, addr) && p.space.HostsIn(netipx.IPRangeFrom(addr, addr)) > 0
}

// silentTargets yields the addresses that the user named individually and that are not
// up, without duplicates.
func (p *Plan) silentTargets(counter *gate.CoverageCounter) iter.Seq[gate.SilentTarget] {
	return func(yield func(gate.SilentTarget) bool) {
		seen := map[netip.Addr]bool{} // long lists are looked up
		for i, t := range p.asked {
			before := func(addr netip.Addr) bool { return seen[addr] || inBulk(p.asked[:i], addr) }
			for _, r := range t.Ranges {
				addr := r.From().WithZone(t.Zone)
				if r.From() != r.To() || counter.Up(addr) || before(addr) || p.space.HostsIn(r) == 0 {
					continue
				}
				seen[addr] = true
				if !yield(p.silentTarget(&t, addr)) {
					return
				}
			}
			if t.Bulk != nil && !p.silentInBulk(t.Bulk, counter, before, yield) {
				return
			}
		}
	}
}

// silentInBulk yields the silent targets of a long list that were not yielded before.
func (p *Plan) silentInBulk(b *scope.Bulk, counter *gate.CoverageCounter, before func(netip.Addr) bool, yield func(gate.SilentTarget) bool) bool {
	var last netip.Addr
	for i, r := range b.Ranges() {
		addr := r.From()
		if addr != r.To() || addr == last || counter.Up(addr) || before(addr) || p.space.HostsIn(r) == 0 {
			continue
		}
		last = addr
		t := b.Target(i)
		if !yield(p.silentTarget(&t, addr)) {
			return false
		}
	}
	return true
}

// silentTarget returns an address of a target that is silent.
func (p *Plan) silentTarget(t *scope.Target, addr netip.Addr) gate.SilentTarget {
	names := p.scope.Names(addr)
	return gate.SilentTarget{Addr: addr, Host: t.Name, Names: names, Pairs: p.space.Of([]netip.Addr{addr}).Len(), Anchor: anchorOf(*t),
		Acceptance: p.policy.AcceptsNotice(exposure.NoticeSilent, addr, names, p.opts.now())}
}

// inBulk reports whether an address is a single entry of a long list.
func inBulk(targets []scope.Target, addr netip.Addr) bool {
	return slices.ContainsFunc(targets, func(t scope.Target) bool { return t.Bulk != nil && t.Bulk.Single(addr) })
}

// maxSilent is how many silent targets are reported and probed on reference ports: of
// those that are not accepted, and of the others. Any that is not accepted leaves the
// run incomplete, even beyond that number.
const maxSilent = 300_000

// tellSilent reports the silent targets, and removes the accepted ones from the
// coverage.
func (w *sweep) tellSilent() []gate.SilentTarget {
	var told []gate.SilentTarget
	var accepted, others int
	none := w.plan.policy == nil || len(w.plan.policy.Accept) == 0
	for t := range w.plan.silentTargets(w.counter) {
		if none && others == maxSilent {
			break
		}
		n := &others
		if t.Acceptance != nil {
			w.counter.Accept(t.Pairs)
			n = &accepted
		}
		if *n++; *n <= maxSilent {
			told = append(told, t)
		}
	}
	return told
}

// assess counts an open port that no dialogue has assessed. aside are the notices
// about hosts whose ports cannot be assessed individually: if the policy accepts one,
// its ports do not count, except for those that the baseline or the policy names.
func (w *sweep) assess(port exposure.Subject, aside []result.Notice) {
	if w.identifier == nil || w.plan.policy.Assessed(port) {
		return
	}
	w.counter.Unassessed()
	if w.plan.hosts.Short(port.Target.Addr()) && port.Service.Inconclusive == result.InconclusiveHostTimeout {
		w.timeouts.unfinished(port.Target.Addr())
	}
	addr, names := port.Target.Addr().String(), w.plan.scope.Names(port.Target.Addr())
	if slices.ContainsFunc(aside, func(n result.Notice) bool { return n.Target == addr && n.Acceptance != nil }) {
		// An open port that must be closed has a finding for that.
		if why := w.required.OfPort(port.Target, names...); why != "" && why != gate.RequiredClosed {
			w.unknown.Add(port, why)
		} else {
			w.counter.Accept(1)
		}
		return
	}
	w.unknown.Add(port, w.required.Of(port.Target, names...))
}

// settle counts what is known only at the end: vacant addresses, the hosts of each
// line, and silent pairs without which the run cannot pass.
func (w *sweep) settle() {
	canary := w.canaries.ShowsNetwork()
	for addr := range addressesIn(w.counter.Silent()) {
		names := w.plan.scope.Names(addr)
		expected := w.required.Expected(addr, names...)
		if w.looked && !expected && w.lines.Proves(addr, canary) {
			w.counter.SetVacant(addr)
		} else {
			w.requireSilent(addr, names)
		}
	}
	for addr := range addressesIn(w.counter.Doubtful()) {
		w.requireSilent(addr, w.plan.scope.Names(addr))
	}
	w.lines.Count(w.counter)
	for _, host := range w.engine.Stats().Blocked {
		if i, open := slices.BinarySearchFunc(w.open, netip.AddrPortFrom(host.Addr, 0), func(p exposure.Subject, at netip.AddrPort) int { return p.Target.Compare(at) }); !open &&
			i < len(w.open) && w.open[i].Target.Addr() == host.Addr && !w.required.Target(host.Addr) {
			w.unknown.Require(host.Addr.String(), host.Pairs, gate.RequiredOpen)
		}
	}
}

// addressesIn yields the addresses of ranges one by one.
func addressesIn(ranges iter.Seq[netipx.IPRange]) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for r := range ranges {
			for addr := r.From(); ; addr = addr.Next() {
				if !yield(addr) {
					return
				}
				if addr == r.To() {
					break
				}
			}
		}
	}
}

// requireSilent counts the pairs of a silent address, which is not vacant, without
// which the run cannot pass. Those of individual targets are reported separately.
func (w *sweep) requireSilent(addr netip.Addr, names []string) {
	if w.required.Target(addr) || !w.required.AnyPort() || w.unknown.Required() > manyRequired {
		return
	}
	space := w.plan.space.Of([]netip.Addr{addr})
	for i := range space.Len() {
		pair := space.At(i)
		w.unknown.Require(pair.String(), 1, w.required.Of(pair, names...))
	}
}

// manyRequired is how many missing pairs count as very many.
const manyRequired = 1 << 16

// coverageNotices returns the notices about the coverage.
func (w *sweep) coverageNotices() []result.Notice {
	var list []result.Notice
	for i, pair := range w.shownBy {
		if i == maxNamed {
			break
		}
		list = append(list, exposure.NewNotice(exposure.NoticeReferencePort, pair.Addr().String(), nil,
			"%s: %d filtered, confirmed by an answer from %d/tcp.", wording.Named(pair.Addr(), w.plan.scope.Name(pair.Addr())), w.plan.space.Of([]netip.Addr{pair.Addr()}).Len(), pair.Port()))
	}
	if n := w.skippedBusyHost.Load(); n > 0 {
		list = append(list, exposure.NewNotice(exposure.NoticeUnresponsiveHost, "", nil,
			"%s so many open ports that another device must be answering for all of them.",
			wording.Amount(int(n), "open port was not identified: its host has", "open ports were not identified: their hosts have")))
	}
	return list
}
