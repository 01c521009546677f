package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/records"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// addressesOf returns the addresses of a name that the run sweeps.
func (p *Plan) addressesOf(name string) []netip.Addr {
	var list []netip.Addr
	for _, t := range p.asked {
		if !strings.EqualFold(strings.TrimSuffix(t.Name, "."), strings.TrimSuffix(name, ".")) {
			continue
		}
		for _, r := range t.Ranges {
			if p.scope.Allows(r.From()) {
				list = append(list, r.From().Unmap())
			}
		}
	}
	return list
}

// readScope reads targets, scope and excludes, and returns an error for targets
// that may not be swept.
func (p *Plan) readScope(ctx context.Context) error {
	parser := p.opts.parser()
	parser.Opened = func(name string) { p.lists = append(p.lists, name) }
	bounds, err := p.readBounds(ctx, parser)
	if err != nil {
		if ctx.Err() != nil {
			return fault.As(fault.Failed, err)
		}
		return fault.As(fault.Usage, err)
	}
	if p.asked = bounds.Targets; len(p.asked) == 0 {
		p.asked = bounds.Allowed
	}
	p.excluded = bounds.Excluded
	for _, list := range [][]scope.Target{bounds.Targets, bounds.Allowed, bounds.Excluded} {
		p.long = p.long || slices.ContainsFunc(list, func(t scope.Target) bool { return t.Bulk != nil })
	}
	bounds.Family = p.opts.Family
	if p.scope, err = scope.New(bounds); err != nil {
		return fault.As(fault.Usage, err)
	}
	errs := []error{p.readCanaries(ctx, parser, bounds)}
	for _, t := range p.scope.Outside() {
		errs = append(errs, p.outside(t))
	}
	if n := p.scope.MoreOutside(); n > 0 {
		errs = append(errs, fault.Refusef("compare the list of targets with the scope file", "%s outside the scope", wording.Amount(n, "more target is", "more targets are")))
	}
	if bounds.Allowed == nil {
		errs = append(errs, p.scope.CheckWidth())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := p.checkLines(); err != nil {
		return err
	}
	if p.ports == nil {
		return nil // errors in them are already reported
	}
	if p.space, err = scope.NewSpace(p.scope, p.ports); err != nil {
		return fault.As(fault.Usage, err)
	}
	if err := p.checkInterfaces(); err != nil {
		return err
	}
	p.wholeSpace = p.space
	if n := p.opts.Shard.Count; n > 1 {
		whole := p.space.Len()
		if p.space, err = p.space.Shard(uint64(p.opts.Shard.Index), uint64(n)); err == nil {
			p.emptyShard = whole > 0 && p.space.Len() == 0
		}
	}
	if err != nil {
		return fault.As(fault.Usage, err)
	}
	return p.checkHostTimes()
}

// outside returns the error for a target outside the scope; for a canary it says
// where it comes from.
func (p *Plan) outside(t scope.Target) error {
	name := targetName(t)
	if p.policy != nil {
		for i := range p.policy.Canaries {
			if c := &p.policy.Canaries[i]; c.Target() == name && c.Anchor != nil {
				return fault.Refusef("add it to the scope if you are authorized to contact it, or remove the canary",
					"%s:%d: the canary %s is outside the scope", c.Anchor.File, c.Anchor.Line, name)
			}
		}
	}
	return fault.Refusef(fmt.Sprintf("add it to the scope in %q only if you are authorized to scan it", p.scopeName()), "%s is outside the scope", name)
}

// scopeName returns the file with the scope of the run: that of the flag, or the
// policy.
func (p *Plan) scopeName() string {
	if p.opts.Scope == "" && p.policy != nil {
		return p.policy.File
	}
	return p.opts.Scope
}

// readBounds reads all lists of addresses.
func (p *Plan) readBounds(ctx context.Context, parser *scope.Parser) (scope.Bounds, error) {
	var b scope.Bounds
	policyScope := p.policy != nil && (len(p.policy.Scope.Files) > 0 || p.policy.Scope.Lines.Len() > 0)
	if len(p.opts.Targets) == 0 && len(p.opts.TargetFiles) == 0 && p.opts.Scope == "" && !policyScope {
		if len(p.opts.Domains) > 0 {
			return b, fault.Refusef(`name the file of the hosts that you are authorized to scan with --scope; "mxsweep domain NAME -o scope=FILE" writes a draft`,
				"scanning the hosts of a domain without a scope")
		}
		return b, fault.Usagef(`give a target, as in "mxsweep scan 192.0.2.0/24", or a file of targets with --input FILE or --scope FILE`, "no targets given")
	}
	targets, err := parser.Targets(ctx, p.opts.Targets)
	if err != nil {
		return b, err
	}
	b.Targets = targets
	for _, file := range p.opts.TargetFiles {
		more, err := parser.TargetFile(ctx, file)
		if err != nil {
			return b, err
		}
		if len(b.Targets) == 0 {
			b.Targets = more // avoids copying a long list
		} else {
			b.Targets = append(b.Targets, more...)
		}
		p.scopeFiles = append(p.scopeFiles, file)
	}
	switch {
	case p.opts.Scope != "":
		b.Allowed, b.Excluded, err = parser.ScopeFile(ctx, p.opts.Scope)
		p.scopeFiles = append(p.scopeFiles, p.opts.Scope)
	case policyScope:
		b.Allowed, b.Excluded, err = p.policyScope(ctx, parser)
	}
	if err != nil {
		return b, err
	}
	if len(b.Allowed) == 0 && (p.opts.Scope != "" || policyScope) {
		b.Allowed = []scope.Target{} // an empty scope allows nothing
		p.emptyScope = p.scopeName()
	}
	if b, err = p.readExcludes(ctx, parser, b); err != nil {
		return b, err
	}
	return p.readDomains(ctx, b)
}

// readDomains looks up the domains, and adds their hosts that are in the scope to the
// targets.
func (p *Plan) readDomains(ctx context.Context, b scope.Bounds) (scope.Bounds, error) {
	if len(p.opts.Domains) == 0 {
		return b, nil
	}
	names, err := records.ParseNames(p.opts.Domains)
	if err != nil {
		return b, err
	}
	if b.Allowed == nil {
		b.Allowed = slices.Clone(b.Targets)
	}
	bounds := scope.Bounds{Allowed: b.Allowed, Excluded: b.Excluded, Family: p.opts.Family}
	allowed, err := scope.New(bounds)
	if err != nil {
		return b, err
	}
	p.domains, err = records.Look(ctx, records.Lookup{Names: names, Resolver: p.opts.Resolver, Scope: allowed, Family: p.opts.Family, Zones: p.opts.Zones, Log: p.opts.log})
	if err != nil {
		return b, err
	}
	if b.Targets = append(b.Targets, p.domains.Targets()...); len(b.Targets) == 0 {
		// No targets at all would mean the whole scope.
		b.Targets = []scope.Target{{Anchor: result.Anchor{Text: names[0]}}}
	}
	return b, nil
}

// readExcludes adds the excludes.
func (p *Plan) readExcludes(ctx context.Context, parser *scope.Parser, b scope.Bounds) (scope.Bounds, error) {
	for _, list := range p.opts.Excludes {
		more, err := parser.Excludes(ctx, list)
		if err != nil {
			return b, fmt.Errorf("reading --exclude %q: %w", list, err)
		}
		b.Excluded = append(b.Excluded, more...)
	}
	for _, file := range p.opts.ExcludeFiles {
		more, err := parser.ExcludeFile(ctx, file)
		if err != nil {
			return b, err
		}
		b.Excluded = append(b.Excluded, more...)
	}
	return b, nil
}

// targetName returns the name of a target in messages: as written, and where.
func targetName(t scope.Target) string {
	if t.Anchor.File != "" {
		return fmt.Sprintf("%s:%d: %s", t.Anchor.File, t.Anchor.Line, t.Anchor.Text)
	}
	return t.Anchor.Text
}
