package main

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// scanFlags are the flags of "mxsweep scan", as the user gave them.
type scanFlags struct {
	inputs       []string
	domains      []string
	zones        []string
	scope        string
	excludes     []string
	excludeFiles []string
	ports        []string
	names        nameFlags

	mode        *choice
	pcap        string
	rate        uint
	threads     uint
	netDevice   string
	concurrency uint
	perHost     uint
	timeout     time.Duration
	greeting    time.Duration
	retries     uint
	shard       shardFlag
	seed        uint64
	resume      string
	maxTime     time.Duration
	hostTimeout time.Duration

	noIdentify bool
	signatures []string
	intrusive  bool

	vantage       string
	configs       []string
	authorization string

	output        outputFlags
	policy        string
	withoutPolicy bool // not even the one in the working directory
	baseline      string
	auditLog      string
	now           timeFlag

	failOn      string
	minCoverage float64
	coverage    coverageFlags
	softFail    bool
	allPorts    bool
	dryRun      bool
	quiet       bool
	progress    *choice
}

// register adds the flags to those of the command, in the groups of its help.
func (f *scanFlags) register(flags *pflag.FlagSet) {
	inGroup(flags, groupTargets, f.registerTargets)
	inGroup(flags, groupScan, f.registerSweep)
	inGroup(flags, groupIdentification, f.registerIdentification)
	inGroup(flags, groupGate, f.registerGate)
	inGroup(flags, groupOutput, f.registerOutput)
}

func (f *scanFlags) registerTargets(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.inputs, "input", "i", nil, "read targets from `FILE`, one per line, # starts a comment, - is standard input; repeatable")
	flags.StringArrayVar(&f.domains, "domain", nil, "scan the hosts in scope on which the mail of the domain `NAME` depends, and assess its records; ports that these declare are expected; repeatable")
	flags.StringArrayVar(&f.zones, "zone", nil, "with --domain, take from the zone file `[ORIGIN=]FILE` what it has, in place of asking the DNS, and name the line of a record that is to blame; repeatable")
	flags.StringVarP(&f.scope, "scope", "s", "", "scan only what `FILE` lists: prefixes, ranges and names, one per line, !ENTRY excludes, @include FILE includes; without a TARGET all of it is scanned")
	flags.StringArrayVarP(&f.excludes, "exclude", "x", nil, "never contact `LIST`, a comma-separated list of addresses, prefixes, ranges and names; repeatable")
	flags.StringArrayVar(&f.excludeFiles, "exclude-file", nil, "never contact the entries of `FILE`, one per line; repeatable")
	flags.StringArrayVarP(&f.ports, "ports", "p", nil, "scan the ports in `SPEC`, a comma-separated list of numbers, ranges and profiles, !N excludes N; \"mxsweep ports\" lists the profiles (default internal)")
	f.names.register(flags)
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the targets and the number of probes without sending any; exit 4 if nothing is in scope or a name does not resolve")
	flags.StringVar(&f.authorization, "authorization", "", "record `TEXT`, such as a ticket or contract, in the report")
}

func (f *scanFlags) registerSweep(flags *pflag.FlagSet) {
	f.mode = newChoice(run.ModeConnect, run.ModeSyn, run.ModeAuto)
	flags.VarP(f.mode, "mode", "m", "scan mode: connect opens full connections, syn sends SYN segments (Linux, CAP_NET_RAW), auto chooses one and reports which")
	flags.StringVar(&f.pcap, "pcap", "", "with --mode syn, write a packet capture of all probes and answers to `FILE`")
	flags.UintVarP(&f.rate, "rate", "r", run.DefaultRate, "send `N` probes per second in total; 0 is as fast as accuracy allows")
	flags.UintVar(&f.threads, "threads", 1, "with --mode syn or auto, send with `N` threads; one thread can send a million probes per second")
	flags.StringVar(&f.netDevice, "interface", "", "with --mode syn, send on the network interface `NAME` (default from the routing table)")
	flags.UintVarP(&f.concurrency, "concurrency", "c", 0, "wait for the answers of `N` probes in parallel (default from the open file limit)")
	flags.UintVar(&f.perHost, "per-host", run.DefaultPerHost, "open at most `N` connections at once to one host, or a quarter more during dialogues with its open ports; those that only wait for a greeting are not counted")
	flags.DurationVarP(&f.timeout, "timeout", "t", run.DefaultTimeout, "wait at most `DUR` for an answer; the actual wait adapts to the round-trip time")
	flags.UintVar(&f.retries, "retries", run.DefaultRetries, "repeat unanswered probes `N` times, more often if packets are lost")
	flags.Var(&f.shard, "shard", "scan only shard `I/N`: part I of N disjoint parts")
	flags.Uint64Var(&f.seed, "seed", 0, "use `N` as the seed of the probe order (default random, recorded)")
	flags.StringVar(&f.resume, "resume", "", "save progress to `FILE`, and resume from it if an earlier run of the same sweep left it; deleted at the end")
	flags.DurationVar(&f.maxTime, "max-time", 0, "stop after `DUR`; the results so far are reported, and the run is incomplete (default no limit)")
	flags.DurationVar(&f.hostTimeout, "host-timeout", 0, "stop scanning a host `DUR` after its first probe; its unfinished ports are unknown; 0 is no limit")
}

func (f *scanFlags) registerIdentification(flags *pflag.FlagSet) {
	flags.BoolVar(&f.noIdentify, "no-identify", false, "report port states only, without service identification; needs --fail-on none")
	flags.StringArrayVar(&f.signatures, "signatures", nil, "also use the signature files in `DIR`; repeatable")
	flags.BoolVar(&f.intrusive, "intrusive", false, "also send probes that may leave traces on the target")
	flags.DurationVar(&f.greeting, "greeting-timeout", fingerprint.DefaultGreetingTimeout, "listen for `DUR` on ports that have not replied to any probe, in parallel with the other ports")
}

// registerGate adds the flags for the assessment, and for how a run ends.
func (f *scanFlags) registerGate(flags *pflag.FlagSet) {
	flags.StringVar(&f.policy, "policy", "", "read gate, expected services, accepted risks, canaries, scope and ports from `FILE` (default mxsweep.yaml if present)")
	flags.StringVar(&f.vantage, "vantage", "", "vantage point of the scanner: `NAME` is internet, lan, host or a name from the policy (default internet, and host for loopback; other addresses of this machine are assumed to be reachable from there)")
	flags.StringArrayVar(&f.configs, "config", nil, "compare what answers with the configuration files at `[HOST=]PATH`, a file or folder of the host: findings name the line that opens the port; HOST is needed if several hosts are up; repeatable")
	f.registerVerdict(flags)
	f.coverage.register(flags)
	registerNow(flags, f)
	flags.Lookup("now").Usage += "; the authorization must be valid then and today"
}

// registerVerdict adds the flags of the gate that a merged run has as well.
func (f *scanFlags) registerVerdict(flags *pflag.FlagSet) {
	f.registerFindings(flags)
	flags.Float64Var(&f.minCoverage, "min-coverage", run.DefaultMinCoverage, "exit 4 if less than the fraction `F` (0 to 1) of the ports gave a conclusive result")
	f.coverage.registerMinHosts(flags)
	f.registerSoftFail(flags)
}

// registerFindings adds the flags that say which findings fail any run.
func (f *scanFlags) registerFindings(flags *pflag.FlagSet) {
	flags.StringVar(&f.baseline, "baseline", "", "compare findings with the baseline `FILE`")
	f.registerFailOn(flags)
}

// registerFailOn adds the flag for which findings fail a run.
func (f *scanFlags) registerFailOn(flags *pflag.FlagSet) {
	flags.StringVar(&f.failOn, "fail-on", run.DefaultFailOn, "exit 1 if a finding matches `LIST`, a comma-separated list of drift:severity (of this severity or above) and rule:ID, such as new:high,any:critical; none matches no finding")
}

// registerSoftFail adds the flag for runs that never fail.
func (f *scanFlags) registerSoftFail(flags *pflag.FlagSet) {
	flags.BoolVar(&f.softFail, "soft-fail", false, "exit 0 even if --fail-on matches")
}

// registerOutput adds the flags for what is written and shown.
func (f *scanFlags) registerOutput(flags *pflag.FlagSet) {
	f.output.register(flags)
	flags.BoolVar(&f.allPorts, "all-ports", false, "report all ports, not only open ones")
	flags.StringVar(&f.auditLog, "audit-log", "", "append an entry for the run (command, scope, authorization, result) to `FILE`; entries are hash-chained")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print only errors and the report")
	f.progress = newChoice(auto, always, never)
	flags.Var(f.progress, "progress", "show progress: auto shows a bar on a terminal and a line every 30 s in CI")
}

// registerNow adds --now, to evaluate a run as of another day.
func registerNow(flags *pflag.FlagSet, f *scanFlags) {
	flags.Var(&f.now, "now", "evaluate accepted risks as of `TIME`, such as 2027-01-31 or 2027-01-31T12:00:00Z")
}

// time is the time at which expiry dates are evaluated.
func (f *scanFlags) time() time.Time {
	if f.now.IsZero() {
		return time.Now()
	}
	return f.now.Time
}

// check refuses what the options of a run cannot express, all at once: an empty value
// and a zero, which there are an option that was not given. The run checks the others.
func (f *scanFlags) check(flags *pflag.FlagSet) error {
	var errs []error
	bad := func(hint, format string, args ...any) { errs = append(errs, usagef(hint, format, args...)) }
	flags.Visit(func(flag *pflag.Flag) {
		if slices.Contains(nonEmptyFlags, flag.Name) && emptyValue(flag.Value) {
			bad("omit the flag if it is not needed; is a script variable unset?", "reading flag \"--%s\": an empty value", flag.Name)
		}
	})
	for _, zero := range []struct{ flag, value, hint string }{
		{"timeout", "0s", "use a duration up to 1h, such as 500ms or 3s"},
		{"greeting-timeout", "0s", "use a duration up to 20s, such as 12s: a dialogue takes at most 25s"},
		{"max-time", "0s", "use a duration such as 90s or 2h; omit the flag for no limit"},
		{"per-host", "0", "at least 1"},
		{"threads", "0", "at least 1"},
		{"concurrency", "0", "use at least 1; omit the flag to use the open file limit"},
	} {
		if flags.Changed(zero.flag) && flags.Lookup(zero.flag).Value.String() == zero.value {
			bad(zero.hint, "reading flag %q: %s is out of range", "--"+zero.flag, zero.value)
		}
	}
	if !(f.minCoverage >= 0) {
		bad(userfile.FractionHint(f.minCoverage), "reading flag \"--min-coverage\": %v is out of range", f.minCoverage)
	}
	if f.names.ipv4Only && f.names.ipv6Only {
		bad("omit both to use both address families", "combining --ipv4 with --ipv6: no address would be left")
	}
	if f.quiet && f.output.verbose {
		bad("use only one of them", "combining --quiet with --verbose: they contradict each other")
	}
	return errors.Join(errs...)
}

// nonEmptyFlags are the flags for which an empty value, as from an unset variable of a
// script, would silently remove a limit or a check.
var nonEmptyFlags = []string{"input", "scope", "exclude", "exclude-file", "ports", "policy", "config", "baseline", "fail-on", "vantage", "signatures", "resume", "pcap", "audit-log", "resolver", "interface", "canary", "reference-ports"}

// emptyValue reports whether a flag was given an empty value at least once.
func emptyValue(v pflag.Value) bool {
	if list, ok := v.(pflag.SliceValue); ok {
		return slices.Contains(list.GetSlice(), "")
	}
	return v.String() == ""
}

// demands are what the flags ask of the gate.
func (f *scanFlags) demands(given *pflag.FlagSet) gate.Demands {
	d := gate.Demands{MinHosts: f.coverage.minHosts, SoftFail: f.softFail}
	if given.Changed("fail-on") {
		d.FailOn = f.failOn
	}
	if given.Changed("min-coverage") {
		d.MinCoverage = orNone(f.minCoverage)
	}
	return d
}

// checkMinCoverage refuses what is no fraction.
func (f *scanFlags) checkMinCoverage() error {
	if f.minCoverage >= 0 && f.minCoverage <= 1 {
		return nil
	}
	return usagef(userfile.FractionHint(f.minCoverage), "reading flag \"--min-coverage\": %v is out of range", f.minCoverage)
}

// options returns the options of a run from the flags and the targets. A flag that was
// not given leaves its option to the policy and the default.
func (f *scanFlags) options(s *session, given *pflag.FlagSet, targets []string) run.Options {
	outputs, err := f.output.specs(s)
	demands := f.demands(given)
	o := run.Options{
		Targets: targets, TargetFiles: f.inputs, Domains: f.domains, Zones: f.zones, Stdin: s.stdin, Scope: f.scope, Excludes: f.excludes, ExcludeFiles: f.excludeFiles,
		Family: f.names.family(), Resolver: f.names.resolver.String(), Authorization: f.authorization,
		Mode: f.mode.value, Threads: bounded(f.threads), Interface: f.netDevice, Pcap: f.pcap,
		Shard: f.shard.Shard, Resume: f.resume, MaxTime: f.maxTime, HostTimeout: f.hostTimeout,
		NoIdentify: f.noIdentify, Signatures: f.signatures, Intrusive: f.intrusive, GreetingTimeout: f.greeting,
		Policy: f.policy, NoPolicy: f.withoutPolicy, Vantage: f.vantage, Configs: f.configs, Baseline: f.baseline,
		FailOn: demands.FailOn, MinCoverage: demands.MinCoverage, MinHosts: demands.MinHosts, SoftFail: demands.SoftFail,
		Canaries: f.coverage.canaries, ReferencePorts: f.coverage.referencePorts, AllowVacant: f.coverage.allowVacant, Now: f.now.Time,
		Outputs: outputs, Private: f.output.private, AllPorts: f.allPorts, AuditLog: f.auditLog,
		Watch:    s.watch(f.progress.value, f.output.color.value, f.quiet),
		Mistakes: errors.Join(f.check(given), err),
	}
	s.identify(&o)
	if given.Changed("ports") {
		o.Ports = f.ports
	}
	if given.Changed("rate") {
		o.Rate = orNone(bounded(f.rate))
	}
	if given.Changed("retries") {
		o.Retries = orNone(bounded(f.retries))
	}
	if given.Changed("concurrency") {
		o.Concurrency = bounded(f.concurrency)
	}
	if given.Changed("per-host") {
		o.PerHost = bounded(f.perHost)
	}
	if given.Changed("timeout") {
		o.Timeout = f.timeout
	}
	if given.Changed("seed") {
		o.Seed = &f.seed
	}
	return o
}

// bounded is a number that the user gave, for a run to check.
func bounded(n uint) int { return int(min(n, math.MaxInt)) }

// orNone converts a given number to an option, for which zero means not given, and -1
// none.
func orNone[T int | float64](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// coverageFlags say what must answer, and what may be silent, so that a run is
// complete.
type coverageFlags struct {
	canaries       []string
	referencePorts string
	allowVacant    bool
	minHosts       uint64
}

func (f *coverageFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.canaries, "canary", nil, "exit 4 unless `HOST:PORT` answers at the start, in the middle and at the end; also authorizes contact with that port; repeatable")
	flags.StringVar(&f.referencePorts, "reference-ports", run.DefaultReferencePorts, "probe the ports in `LIST` on a single target that is silent on all other ports; none turns this off")
	flags.BoolVar(&f.allowVacant, "allow-vacant", false, "accept prefixes and ranges in which no host is up")
}

// registerMinHosts adds the flag that is also one of a merged run.
func (f *coverageFlags) registerMinHosts(flags *pflag.FlagSet) {
	flags.Uint64Var(&f.minHosts, "min-hosts", 0, "exit 4 if fewer than `N` hosts are up")
}

// nameFlags are the flags that decide which addresses a name has.
type nameFlags struct {
	ipv4Only bool
	ipv6Only bool
	resolver resolverAddr
}

func (f *nameFlags) register(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.ipv4Only, "ipv4", "4", false, "look up and contact IPv4 addresses only")
	flags.BoolVarP(&f.ipv6Only, "ipv6", "6", false, "look up and contact IPv6 addresses only")
	flags.Var(&f.resolver, "resolver", "resolve names with the DNS server at the IP address `HOST[:PORT]` (default the system resolver)")
}

// family is which addresses may be looked up and contacted.
func (f *nameFlags) family() scope.Family {
	switch {
	case f.ipv4Only:
		return scope.IPv4Only
	case f.ipv6Only:
		return scope.IPv6Only
	}
	return scope.BothFamilies
}
