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

// Options specify what a run sweeps, how, and where the results go. Each field
// corresponds to the flag of "mxsweep scan" with that name; its zero value means
// the value of the policy, or else the default. Errors about options name the
// flags.
type Options struct {
	// Targets are addresses, prefixes, ranges and host names. Without any targets
	// or TargetFiles, the whole scope is swept.
	Targets []string

	// TargetFiles are files with targets, one per line. "-" is Stdin.
	TargetFiles []string
	Stdin       io.Reader

	// Domains are mail domains: the hosts on which their mail depends are targets as
	// far as they are in the scope, and their records are judged together with what
	// the scan shows.
	Domains []string

	// Zones are zone files of the domains, [ORIGIN=]FILE: they answer what they have in
	// place of the DNS, and their lines are the places of findings about records.
	Zones []string

	// Scope is the file with the addresses that may be contacted. If it is empty
	// and the policy has no scope, the targets are the scope.
	Scope string

	// Excludes are comma-separated lists of what must never be contacted;
	// ExcludeFiles are files of them.
	Excludes     []string
	ExcludeFiles []string

	// Ports are the ports to probe, as numbers, ranges and profiles (default
	// internal).
	Ports []string

	// Family restricts which addresses are looked up and contacted, and Resolver
	// is the DNS server for host names, HOST:PORT (default the system's).
	Family   scope.Family
	Resolver string

	// Authorization is a ticket or contract for the report.
	Authorization string

	// Mode is the scan mode: one of the constants below (default connect).
	Mode string

	// Rate is the maximum number of probes per second to all hosts together
	// (default DefaultRate). If negative, as fast as accuracy allows.
	Rate int

	// Threads is the number of threads that send SYNs (default 1), and Interface
	// the network interface for them (default the one in the routing table).
	Threads   int
	Interface string

	// Pcap is the file to which SYNs and their answers are captured.
	Pcap string

	// Concurrency is the maximum number of pending probes (default from the limit
	// on open files), and PerHost the maximum number of connections to one host
	// (default DefaultPerHost).
	Concurrency, PerHost int

	// Timeout is the maximum wait for an answer (default DefaultTimeout), and
	// Retries how often a probe without an answer is repeated (default
	// DefaultRetries); negative means never.
	Timeout time.Duration
	Retries int

	// Shard is the part of the sweep that this run does. The zero Shard is the
	// whole sweep.
	Shard Shard

	// Seed determines the order of the sweep; nil means a random one.
	Seed *uint64

	// Resume is the file in which progress is saved, and from which an earlier
	// run is resumed.
	Resume string

	// MaxTime limits the duration of the run, and HostTimeout the time for one
	// host; 0 means no limit.
	MaxTime, HostTimeout time.Duration

	// NoIdentify determines only the states of ports: FailOn must be "none" then.
	NoIdentify bool

	// Signatures are directories with signature files, in addition to the
	// built-in ones.
	Signatures []string

	// Intrusive also sends probes that may leave a trace at the target.
	Intrusive bool

	// GreetingTimeout is how long to wait for a greeting of a port that has not
	// replied (default fingerprint.DefaultGreetingTimeout).
	GreetingTimeout time.Duration

	// Policy is the policy file. If it is empty and NoPolicy is not set,
	// mxsweep.yaml in the working directory is used if it exists.
	Policy   string
	NoPolicy bool

	// Vantage is the vantage point: internet, lan, host or a name defined in the
	// policy (default internet, and host for loopback).
	Vantage string

	// Configs are the configuration files of the hosts, and folders of them: PATH if only one
	// host is up, else HOST=PATH, with the name or the address of the host.
	Configs []string

	// Baseline is a file with earlier findings to compare with.
	Baseline string

	// FailOn selects the findings that fail the run (default DefaultFailOn);
	// "none" means none of them. With SoftFail a run that fails has exit code 0.
	FailOn   string
	SoftFail bool

	// MinCoverage is the minimum fraction of ports with a conclusive result
	// (default DefaultMinCoverage); negative means none. MinHosts is the minimum
	// number of hosts that are up.
	MinCoverage float64
	MinHosts    uint64

	// Canaries are ports, HOST:PORT, that must answer. ReferencePorts are probed
	// on named targets that are silent (default DefaultReferencePorts), "none"
	// for none. AllowVacant accepts prefixes and ranges without any host that is
	// up.
	Canaries       []string
	ReferencePorts string
	AllowVacant    bool

	// Now is the time at which accepted risks must be valid (default the
	// present).
	Now time.Time

	// Outputs are the reports; Private makes their files accessible only to their
	// owner. Without outputs the run is judged all the same.
	Outputs []output.Spec
	Private bool

	// AllPorts reports all ports, not only open ones.
	AllPorts bool

	// AuditLog is the file to which entries for the run are appended.
	AuditLog string

	// Version is the version of the program, and Command its command line without
	// the program's name, for reports and the audit log; secrets in it are
	// masked.
	Version string
	Command []string

	// Watch is called when the sweep begins, with a function that returns the
	// progress. The function that it returns is called when the sweep has ended.
	// It may be nil.
	Watch func(progress func() Progress) (ended func())

	// Log receives messages for a waiting user, one line each. It may be nil.
	Log func(text string)

	// Mistakes are errors that the caller found in the input for the options, if
	// any: they are reported together with those that the run finds, and no
	// packet is sent.
	Mistakes error
}

// The values of Options.Mode.
const (
	ModeConnect = engine.ModeConnect // full connections
	ModeSyn     = engine.ModeSyn     // single SYN segments: Linux, CAP_NET_RAW
	ModeAuto    = engine.ModeAuto    // one of the two; the report says which and why
)

// The defaults of options that neither the caller nor the policy sets.
const (
	DefaultRate           = 1000
	DefaultPerHost        = 8
	DefaultTimeout        = 3 * time.Second
	DefaultRetries        = 2
	DefaultFailOn         = policy.DefaultFailOn
	DefaultMinCoverage    = gate.DefaultMinCoverage
	DefaultReferencePorts = "22,25,443,587,993" // of which a mail host most likely answers one
)

// MaxGreetingTimeout is the maximum of GreetingTimeout: the rest of the dialogue
// needs time too. The limits of other options are in package scan.
const MaxGreetingTimeout = 20 * time.Second

// A Shard is one of several disjoint parts of a sweep. The zero Shard is the
// whole sweep, 1/1.
type Shard struct{ Index, Count int }

// String returns I/N, as in reports and on the command line.
func (s Shard) String() string {
	if s.Count == 0 {
		return "1/1"
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// part returns "I/N" for a part of a sweep, "" for the whole.
func (s Shard) part() string {
	if s.Count < 2 {
		return ""
	}
	return s.String()
}

// settings are options with the values of the policy and the defaults filled in.
// Zero has no special meaning in its numbers, except as noted.
type settings struct {
	Options
	rate        uint // 0 means as fast as accuracy allows
	threads     uint
	concurrency uint // 0 means what the limit on open files allows
	perHost     uint
	retries     uint
}

// resolve fills in options that are not set from the policy, which may be nil, or
// else with the default.
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

// demands returns the gate options.
func (o *Options) demands() gate.Demands {
	return gate.Demands{FailOn: o.FailOn, MinCoverage: o.MinCoverage, MinHosts: o.MinHosts, SoftFail: o.SoftFail}
}

// check returns all errors in the values of options.
func (o *Options) check() error {
	var errs []error
	bad := func(bad bool, hint, format string, args ...any) {
		if bad {
			errs = append(errs, fault.Usagef(hint, format, args...))
		}
	}
	for _, n := range []struct {
		flag               string
		value, least, most int // 0 means not set
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

// checkModes checks that options are compatible with each other and with the
// mode.
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
	bad(len(o.Zones) > 0 && len(o.Domains) == 0, "add --domain NAME", "combining --zone without --domain: no record is looked up")
	bad(o.NoIdentify && (o.Intrusive || len(o.Signatures) > 0), "use only one of them", "combining --no-identify with --intrusive or --signatures: no service would be identified")
}

// now returns the time at which acceptances must be valid.
func (o *Options) now() time.Time {
	if o.Now.IsZero() {
		return time.Now()
	}
	return o.Now
}

// referencePorts returns the parsed reference ports, nil for none.
func (s *settings) referencePorts() ([]uint16, error) {
	if s.ReferencePorts == "none" {
		return nil, nil
	}
	ports, err := scope.ParsePorts(s.ReferencePorts, nil)
	if len(ports) > maxReferencePorts {
		return nil, fault.Usagef("give a few ports, such as "+DefaultReferencePorts+", or none", "reading flag \"--reference-ports\": %d ports, more than %d", len(ports), maxReferencePorts)
	}
	var errs []error
	for _, one := range fault.Parts(err) {
		errs = append(errs, fault.As(fault.Usage, fmt.Errorf("reading flag \"--reference-ports\": %w", one)))
	}
	return ports, errors.Join(errs...)
}

// maxReferencePorts is the maximum number of reference ports: more are not needed
// to see whether a host is up.
const maxReferencePorts = 32

// log passes a line to Log.
func (o *Options) log(format string, args ...any) {
	if o.Log != nil {
		o.Log(fmt.Sprintf(format, args...))
	}
}

// atMost converts a limit set by the user. Values that no machine can reach are
// reduced.
func atMost(n uint) int { return int(min(n, 1<<30)) }

// CheckGate returns an error if the gate of a run could never fail, whether or
// not the run identifies services (identified) or compares with a baseline
// (compared).
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

// gateName returns the name of the fail-on list in messages.
func gateName(failOn policy.FailOn, at *userfile.Mark) string {
	if at != nil {
		return fmt.Sprintf("fail_on %q", failOn)
	}
	return fmt.Sprintf("--fail-on %q", failOn)
}
