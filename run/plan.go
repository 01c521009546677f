package run

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/run/configured"
	"github.com/mxsweep/mxsweep/run/records"
	"github.com/mxsweep/mxsweep/run/saved"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/signatures"
)

// A Plan is a run whose input was read and checked: from here on it cannot fail
// because of a mistake of the user.
type Plan struct {
	opts  settings
	begun time.Time

	ports              []uint16
	ranged             []uint16 // of those, the ones that are part of a range or profile
	scopeFiles         []string
	lists              []string       // all files from which targets, scope and excludes were read
	asked              []scope.Target // what is swept, as written
	outOfScopeCanaries []scope.Target // canaries that are not in scope
	excluded           []scope.Target
	long               bool // some list is long
	scope              *scope.Set
	scopeSHA256        string
	space              *scope.Space // the pairs to probe
	wholeSpace         *scope.Space // the pairs of all shards
	emptyShard         bool         // no pair belongs to this shard
	emptyScope         string       // the file of a scope that allows nothing, "" if there is none
	canaries           canarySet
	seed               uint64
	resumed            *resumption  // nil without --resume
	hosts              *hosts.Clock // for --host-timeout; nil means no limit
	limit              *hosts.Slots // of the connections to each address; set by newSweep
	pace               *pace        // of the connections of dialogues; set by newSweep

	known    *signatures.Ports // set by completeJudge
	set      *signatures.Set   // nil: no identification
	policy   *policy.Policy    // nil if there is none
	baseline *drift.Baseline   // nil if there is none
	drift    *drift.Comparison // with the baseline; nil if there is none
	judge    *exposure.Judge
	own      []netip.Addr      // this machine's addresses
	files    *configured.Files // nil without --config
	domains  *records.Domains  // nil without --domain
	gate     gate.Criteria
	tree     report.Tree
}

// NewPlan reads everything that the options refer to; no packet is sent to a
// target. It finds all errors of the user before the first packet, and returns
// them together; the most severe determines the exit code.
func NewPlan(ctx context.Context, opts Options) (*Plan, error) {
	p := &Plan{begun: time.Now(), hosts: hosts.NewClock(opts.HostTimeout), tree: report.WorkTree()}
	defer memory.BoundReading()()
	if opts.Seed != nil {
		p.seed = *opts.Seed
	} else {
		p.seed = randomSeed()
	}
	opts.preload()
	policyFile := opts.policyFile()
	known, rules, err := opts.planKnowledge(policyFile)
	if err != nil {
		return nil, err
	}
	errs := []error{opts.Mistakes}
	note := func(err error) { errs = append(errs, err) }
	note(opts.check())
	uses := opts.checkFiles(slices.Concat(opts.TargetFiles, []string{opts.Scope}, opts.ExcludeFiles))
	note(uses)
	if p.policy, err = ReadPolicy(policyFile, rules, known); err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	p.opts = opts.resolve(p.policy)
	if err := p.authorized(); err != nil {
		return nil, errors.Join(append(errs, err)...) // no name is looked up without authorization
	}
	p.ports, p.ranged, err = readPorts(p.opts.Ports, known)
	note(err)
	if !opts.NoIdentify {
		p.set, err = LoadSignatures(opts.Signatures)
		note(err)
	}
	_, err = p.opts.referencePorts()
	note(err)
	note(p.readJudgement(rules))
	if errors.Join(errs...) == nil || !slices.Contains(opts.TargetFiles, "-") {
		// A run that will not take place needs no scope.
		note(p.readScope(ctx))
	}
	if uses == nil {
		note(opts.checkFiles(p.lists)) // including included files
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.judge.Policy = p.domains.Policy(p.judge.Policy)
	if err := p.readConfigs(known, rules); err != nil {
		return nil, err
	}
	return p, p.readBaseline()
}

// authorized returns an error if the policy does not authorize a run now.
func (p *Plan) authorized() error {
	if p.policy == nil {
		return nil
	}
	// With --now, both times must be authorized: it must not open a period that
	// is closed.
	for _, moment := range []time.Time{time.Now(), p.opts.now()} {
		if err := p.policy.Authorization.Check(moment); err != nil {
			return fault.As(fault.Refused, err)
		}
	}
	return nil
}

// readBaseline prepares the comparison with the baseline.
func (p *Plan) readBaseline() error {
	p.scopeSHA256 = p.scope.SHA256(p.wholeSpace)
	if p.opts.Baseline == "" {
		return nil
	}
	err := p.completeJudge()
	if err != nil {
		return err
	}
	if p.baseline, _, err = saved.ReadBaseline(p.opts.Baseline, p.judge.Rules); err != nil {
		return err
	}
	now := drift.Conditions{
		Vantage:     p.vantage(),
		VantageOf:   p.judge.VantageOf,
		ScopeSHA256: p.scopeSHA256,
		Ports:       p.sweptPorts(),
		Intrusive:   p.opts.Intrusive,
		Identity:    p.policy.HostIdentity(),
		AddressesOf: p.addressesOf,
		Joined:      p.files.Of,
	}
	if p.domains != nil {
		now.Domains = p.domains.Verify
	}
	p.drift = drift.Compare(p.baseline, now, p.judge.Rules)
	return nil
}

// Baseline returns the baseline of the run, nil if there is none.
func (p *Plan) Baseline() *drift.Baseline { return p.baseline }

// Rules returns the rules of the run.
func (p *Plan) Rules() *exposure.RuleSet { return p.judge.Rules }

// readPorts returns the ports of --ports, and those of them that are part of a
// range or profile. known may be nil if specs names no profile.
func readPorts(specs []string, known *signatures.Ports) (all, ranged []uint16, err error) {
	spec := strings.Join(specs, ",")
	var profiles map[string][]uint16
	if known != nil {
		profiles = known.ProfilePorts()
	}
	all, err = scope.ParsePorts(spec, profiles)
	var errs []error
	for _, one := range fault.Parts(err) {
		errs = append(errs, fault.As(fault.Usage, fmt.Errorf("reading --ports %q: %w", spec, one)))
	}
	if err != nil {
		return nil, nil, errors.Join(errs...)
	}
	return all, scope.RangedPorts(spec, profiles), nil
}

// readJudgement creates the judge, as yet without rules, and the gate.
func (p *Plan) readJudgement(rules *exposure.RuleSet) error {
	criteria, err1 := p.opts.demands().Criteria(p.policy, rules)
	vantage, err2 := exposure.ParseVantage(p.opts.Vantage, p.policy.NamedVantages())
	if err := errors.Join(err1, fault.As(fault.Usage, err2)); err != nil {
		return err
	}
	if err := CheckGate(criteria, !p.opts.NoIdentify, p.opts.Baseline != ""); err != nil {
		return err
	}
	p.gate = criteria
	p.judge = &exposure.Judge{
		Policy:    p.policy,
		Identity:  p.policy.HostIdentity(),
		Vantage:   vantage,
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

// randomSeed returns an unpredictable seed: nobody should be able to predict the
// next probe of a sweep.
func randomSeed() uint64 {
	var b [8]byte
	// crypto/rand.Read never returns an error.
	_, _ = rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}
