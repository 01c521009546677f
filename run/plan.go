package run

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/run/saved"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/signatures"
)

// A Plan is a run that was read and checked and may begin: nothing in it can
// fail for a mistake of the user any more.
type Plan struct {
	opts  settings
	begun time.Time

	ports              []uint16
	ranged             []uint16 // of those, the ones that are part of a range or profile
	scopeFiles         []string
	lists              []string       // all files that targets, scope and excludes were read from
	asked              []scope.Target // what is swept, as it was written
	outOfScopeCanaries []scope.Target // canaries that nothing allows to be contacted
	excluded           []scope.Target
	long               bool // some list is a long one
	scope              *scope.Set
	scopeSHA256        string
	space              *scope.Space // what the run asks
	wholeSpace         *scope.Space // that of all shards
	emptyShard         bool         // space is a shard to which no host falls
	canaries           canarySet
	seed               uint64
	resumed            *resumption  // nil without --resume
	hosts              *hosts.Clock // of --host-timeout; nil for no bound
	limit              *hosts.Slots // of the connections to each address; set by newSweep
	pace               *pace        // of the connections of dialogues; set by newSweep

	known    *signatures.Ports
	set      *signatures.Set   // nil: states only
	policy   *policy.Policy    // nil if there is none
	baseline *drift.Baseline   // nil if there is none
	drift    *drift.Comparison // with the baseline; nil if there is none
	judge    *exposure.Judge
	own      []netip.Addr // this machine's own addresses
	gate     gate.Criteria
	tree     report.Tree
}

// NewPlan reads everything that the options name, and sends nothing. Its errors are
// the user's: they are all found before the first packet, and told together,
// because of several mistakes the most severe decides the exit code.
func NewPlan(ctx context.Context, opts Options) (*Plan, error) {
	p := &Plan{begun: time.Now(), hosts: hosts.NewClock(opts.HostTimeout), tree: report.WorkTree()}
	defer memory.BoundReading()()
	if opts.Seed != nil {
		p.seed = *opts.Seed
	} else {
		p.seed = randomSeed()
	}
	known, rules, err := LoadKnowledge()
	if err != nil {
		return nil, err
	}
	p.known = known
	errs := []error{opts.Mistakes}
	note := func(err error) { errs = append(errs, err) }
	if opts.Mistakes == nil { // which would only be told twice
		note(opts.check())
	}
	uses := opts.checkFiles(slices.Concat(opts.TargetFiles, []string{opts.Scope}, opts.ExcludeFiles))
	note(uses)
	if p.policy, err = ReadPolicy(opts.policyFile(), rules, known); err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	p.opts = opts.resolve(p.policy)
	if err := p.authorized(); err != nil {
		return nil, errors.Join(append(errs, err)...) // nothing is looked up without leave
	}
	p.ports, p.ranged, err = readPorts(p.opts.Ports, known)
	note(err)
	if !opts.NoIdentify {
		p.set, err = LoadSignatures(opts.Signatures)
		note(err)
	}
	_, err = p.opts.referencePorts()
	note(err)
	note(p.readJudgement(rules, known))
	if errors.Join(errs...) == nil || !slices.Contains(opts.TargetFiles, "-") {
		// Nobody need write a list for a run that will not be.
		note(p.readScope(ctx))
	}
	if uses == nil {
		note(opts.checkFiles(p.lists)) // includes and all
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, p.readBaseline()
}

// authorized refuses a run outside of the time that the policy authorizes.
func (p *Plan) authorized() error {
	if p.policy == nil {
		return nil
	}
	// A run that looks at another day must not open a window that is shut.
	for _, moment := range []time.Time{time.Now(), p.opts.now()} {
		if err := p.policy.Authorization.Check(moment); err != nil {
			return fault.As(fault.Refused, err)
		}
	}
	return nil
}

// LoadKnowledge is what is built in of ports and rules. It reads both side by
// side: on most machines that is half of what a run of few ports takes to begin.
func LoadKnowledge() (known *signatures.Ports, rules *exposure.RuleSet, _ error) {
	var portsErr, rulesErr error
	var reading sync.WaitGroup
	reading.Go(func() { known, portsErr = signatures.LoadPorts(signatures.FS()) })
	rules, rulesErr = exposure.Builtin()
	reading.Wait()
	if err := cmp.Or(portsErr, rulesErr); err != nil {
		return nil, nil, err
	}
	return known, rules, nil
}

// readBaseline prepares the comparison with earlier findings.
func (p *Plan) readBaseline() error {
	p.scopeSHA256 = p.scope.SHA256(p.wholeSpace)
	if p.opts.Baseline == "" {
		return nil
	}
	var err error
	if p.baseline, _, err = saved.ReadBaseline(p.opts.Baseline, p.judge.Rules); err != nil {
		return err
	}
	p.drift = drift.Compare(p.baseline, drift.Conditions{
		Vantage:     p.vantage(),
		VantageOf:   p.judge.VantageOf,
		ScopeSHA256: p.scopeSHA256,
		Ports:       p.sweptPorts(),
		Intrusive:   p.opts.Intrusive,
		Identity:    p.policy.HostIdentity(),
		AddressesOf: p.addressesOf,
	}, p.judge.Rules)
	return nil
}

// Baseline is what the findings of the run are compared with, nil for nothing.
func (p *Plan) Baseline() *drift.Baseline { return p.baseline }

// Rules are those that the run is judged by.
func (p *Plan) Rules() *exposure.RuleSet { return p.judge.Rules }

// addressesOf are the addresses of a name that the run sweeps.
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

// readPorts is the set of ports that --ports asks for, and those of them that
// are part of a range or profile.
func readPorts(specs []string, known *signatures.Ports) (all, ranged []uint16, err error) {
	spec := strings.Join(specs, ",")
	all, err = scope.ParsePorts(spec, known.ProfilePorts())
	if err != nil {
		return nil, nil, fault.As(fault.Usage, fmt.Errorf("reading --ports %q: %w", spec, err))
	}
	return all, scope.RangedPorts(spec, known.ProfilePorts()), nil
}

// readJudgement makes the judge and the gate.
func (p *Plan) readJudgement(rules *exposure.RuleSet, known *signatures.Ports) error {
	failOn, err1 := policy.ParseFailOn(p.opts.FailOn, rules)
	vantage, err2 := exposure.ParseVantage(p.opts.Vantage, p.policy.NamedVantages())
	if err := errors.Join(fault.As(fault.Usage, err1), fault.As(fault.Usage, err2)); err != nil {
		return err
	}
	if err := CheckGate(failOn, !p.opts.NoIdentify, p.opts.Baseline != ""); err != nil {
		return err
	}
	p.gate = gate.Criteria{FailOn: failOn, MinCoverage: p.opts.minCoverage, MinHosts: p.opts.MinHosts, SoftFail: p.opts.SoftFail}
	if p.policy != nil {
		p.gate.MinConfidence = p.policy.Gate.MinConfidence
	}
	profiles := known.ProfilePorts()
	p.judge = &exposure.Judge{
		Rules:     rules,
		Policy:    p.policy,
		Identity:  p.policy.HostIdentity(),
		Vantage:   vantage,
		Knowledge: exposure.NewPortSets(profiles["internal"], profiles["public"]),
		Intrusive: p.opts.Intrusive,
		Now:       p.opts.Now,
	}
	if p.opts.Vantage == "" {
		p.judge.VantageOf = func(a netip.Addr) exposure.Vantage {
			if a.IsLoopback() {
				return exposure.Vantage{Class: exposure.ClassHost}
			}
			return vantage
		}
	}
	p.own = ownAddresses()
	return nil
}

// readScope reads targets, scope and excludes, and refuses what may not be
// swept.
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
		errs = append(errs, fault.Refusef("compare the list of targets with the scope file", "%d more targets are outside the scope", n))
	}
	if bounds.Allowed == nil {
		errs = append(errs, fault.As(fault.Refused, p.scope.CheckWidth()))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := p.checkLines(); err != nil {
		return err
	}
	if p.ports == nil {
		return nil // a mistake in them is told already
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

// outside refuses a target, and says where a canary comes from.
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
	return fault.Refusef("add it to the scope file only if you are authorized to scan it", "%s is outside the scope", name)
}

// readBounds reads every list of addresses.
func (p *Plan) readBounds(ctx context.Context, parser *scope.Parser) (scope.Bounds, error) {
	var b scope.Bounds
	policyScope := p.policy != nil && (len(p.policy.Scope.Files) > 0 || p.policy.Scope.Lines.Len() > 0)
	if len(p.opts.Targets) == 0 && len(p.opts.TargetFiles) == 0 && p.opts.Scope == "" && !policyScope {
		return b, fault.Usagef("give targets, or files with --input or --scope", "no targets given")
	}
	targets, err := parser.Targets(ctx, p.opts.Targets)
	if err != nil {
		return b, err
	}
	b.Targets = targets
	for _, file := range p.opts.TargetFiles {
		more, err := parser.TargetFile(ctx, file)
		if err != nil {
			return b, &ListError{Flag: "-i", File: file, Err: err}
		}
		if len(b.Targets) == 0 {
			b.Targets = more // a long list is not copied
		} else {
			b.Targets = append(b.Targets, more...)
		}
		p.scopeFiles = append(p.scopeFiles, file)
	}
	switch {
	case p.opts.Scope != "":
		b.Allowed, b.Excluded, err = parser.ScopeFile(ctx, p.opts.Scope)
		if err != nil {
			err = &ListError{Flag: "-s", File: p.opts.Scope, Err: err}
		}
		p.scopeFiles = append(p.scopeFiles, p.opts.Scope)
	case policyScope:
		b.Allowed, b.Excluded, err = p.policyScope(ctx, parser)
	}
	if err != nil {
		return b, err
	}
	if b.Allowed == nil && (p.opts.Scope != "" || policyScope) {
		b.Allowed = []scope.Target{} // a scope that allows nothing
	}
	return p.readExcludes(ctx, parser, b)
}

// readExcludes adds what must never be contacted.
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

// A ListError is a file of targets, or the scope file, that cannot be read.
type ListError struct {
	Flag string // the short flag that names it: -i or -s
	File string // as it was named
	Err  error  // which names the file
}

// Error implements error.
func (e *ListError) Error() string { return e.Err.Error() }

// Unwrap returns why it cannot be read.
func (e *ListError) Unwrap() error { return e.Err }

// targetName is how messages call a target: as the user wrote it, and where.
func targetName(t scope.Target) string {
	if t.Anchor.File != "" {
		return fmt.Sprintf("%s:%d: %s", t.Anchor.File, t.Anchor.Line, t.Anchor.Text)
	}
	return t.Anchor.Text
}

// randomSeed is a seed that nobody can foresee: the order of a sweep must not
// tell its next step.
func randomSeed() uint64 {
	var b [8]byte
	// crypto/rand.Read never returns an error.
	_, _ = rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}
