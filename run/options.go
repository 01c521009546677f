package run

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/run/internal/engine"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// Options say what a run sweeps, how it does that, and what becomes of what it
// finds. Each field is the flag of "mxsweep scan" of that name; its zero value is
// what the command does without the flag, which is what the policy says or else
// the default. Errors about options name those flags.
type Options struct {
	// Targets are addresses, prefixes, ranges and host names. Without a target
	// or a file of them, all of the scope is swept.
	Targets []string

	// TargetFiles hold targets, one a line. "-" is Stdin.
	TargetFiles []string
	Stdin       io.Reader

	// Scope is the file that lists what may be contacted. Without it, or a scope
	// in the policy, the targets are the scope.
	Scope string

	// Excludes are lists, with commas, of what must never be contacted;
	// ExcludeFiles are files of them.
	Excludes     []string
	ExcludeFiles []string

	// Ports are the ports to ask, as numbers, ranges and profiles (default
	// internal).
	Ports []string

	// Family restricts which addresses are looked up and contacted, and Resolver
	// is the DNS server that names are looked up at, HOST:PORT (default the
	// system's).
	Family   scope.Family
	Resolver string

	// Authorization is written into the report: a ticket or contract.
	Authorization string

	// Mode is how to ask: one of the words below (default connect).
	Mode string

	// Rate is how many probes leave a second, all hosts together (default
	// DefaultRate). A negative one is as fast as accuracy allows.
	Rate int

	// Threads is from how many processors single SYNs are sent (default 1), and
	// Interface the network interface that they leave by (default the one that
	// the routing table says).
	Threads   int
	Interface string

	// Pcap is the file that single SYNs and their answers are captured to.
	Pcap string

	// Concurrency is how many probes await an answer at once (default from the
	// file limit), and PerHost how many connections one host has at once (default
	// DefaultPerHost).
	Concurrency, PerHost int

	// Timeout is how long an answer is awaited at most (default DefaultTimeout),
	// and Retries how often a probe without an answer is tried again (default
	// DefaultRetries); a negative number is never.
	Timeout time.Duration
	Retries int

	// Shard is the part of the sweep that this run is. The zero Shard is all of it.
	Shard Shard

	// Seed fixes the order of the sweep; nil draws one.
	Seed *uint64

	// Resume is the file that progress is saved to, and taken from.
	Resume string

	// MaxTime is how long the run may take, and HostTimeout how long one host may;
	// 0 is no bound.
	MaxTime, HostTimeout time.Duration

	// NoIdentify looks at the states of ports alone: FailOn must be "none" then.
	NoIdentify bool

	// Signatures are directories of signature files beside the built-in ones.
	Signatures []string

	// Intrusive also sends the probes that may leave a trace at the target.
	Intrusive bool

	// GreetingTimeout is how long a port that replied to nothing is listened to
	// (default fingerprint.DefaultGreetingTimeout).
	GreetingTimeout time.Duration

	// Policy is the policy file. Without one, mxsweep.yaml of the working directory
	// is taken if it is there and NoPolicy is not set.
	Policy   string
	NoPolicy bool

	// Vantage is where the scanner stands: internet, lan, host or a name of the
	// policy (default internet, and host for loopback).
	Vantage string

	// Baseline is a file of earlier findings that those of the run are compared
	// with.
	Baseline string

	// FailOn says which findings fail the run (default DefaultFailOn); "none" is
	// none of them. SoftFail lets a run that fails exit with 0.
	FailOn   string
	SoftFail bool

	// MinCoverage is the least fraction of the ports that must have given a
	// conclusive result (default DefaultMinCoverage); a negative one is none.
	// MinHosts is the least number of hosts that must be up.
	MinCoverage float64
	MinHosts    uint64

	// Canaries are ports, HOST:PORT, that must answer. ReferencePorts are asked of
	// single targets that are silent (default DefaultReferencePorts), "none" for
	// none. AllowVacant accepts a prefix or range without any host that is up.
	Canaries       []string
	ReferencePorts string
	AllowVacant    bool

	// Now is the moment by which accepted risks are judged (default the present).
	Now time.Time

	// Outputs are the reports; Private leaves their files to their owner alone.
	// Without an output the run is judged all the same.
	Outputs []output.Spec
	Private bool

	// AllPorts reports every port and not only the open ones.
	AllPorts bool

	// AuditLog is the file that an entry for the run is appended to.
	AuditLog string

	// Version is that of the program, and Command its command line without the
	// program's name, for reports and the audit log; secrets in it are left out.
	Version string
	Command []string

	// Watch is called when the sweep begins, with a function that tells how far it
	// is. What it returns is called when the sweep has ended. It may be nil.
	Watch func(progress func() Progress) (ended func())

	// Log takes what a user who waits should know at once, a line each. It may be
	// nil.
	Log func(text string)

	// Mistakes are errors that the caller has found in what the options were made
	// of, if any: they are told together with those that the run finds, and no
	// packet leaves.
	Mistakes error
}

// The words of Options.Mode.
const (
	ModeConnect = engine.ModeConnect // full connections
	ModeSyn     = engine.ModeSyn     // single SYN segments: Linux, CAP_NET_RAW
	ModeAuto    = engine.ModeAuto    // one of both; the report says which and why
)

// What options are that are not given, and that no policy gives.
const (
	DefaultRate           = 1000
	DefaultPerHost        = 8
	DefaultTimeout        = 3 * time.Second
	DefaultRetries        = 2
	DefaultFailOn         = policy.DefaultFailOn
	DefaultMinCoverage    = gate.DefaultMinCoverage
	DefaultReferencePorts = "22,25,443,587,993" // of which a mail host most likely answers one
)

// MaxGreetingTimeout is the bound of that option: it leaves enough of the time of a
// conversation for the rest of it. Those of others are in package scan.
const MaxGreetingTimeout = 20 * time.Second

// A Shard is one of several disjoint parts of a sweep. The zero Shard is the
// whole, 1/1.
type Shard struct{ Index, Count int }

// String is the shard as reports and the command have it: I/N.
func (s Shard) String() string {
	if s.Count == 0 {
		return "1/1"
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// part is "I/N" for a part of a sweep, "" for the whole.
func (s Shard) part() string {
	if s.Count < 2 {
		return ""
	}
	return s.String()
}

// settings are options with what policy and defaults say where they say nothing.
// The numbers of the same names have no other meaning than themselves.
type settings struct {
	Options
	rate        uint // 0 is as fast as accuracy allows
	threads     uint
	concurrency uint // 0 is what the file limit allows
	perHost     uint
	retries     uint
}

// resolve takes what the options do not say from the policy, which may be nil, or
// else the default.
func (o Options) resolve(file *policy.Policy) settings {
	var p policy.Policy
	if file != nil {
		p = *file
	}
	s := settings{Options: o}
	if p.Ports != "" && len(o.Ports) == 0 {
		s.Ports = []string{p.Ports}
	}
	if len(s.Ports) == 0 {
		s.Ports = []string{"internal"}
	}
	s.Mode = cmp.Or(o.Mode, ModeConnect)
	s.Authorization = cmp.Or(o.Authorization, p.Authorization.String())
	s.Timeout = cmp.Or(o.Timeout, p.Limits.Timeout, DefaultTimeout)
	s.GreetingTimeout = cmp.Or(o.GreetingTimeout, fingerprint.DefaultGreetingTimeout)
	s.ReferencePorts = cmp.Or(o.ReferencePorts, DefaultReferencePorts)
	s.rate = uint(max(cmp.Or(o.Rate, int(p.Limits.Rate), DefaultRate), 0))
	s.threads = uint(cmp.Or(o.Threads, 1))
	s.concurrency = uint(cmp.Or(o.Concurrency, int(p.Limits.Concurrency)))
	s.perHost = uint(cmp.Or(o.PerHost, int(p.Limits.PerHost), DefaultPerHost))
	switch {
	case o.Retries != 0:
		s.retries = uint(max(o.Retries, 0))
	case p.Limits.Retries != nil:
		s.retries = uint(*p.Limits.Retries)
	default:
		s.retries = DefaultRetries
	}
	return s
}

// demands are what the options ask of the gate.
func (o *Options) demands() gate.Demands {
	return gate.Demands{FailOn: o.FailOn, MinCoverage: o.MinCoverage, MinHosts: o.MinHosts, SoftFail: o.SoftFail}
}

// check refuses values that no run can have, all at once.
func (o *Options) check() error {
	var errs []error
	bad := func(bad bool, hint, format string, args ...any) {
		if bad {
			errs = append(errs, fault.Usagef(hint, format, args...))
		}
	}
	for _, n := range []struct {
		flag               string
		value, least, most int // 0 is not given
		hint               string
	}{
		{"rate", o.Rate, -1, scan.MaxRate, fmt.Sprintf("at most %d, or 0 for as fast as accuracy allows", scan.MaxRate)},
		{"concurrency", o.Concurrency, 1, scan.MaxConcurrency, fmt.Sprintf("1 to %d", scan.MaxConcurrency)},
		{"per-host", o.PerHost, 1, scan.MaxPerHost, fmt.Sprintf("1 to %d", scan.MaxPerHost)},
		{"retries", o.Retries, -1, scan.MaxRetries, fmt.Sprintf("0 to %d", scan.MaxRetries)},
		{"threads", o.Threads, 1, syn.MaxThreads, fmt.Sprintf("1 to %d", syn.MaxThreads)},
	} {
		bad(n.value != 0 && (n.value < n.least || n.value > n.most), n.hint, "reading flag %q: %d is out of range", "--"+n.flag, n.value)
	}
	for _, d := range []struct {
		flag        string
		value, most time.Duration
		hint        string
	}{
		{"timeout", o.Timeout, scan.MaxTimeout, "use a duration up to 1h, such as 500ms or 3s"},
		{"greeting-timeout", o.GreetingTimeout, MaxGreetingTimeout, "use a duration up to 20s, such as 12s: a dialogue takes at most 25s"},
		{"max-time", o.MaxTime, math.MaxInt64, "use a duration such as 90s or 2h; omit the flag for no limit"},
		{"host-timeout", o.HostTimeout, math.MaxInt64, "use a duration such as 30s or 5m, or 0 for no limit"},
	} {
		bad(d.value < 0 || d.value > d.most, d.hint, "reading flag %q: %s is out of range", "--"+d.flag, d.value)
	}
	bad(!(o.MinCoverage <= 1), userfile.FractionHint(o.MinCoverage), "reading flag \"--min-coverage\": %v is out of range", o.MinCoverage)
	o.checkModes(bad)
	return errors.Join(errs...)
}

// checkModes refuses options that do not go together, or with the mode.
func (o *Options) checkModes(bad func(bad bool, hint, format string, args ...any)) {
	mode := cmp.Or(o.Mode, ModeConnect)
	modes := []string{ModeConnect, ModeSyn, ModeAuto}
	bad(!slices.Contains(modes, mode), "one of "+strings.Join(modes, ", "), "reading flag \"--mode\": unknown mode %q", mode)
	bad(o.Shard.Count < 0 || o.Shard.Count == 0 && o.Shard.Index != 0 || o.Shard.Count > 0 && (o.Shard.Index < 1 || o.Shard.Index > o.Shard.Count),
		"I/N with 1 ≤ I ≤ N", "reading flag \"--shard\": %s is out of range", o.Shard)
	bad(o.Threads > 1 && mode != ModeSyn && mode != ModeAuto, "add --mode syn", "combining --threads with --mode %s: only a SYN scan sends with several threads", mode)
	bad(o.Pcap == "-", "give a file; on Linux, /dev/stdout works", "reading flag \"--pcap\": a capture cannot go to standard output")
	bad(o.Pcap != "" && mode != ModeSyn, "add --mode syn", "combining --pcap with --mode %s: only a SYN scan is captured", mode)
	bad(o.Interface != "" && mode != ModeSyn, "add --mode syn", "combining --interface with --mode %s: the kernel chooses the interface of full connections", mode)
	bad(o.NoIdentify && (o.Intrusive || len(o.Signatures) > 0), "use only one of them", "combining --no-identify with --intrusive or --signatures: no service would be identified")
}

// now is the moment by which expiries are judged.
func (o *Options) now() time.Time {
	if o.Now.IsZero() {
		return time.Now()
	}
	return o.Now
}

// referencePorts are the ports of that option, nil for none.
func (s *settings) referencePorts() ([]uint16, error) {
	if s.ReferencePorts == "none" {
		return nil, nil
	}
	ports, err := scope.ParsePorts(s.ReferencePorts, nil)
	if err == nil && len(ports) > maxReferencePorts {
		err = fmt.Errorf("%d ports, more than %d", len(ports), maxReferencePorts)
	}
	if err != nil {
		return nil, fault.Usagef("give a few ports, such as "+DefaultReferencePorts+", or none", "reading flag \"--reference-ports\": %w", err)
	}
	return ports, nil
}

// maxReferencePorts is more than show whether a host is up.
const maxReferencePorts = 32

// log hands a line to Log.
func (o *Options) log(format string, args ...any) {
	if o.Log != nil {
		o.Log(fmt.Sprintf(format, args...))
	}
}

// atMost is a limit that the user set. What is beyond any machine is no limit.
func atMost(n uint) int { return int(min(n, 1<<30)) }

// CheckGate refuses a gate that cannot fail, whatever is found, of a run that
// identifies services or not, and compares them with a baseline or not.
func CheckGate(c gate.Criteria, identified, compared bool) error {
	failOn, at := c.FailOn, c.FailOnAt
	var errs []error
	if !identified && !failOn.None() {
		errs = append(errs, fault.As(fault.Usage, at.Mistake("add --fail-on none to report port states only, or omit --no-identify",
			"combining --no-identify with %s: services that are not identified have no findings", gateName(failOn, at))))
	}
	if drifts := failOn.Drifts(); len(drifts) > 0 && !compared {
		errs = append(errs, fault.As(fault.Usage, at.Mistake("add --baseline FILE; for a first run without one, use --fail-on any:high or none",
			"reading %s: %s needs a baseline to compare with", gateName(failOn, at), strings.Join(drifts, ", "))))
	}
	return errors.Join(errs...)
}

// gateName is how messages call the list that says what fails a run.
func gateName(failOn policy.FailOn, at *userfile.Mark) string {
	if at != nil {
		return fmt.Sprintf("fail_on %q", failOn)
	}
	return fmt.Sprintf("--fail-on %q", failOn)
}
