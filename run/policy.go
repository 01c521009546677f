package run

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/signatures"
)

// ReadPolicy reads a policy file; for "" it returns nil.
func ReadPolicy(file string, rules *exposure.RuleSet, known *signatures.Ports) (*policy.Policy, error) {
	if file == "" {
		return nil, nil
	}
	data, err := userfile.ReadLimited(file, policy.MaxSize)
	if err != nil {
		return nil, fault.Usagef("name a policy file in YAML, such as mxsweep.yaml; its only required line is version: 1", "reading policy %q: %w", file, fault.WithoutPath(err))
	}
	defer memory.BoundPolicy()()
	policy, err := policy.Load(file, data, policy.Context{Rules: rules, Profiles: known.ProfilePorts()})
	return policy, fault.As(fault.Usage, err)
}

// PolicyFile returns the policy file to read: file or, if that is empty,
// mxsweep.yaml if it exists in the working directory, otherwise "".
func PolicyFile(file string) string {
	if file == "" && outfile.Exists(policy.DefaultFile) {
		return policy.DefaultFile
	}
	return file
}

// policyFile returns the policy file of a run, "" if there is none.
func (o *Options) policyFile() string {
	if o.NoPolicy {
		return o.Policy
	}
	return PolicyFile(o.Policy)
}

// policyScope reads the scope of the policy. The paths of its files are relative
// to the policy. All errors are reported.
func (p *Plan) policyScope(ctx context.Context, parser *scope.Parser) (allowed, excluded []scope.Target, err error) {
	scope := &p.policy.Scope
	allowed, excluded, err = parser.ScopeLines(ctx, scope.Lines.All, scope.Lines.Len())
	errs := []error{err}
	p.scopeFiles = append(p.scopeFiles, p.policy.File)
	for _, f := range scope.Files {
		name := f.Text
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(p.policy.File), name)
		}
		more, less, err := parser.NamedScopeFile(ctx, name, scope.FilePlace(f))
		if ctx.Err() != nil {
			return nil, nil, err
		}
		errs = append(errs, err)
		allowed, excluded = append(allowed, more...), append(excluded, less...)
		p.scopeFiles = append(p.scopeFiles, name)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	return allowed, excluded, nil
}

// CheckPolicy checks the scope of a policy as a run would: lists that cannot be
// read, and canaries outside the scope, are errors. It looks up no names, and
// returns the numbers of entries and of excludes.
func CheckPolicy(ctx context.Context, file *policy.Policy) (allowed, excluded int, err error) {
	p := &Plan{policy: file}
	in, out, err := p.policyScope(ctx, &scope.Parser{Resolver: offlineResolver{}})
	if err != nil {
		return 0, 0, fault.As(fault.Usage, err)
	}
	return entries(in), entries(out), p.checkCanaries(ctx, in, out)
}

// checkCanaries returns an error for canaries outside the policy's scope. Names
// are checked only when a scan looks them up.
func (p *Plan) checkCanaries(ctx context.Context, allowed, excluded []scope.Target) error {
	var names []string
	for i := range p.policy.Canaries {
		if c := &p.policy.Canaries[i]; len(allowed) > 0 {
			if _, err := netip.ParseAddr(c.Selector.Text()); err == nil {
				names = append(names, c.Target())
			}
		}
	}
	canaries, err := (&scope.Parser{Resolver: offlineResolver{}}).Targets(ctx, names)
	if err != nil || len(canaries) == 0 {
		return fault.As(fault.Usage, err)
	}
	scope, err := scope.New(scope.Bounds{Targets: canaries, Allowed: allowed, Excluded: excluded})
	if err != nil {
		return fault.As(fault.Usage, err)
	}
	var errs []error
	outside := scope.Outside()
	for _, t := range outside[:min(len(outside), maxNamed)] {
		errs = append(errs, p.outside(t))
	}
	return errors.Join(errs...)
}

// An offlineResolver returns a documentation address (RFC 5737, Section 3) for
// every name, without a lookup.
type offlineResolver struct{}

// LookupNetIP implements [scope.Resolver].
func (offlineResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 1})}, nil
}

// entries returns the number of entries in a list, including those stored in
// bulk.
func entries(list []scope.Target) int {
	n := len(list)
	for i := range list {
		if list[i].Bulk != nil {
			n += list[i].Bulk.Len() - 1
		}
	}
	return n
}
