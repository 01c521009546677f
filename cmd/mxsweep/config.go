package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/listeners/config"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/run/configured"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/run/saved"
)

// newConfig is "mxsweep config".
func newConfig(s *session) *cobra.Command {
	flags := &scanFlags{}
	cmd := &cobra.Command{
		Use:   "config PATH...",
		Short: "find the lines of configuration files that open internal ports",
		Long: `Reads configuration files (in folders, recursively) and reports listeners that
should be internal to the mail system but are not bound to loopback: with the line,
the setting that causes it, and the edit that binds them to loopback. It also reports
settings that trust too many clients. Nothing is contacted, executed or changed.

` + knownKinds() + `

What the files do not decide, such as a variable without a value, is a notice, and
makes the run incomplete (4) unless the policy accepts it (MXS9071). The run is also
incomplete if no file is of a known kind. Files outside the checkout, or outside the
folder that contains all PATHs, are not read.`,
		Example: `  mxsweep config .
  mxsweep config deploy/ -o text -o sarif=mxsweep.sarif
  mxsweep config /etc/postfix /etc/dovecot`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("usage: "+cmd.UseLine(), "no files or folders given")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.config(cmd.Context(), flags, cmd.Flags(), args)
		},
	}
	inGroup(cmd.Flags(), groupGate, func(f *pflag.FlagSet) {
		f.StringVar(&flags.policy, "policy", "", "read gate, expected services, accepted risks and ports that must be closed from `FILE` (default mxsweep.yaml if present)")
		flags.registerFindings(f)
		f.Float64Var(&flags.minCoverage, "min-coverage", 1, "exit 4 if the files decide less than the fraction `F` (0 to 1) of what they configure")
		flags.registerSoftFail(f)
		registerNow(f, flags)
	})
	inGroup(cmd.Flags(), groupOutput, func(f *pflag.FlagSet) {
		flags.output.offline = true
		flags.output.register(f)
		f.BoolVarP(&flags.quiet, "quiet", "q", false, "print only errors and the report")
	})
	return cmd
}

// knownKinds names the kinds of files, in lines of the width of a help text.
func knownKinds() string {
	const columns = 80
	return strings.Join(words.Wrap("Known kinds of files: "+wording.List(config.Kinds(false))+", and what these include.", columns, columns), "\n")
}

// config reads the files, judges what they open and reports it.
func (s *session) config(ctx context.Context, flags *scanFlags, given *pflag.FlagSet, paths []string) error {
	a, err := newConfigAudit(flags, given)
	specs, errOutputs := flags.output.specs(s)
	if err := errors.Join(err, errOutputs, noNetworkFormats(specs)); err != nil {
		return err
	}
	if !flags.quiet && a.Baseline != nil {
		s.tellUnknownRules(flags.baseline, a.Rules, saved.RulesOfBaseline(a.Baseline))
	}
	if err := a.Read(paths); err != nil {
		return err
	}
	var inputs []outfile.Use
	for _, file := range append(a.Files(), flags.baseline, run.PolicyFile(flags.policy)) {
		inputs = append(inputs, outfile.Use{Role: "an input of the run", Name: file})
	}
	if err := outfile.Check(output.Uses(specs), inputs); err != nil {
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
	return outs.Close()
}

// newConfigAudit reads the policy and the baseline that the flags name. All errors are reported
// at once.
func newConfigAudit(flags *scanFlags, given *pflag.FlagSet) (*configured.Audit, error) {
	known, rules, err := run.LoadKnowledge()
	if err != nil {
		return nil, err
	}
	a := &configured.Audit{Rules: rules, Ports: known, Now: flags.time(), MinDecided: flags.minCoverage}
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
	return a, errors.Join(errs...)
}

// noNetworkFormats refuses formats that describe the hosts of a network.
func noNetworkFormats(specs []output.Spec) error {
	i := slices.IndexFunc(specs, func(o output.Spec) bool { return ofNetwork(o.Format) })
	if i < 0 {
		return nil
	}
	return usagef("use json, sarif or csv", "writing output %q: the format describes hosts of a network, and this command contacts none", specs[i].Format)
}
