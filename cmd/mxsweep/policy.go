package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/signatures"
)

// readPolicy reads the policy file: the one that --policy names, else
// mxsweep.yaml if there is one. It is nil if there is none.
func (f *scanFlags) readPolicy(rules *exposure.RuleSet, known *signatures.Ports) (*policy.Policy, error) {
	file := f.policyFile()
	if file == "" {
		return nil, nil
	}
	data, err := userfile.ReadLimited(file, policy.MaxSize)
	if err != nil {
		return nil, usagef("--policy names a file like mxsweep.yaml", "reading policy %q: %w", file, fault.WithoutPath(err))
	}
	defer memory.BoundPolicy()()
	policy, err := policy.Load(file, data, policy.Context{Rules: rules, Profiles: known.ProfilePorts()})
	return policy, fault.As(fault.Usage, err)
}

// policyFile is the name of the policy file, "" if there is none.
func (f *scanFlags) policyFile() string {
	if f.policy == "" && !f.withoutPolicy && outfile.Exists(policy.DefaultFile) {
		return policy.DefaultFile
	}
	return f.policy
}

// adopt takes from the policy what no flag says: flags win over the file.
func (f *scanFlags) adopt(policy *policy.Policy, flags *pflag.FlagSet) error {
	if policy == nil {
		return nil
	}
	if policy.Ports != "" && !flags.Changed("ports") {
		f.ports = []string{policy.Ports}
	}
	if policy.Gate.FailOn != "" && !flags.Changed("fail-on") {
		f.failOn = policy.Gate.FailOn
	}
	if policy.Gate.MinCoverage != nil && !flags.Changed("min-coverage") {
		f.minCoverage = *policy.Gate.MinCoverage
	}
	if text := policy.Authorization.String(); text != "" && !flags.Changed("authorization") {
		f.authorization = text
	}
	limits := policy.Limits
	adopt(flags, "rate", &f.rate, uint(limits.Rate))
	adopt(flags, "concurrency", &f.concurrency, uint(limits.Concurrency))
	adopt(flags, "per-host", &f.perHost, uint(limits.PerHost))
	adopt(flags, "timeout", &f.timeout, limits.Timeout)
	if limits.Retries != nil && !flags.Changed("retries") {
		f.retries = uint(*limits.Retries)
	}
	// A flag that looks at another day must not open a window that is shut.
	for _, moment := range []time.Time{time.Now(), f.time()} {
		if err := policy.Authorization.Check(moment); err != nil {
			return fault.As(fault.Refused, err)
		}
	}
	return nil
}

// adopt sets a flag that was not given to what the policy says, if it does.
func adopt[T uint | time.Duration](flags *pflag.FlagSet, name string, to *T, value T) {
	if value != 0 && !flags.Changed(name) {
		*to = value
	}
}

// policyScope reads what the policy allows to be contacted. Its files are found
// relative to the policy.
func (p *plan) policyScope(ctx context.Context, parser *scope.Parser) (allowed, excluded []scope.Target, err error) {
	scope := p.policy.Scope
	allowed, excluded, err = parser.ScopeLines(ctx, scope.Lines.All, scope.Lines.Len())
	if err != nil {
		return nil, nil, err
	}
	p.scopeFiles = append(p.scopeFiles, p.policy.File)
	for _, f := range scope.Files {
		name := f.Text
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(p.policy.File), name)
		}
		more, less, err := parser.ScopeFile(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		allowed, excluded = append(allowed, more...), append(excluded, less...)
		p.scopeFiles = append(p.scopeFiles, name)
	}
	return allowed, excluded, nil
}
