package main

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

	"github.com/spf13/pflag"

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

// A plan is a run that was read and checked and may begin: nothing in it can
// fail for a mistake of the user any more.
type plan struct {
	flags *scanFlags
	args  []string // of the process, for the report

	ports       []uint16
	ranged      []uint16 // of those, the ones that are part of a range or profile
	scopeFiles  []string
	lists       []string       // all files that targets, scope and excludes were read from
	asked       []scope.Target // what is swept, as it was written
	outOfScope  []scope.Target // canaries that nothing allows to be contacted
	excluded    []scope.Target
	long        bool // some list is a long one
	scope       *scope.Set
	scopeSHA256 string
	space       *scope.Space // what the run asks
	wholeSpace  *scope.Space // that of all shards
	emptyShard  bool         // space is a shard to which no host falls
	canaries    canarySet
	seed        uint64
	resumed     *resumption  // nil without --resume
	hosts       *hosts.Clock // of --host-timeout; nil for no bound
	limit       *hosts.Slots // of the connections to each address; set by newSweep
	pace        *pace        // of the connections of dialogues; set by newSweep

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

// newPlan reads everything that the flags and arguments name. Its errors are
// the user's: they are all found before the first packet, and told together,
// because of several mistakes the heaviest decides the exit code.
func newPlan(ctx context.Context, s *session, flags *scanFlags, given *pflag.FlagSet, args []string) (*plan, error) {
	p := &plan{flags: flags, args: s.args, seed: flags.seed, hosts: hosts.NewClock(flags.hostTimeout), tree: report.WorkTree()}
	undo := memory.BoundReading()
	defer func() {
		if undo(); p.long {
			memory.BoundRun()
		}
	}()
	if !given.Changed("seed") {
		p.seed = randomSeed()
	}
	known, rules, err := loadKnowledge()
	if err != nil {
		return nil, err
	}
	p.known = known
	specs, outputErr := flags.output.specs(s)
	uses := s.checkFiles(flags, specs, slices.Concat(flags.inputs, []string{flags.scope}, flags.excludeFiles))
	errs := []error{flags.check(given), outputErr, uses}
	note := func(err error) { errs = append(errs, err) }
	if p.policy, err = flags.readPolicy(rules, known); err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	if err := flags.adopt(p.policy, given); err != nil {
		return nil, errors.Join(append(errs, err)...) // nothing is looked up without leave
	}
	p.ports, p.ranged, err = readPorts(flags.ports, known)
	note(err)
	if !flags.noIdentify {
		p.set, err = loadSignatures(flags.signatures)
		note(err)
	}
	note(p.readJudgement(flags, rules, known))
	if errors.Join(errs...) == nil || !slices.Contains(flags.inputs, "-") {
		// Nobody need write a list for a run that will not be.
		note(p.readScope(ctx, s, flags, args))
	}
	if uses == nil {
		note(s.checkFiles(flags, specs, p.lists)) // includes and all
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, p.readBaseline(s, flags.baseline)
}

// loadKnowledge is what is built in of ports and rules. It reads both side by
// side: on most machines that is half of what a run of few ports takes to begin.
func loadKnowledge() (known *signatures.Ports, rules *exposure.RuleSet, _ error) {
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
func (p *plan) readBaseline(s *session, file string) error {
	p.scopeSHA256 = p.scope.SHA256(p.wholeSpace)
	if file == "" {
		return nil
	}
	var err error
	if p.baseline, _, err = saved.ReadBaseline(file, p.judge.Rules); err != nil {
		return err
	}
	if !p.flags.quiet {
		s.tellUnknownRules(file, p.judge.Rules, saved.RulesOfBaseline(p.baseline))
	}
	p.drift = drift.Compare(p.baseline, drift.Conditions{
		Vantage:     p.vantage(),
		VantageOf:   p.judge.VantageOf,
		ScopeSHA256: p.scopeSHA256,
		Ports:       p.sweptPorts(),
		Intrusive:   p.flags.intrusive,
		Identity:    p.policy.HostIdentity(),
		AddressesOf: p.addressesOf,
	}, p.judge.Rules)
	return nil
}

// addressesOf are the addresses of a name that the run sweeps.
func (p *plan) addressesOf(name string) []netip.Addr {
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
	if spec == "" {
		spec = "internal"
	}
	all, err = scope.ParsePorts(spec, known.ProfilePorts())
	if err != nil {
		return nil, nil, fault.As(fault.Usage, fmt.Errorf("reading --ports %q: %w", spec, err))
	}
	return all, scope.RangedPorts(spec, known.ProfilePorts()), nil
}

// readJudgement makes the judge and the gate.
func (p *plan) readJudgement(flags *scanFlags, rules *exposure.RuleSet, known *signatures.Ports) error {
	failOn, err1 := policy.ParseFailOn(flags.failOn, rules)
	vantage, err2 := exposure.ParseVantage(flags.vantage, p.policy.NamedVantages())
	if err := errors.Join(fault.As(fault.Usage, err1), fault.As(fault.Usage, err2)); err != nil {
		return err
	}
	if err := flags.checkGate(failOn); err != nil {
		return err
	}
	p.gate = gate.Criteria{FailOn: failOn, MinCoverage: flags.minCoverage, MinHosts: flags.coverage.minHosts, SoftFail: flags.softFail}
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
		Intrusive: flags.intrusive,
		Now:       flags.now.Time,
	}
	if flags.vantage == "" {
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
func (p *plan) readScope(ctx context.Context, s *session, flags *scanFlags, args []string) error {
	parser := flags.names.parser(s.stdin)
	parser.Opened = func(name string) { p.lists = append(p.lists, name) }
	bounds, err := p.readBounds(ctx, parser, flags, args)
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
	bounds.Family = flags.names.family()
	if p.scope, err = scope.New(bounds); err != nil {
		return fault.As(fault.Usage, err)
	}
	errs := []error{p.readCanaries(ctx, parser, bounds)}
	for _, t := range p.scope.Outside() {
		errs = append(errs, p.outside(t))
	}
	if n := p.scope.MoreOutside(); n > 0 {
		errs = append(errs, refusedf("compare the list of targets with the scope file", "%d further targets are outside the scope", n))
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
	if err := checkZones(p.space, flags.mode.value); err != nil {
		return err
	}
	p.wholeSpace = p.space
	if n := flags.shard.count; n > 1 {
		whole := p.space.Len()
		if p.space, err = p.space.Shard(uint64(flags.shard.index), uint64(n)); err == nil {
			p.emptyShard = whole > 0 && p.space.Len() == 0
		}
	}
	if err != nil {
		return fault.As(fault.Usage, err)
	}
	return flags.checkHostTimes(p.space)
}

// outside refuses a target, and says where a canary comes from.
func (p *plan) outside(t scope.Target) error {
	name := targetName(t)
	if p.policy != nil {
		for i := range p.policy.Canaries {
			if c := &p.policy.Canaries[i]; c.Target() == name && c.Anchor != nil {
				return refusedf("put it into the scope if you are authorized to contact it, or take the canary out",
					"%s:%d: the canary %s is outside the scope", c.Anchor.File, c.Anchor.Line, name)
			}
		}
	}
	return refusedf("add it to the scope file only if you are authorized to scan it", "%s is outside the scope", name)
}

// readBounds reads every list of addresses.
func (p *plan) readBounds(ctx context.Context, parser *scope.Parser, flags *scanFlags, args []string) (scope.Bounds, error) {
	var b scope.Bounds
	policyScope := p.policy != nil && (len(p.policy.Scope.Files) > 0 || p.policy.Scope.Lines.Len() > 0)
	if len(args) == 0 && len(flags.inputs) == 0 && flags.scope == "" && !policyScope {
		return b, usagef("name targets, or files of them with --input or --scope", "no targets given")
	}
	targets, err := parser.Targets(ctx, args)
	if err != nil {
		return b, err
	}
	b.Targets = targets
	for _, file := range flags.inputs {
		more, err := parser.TargetFile(ctx, file)
		if err != nil {
			return b, habitual(err, "-i", file)
		}
		if len(b.Targets) == 0 {
			b.Targets = more // a long list is not copied
		} else {
			b.Targets = append(b.Targets, more...)
		}
		p.scopeFiles = append(p.scopeFiles, file)
	}
	switch {
	case flags.scope != "":
		b.Allowed, b.Excluded, err = parser.ScopeFile(ctx, flags.scope)
		err = habitual(err, "-s", flags.scope)
		p.scopeFiles = append(p.scopeFiles, flags.scope)
	case policyScope:
		b.Allowed, b.Excluded, err = p.policyScope(ctx, parser)
	}
	if err != nil {
		return b, err
	}
	if b.Allowed == nil && (flags.scope != "" || policyScope) {
		b.Allowed = []scope.Target{} // a scope that allows nothing
	}
	return p.readExcludes(ctx, parser, flags, b)
}

// readExcludes adds what must never be contacted.
func (p *plan) readExcludes(ctx context.Context, parser *scope.Parser, flags *scanFlags, b scope.Bounds) (scope.Bounds, error) {
	for _, list := range flags.excludes {
		more, err := parser.Excludes(ctx, list)
		if err != nil {
			return b, fmt.Errorf("reading --exclude %q: %w", list, err)
		}
		b.Excluded = append(b.Excluded, more...)
	}
	for _, file := range flags.excludeFiles {
		more, err := parser.ExcludeFile(ctx, file)
		if err != nil {
			return b, err
		}
		b.Excluded = append(b.Excluded, more...)
	}
	return b, nil
}

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
