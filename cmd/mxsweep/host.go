package main

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/run/listening"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/run/saved"
)

// hostFlags are the flags of "mxsweep host".
type hostFlags struct {
	scanFlags
	root    string
	name    string
	configs []string
	expect  string
	with    string
	address []string
}

// standardPlaces are the files and folders that have the configuration of mail daemons,
// where a distribution installs them.
var standardPlaces = []string{
	"/etc/postfix", "/etc/dovecot", "/etc/dovecot.conf", "/etc/amavis", "/etc/amavisd", "/etc/amavisd.conf", "/etc/policyd-weight.conf",
	"/etc/dkimproxy", "/etc/opendkim.conf", "/etc/opendmarc.conf", "/etc/haproxy", "/etc/nginx", "/etc/clamav", "/etc/clamd.d", "/etc/rspamd",
	"/usr/local/etc/postfix", "/usr/local/etc/dovecot", "/usr/local/etc/amavisd.conf", "/usr/local/etc/haproxy.conf", "/usr/local/etc/nginx", "/usr/local/etc/rspamd",
	"/opt/homebrew/etc/postfix", "/opt/homebrew/etc/dovecot", "/opt/homebrew/etc/nginx",
}

// noConfig is the value of --config that reads no file.
const noConfig = "none"

// newHost is "mxsweep host".
func newHost(s *session) *cobra.Command {
	flags := &hostFlags{}
	cmd := &cobra.Command{
		Use:   "host",
		Short: "show what listens on this machine, and the lines that configure it",
		Long: `Lists the TCP ports that listen on this machine: the address of each, its process,
systemd unit, package and container, and the line that configures it. It reports
those that only the mail system itself should reach but that are not bound to
loopback. Nothing is contacted, executed or changed.

A firewall may block outside connections; only a scan from outside shows that. --with
compares the listening ports with a scan from another machine. RUN is the json or
jsonl report of that scan. It shows which ports are reachable, which are protected
only by a firewall (MXS1907), which another machine answers, and which are configured
but not running.

On Linux it asks the kernel and reads /proc, dpkg's lists and the rules of nftables,
and includes containers. Without root, Linux hides the processes of other users'
sockets, except for their unit; notice MXS9073 says so. If a hidden process has a
port that mail systems use internally, the run is incomplete (4). On macOS, the BSDs
and Windows it shows addresses and processes only.`,
		Example: `  mxsweep host
  mxsweep host -o text -o json=host.json
  mxsweep host --with run.json
  mxsweep host --write-expect mxsweep.yaml`,
		Args: exactArgs(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.host(cmd.Context(), flags, cmd.Flags())
		},
	}
	inGroup(cmd.Flags(), groupTargets, func(f *pflag.FlagSet) {
		f.StringVar(&flags.root, "root", "", "examine the system that is mounted at `DIR`, such as that of the host in a container (Linux)")
		f.StringVar(&flags.name, "name", "", "the `NAME` of this machine in findings and for the policy (default its host name)")
		f.StringArrayVar(&flags.configs, "config", nil, "read the configuration files at `PATH`, and below it, for the lines that open the ports; repeatable; none reads none (default the usual folders below /etc)")
	})
	inGroup(cmd.Flags(), groupTargets, func(f *pflag.FlagSet) {
		f.StringVar(&flags.with, "with", "", "compare with a scan from another machine; `RUN` is its json or jsonl report")
		f.StringArrayVar(&flags.address, "address", nil, "match `ADDR` of the scan of --with to this machine (for a machine behind NAT); repeatable")
	})
	inGroup(cmd.Flags(), groupGate, func(f *pflag.FlagSet) {
		f.StringVar(&flags.policy, "policy", "", "read gate, expected services, accepted risks and ports that must be closed from `FILE` (default mxsweep.yaml if present)")
		flags.registerFindings(f)
		f.Float64Var(&flags.minCoverage, "min-coverage", 1, "exit 4 if less than the fraction `F` (0 to 1) of the ports could be judged")
		flags.registerSoftFail(f)
		registerNow(f, &flags.scanFlags)
	})
	inGroup(cmd.Flags(), groupOutput, func(f *pflag.FlagSet) {
		flags.output.offline = true
		flags.output.register(f)
		f.StringVar(&flags.expect, "write-expect", "", "write the ports that may be reachable, as the expect block of a policy, to `FILE`; - is standard output in place of the report")
		f.BoolVarP(&flags.quiet, "quiet", "q", false, "print only errors and the report")
	})
	return cmd
}

// host lists what listens, judges it and reports it.
func (s *session) host(ctx context.Context, flags *hostFlags, given *pflag.FlagSet) error {
	defer memory.BoundReading()()
	survey := listening.Begin(ctx, sockets.Options{Root: flags.root}, flags.places())
	a, err := newHostAudit(flags, given)
	specs, errOutputs := flags.outputSpecs(s)
	if err := errors.Join(err, errOutputs, noNetworkFormats(specs)); err != nil {
		return err
	}
	outside, addresses, err := flags.outside(a.Rules)
	if err != nil {
		return err
	}
	if !flags.quiet && a.Baseline != nil {
		s.tellUnknownRules(flags.baseline, a.Rules, saved.RulesOfBaseline(a.Baseline))
	}
	if err := a.Look(survey); err != nil {
		return err
	}
	if outside != nil {
		if err := a.With(outside, addresses); err != nil {
			return err
		}
	}
	var inputs []outfile.Use
	for _, file := range append(a.Files(), flags.baseline, run.PolicyFile(flags.policy), flags.with) {
		inputs = append(inputs, outfile.Use{Role: "an input of the run", Name: file})
	}
	written := output.Uses(specs)
	if flags.expect != "" && flags.expect != "-" {
		written = append(written, outfile.Use{Flag: `flag "--write-expect"`, Name: flags.expect})
	}
	if err := outfile.Check(written, inputs); err != nil {
		return err
	}
	outs, err := s.openReports(ctx, &flags.output, specs)
	if err != nil {
		return err
	}
	c := a.Conclude()
	a.Write(result.Tool{Name: "mxsweep", Version: version}, s.args, outs, &c)
	s.code = gate.Worse(s.code, c.Decision.Code)
	s.warn(flags.quiet, &a.Gate, specs, &c.Decision, c.Findings)
	return errors.Join(outs.Close(), s.writeExpect(a, &c, flags.expect))
}

// outside reads the scan of --with, nil if there is none, and the addresses of --address.
func (f *hostFlags) outside(rules *exposure.RuleSet) (*saved.Outside, []netip.Addr, error) {
	var given []netip.Addr
	for _, text := range f.address {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, nil, usagef("give an IP address that the scan probed", "reading flag \"--address\": %q is not an IP address", text)
		}
		given = append(given, ip)
	}
	switch {
	case f.with != "":
		o, err := saved.ReadOutside(f.with, rules)
		return o, given, err
	case given != nil:
		return nil, nil, usagef("add --with RUN", "reading flag \"--address\": it names an address of the run of --with")
	}
	return nil, nil, nil
}

// writeExpect writes the expect block of a policy, if a file was named.
func (s *session) writeExpect(a *listening.Audit, c *listening.Outcome, file string) error {
	if file == "" {
		return nil
	}
	var b bytes.Buffer
	if err := a.WriteExpect(&b, c); err != nil {
		return err
	}
	return s.writeFile(file, b.Bytes())
}

// outputSpecs returns the requested outputs. An expect block on standard output is in the
// place of the report.
func (f *hostFlags) outputSpecs(s *session) ([]output.Spec, error) {
	specs, err := f.output.specs(s)
	if f.expect != "-" || err != nil {
		return specs, err
	}
	if len(f.output.outputs) > 0 && slices.ContainsFunc(specs, func(o output.Spec) bool { return o.File == "-" }) {
		return nil, usagef("write one of them to a file", "writing two outputs to standard output: --write-expect and --output")
	}
	return slices.DeleteFunc(specs, func(o output.Spec) bool { return o.File == "-" }), nil
}

// newHostAudit reads the policy and the baseline that the flags name. All errors are reported at once.
func newHostAudit(flags *hostFlags, given *pflag.FlagSet) (*listening.Audit, error) {
	known, rules, err := run.LoadKnowledge()
	if err != nil {
		return nil, err
	}
	a := &listening.Audit{Rules: rules, Ports: known, Now: flags.time(), MinKnown: flags.minCoverage, Name: flags.name}
	if a.Policy, err = run.ReadPolicy(run.PolicyFile(flags.policy), rules, known); err != nil {
		return nil, err
	}
	errs := []error{flags.check(given), flags.checkMinCoverage()}
	if a.Gate, err = flags.demands(given).Criteria(a.Policy, rules); err != nil {
		errs = append(errs, err)
	} else {
		errs = append(errs, run.CheckGate(a.Gate, true, flags.baseline != ""))
	}
	if flags.baseline != "" {
		a.Baseline, _, err = saved.ReadBaseline(flags.baseline, rules)
		errs = append(errs, err)
	}
	if a.Name == "" {
		if a.Name, err = os.Hostname(); err != nil {
			errs = append(errs, usagef("set --name", "reading the host name: %w", fault.WithoutPath(err)))
		}
	}
	if slices.Contains(flags.configs, noConfig) && len(flags.configs) > 1 {
		errs = append(errs, usagef("use only one of them", "combining --config %s with --config %s", wording.Quote(noConfig), wording.Quote(flags.configs[0])))
	}
	return a, errors.Join(errs...)
}

// places returns the paths of configuration files: those that were given, or the
// standard ones that exist.
func (f *hostFlags) places() []string {
	if slices.Equal(f.configs, []string{noConfig}) {
		return nil
	}
	if len(f.configs) > 0 {
		return f.configs
	}
	var list []string
	for _, place := range standardPlaces {
		if place = filepath.Join(f.root, place); outfile.Exists(place) {
			list = append(list, place)
		}
	}
	return list
}
