package main

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/run/saved"
)

// newScan is "mxsweep scan".
func newScan(s *session) *cobra.Command {
	flags := &scanFlags{}
	cmd := &cobra.Command{
		Use:   "scan [TARGET...]",
		Short: "scan targets for exposed mail services",
		Long: `Scans the targets for open ports, identifies the daemon on each with a dialogue,
assesses whether it should be reachable, and writes reports.

A TARGET is an address, a prefix (192.0.2.0/28), a range (192.0.2.1-9 or
192.0.2.1-192.0.3.4) or a host name, of which all addresses are scanned; each may
have a port (mx1.example.org:10025, [2001:db8::1]:25). Without a TARGET, those of
--input are scanned, or else the whole scope: that of --scope, or of the policy.

All input is checked before the first packet is sent. Nothing outside the scope
is contacted. Only scan what you are authorized to scan.`,
		Example: `  mxsweep scan 192.0.2.10
  mxsweep scan 192.0.2.0/28 -p internal,25 -o text -o json=run.json
  mxsweep scan --scope scope.txt -o sarif=mxsweep.sarif --fail-on any:high
  mxsweep scan --scope scope.txt --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.scan(cmd.Context(), flags, cmd.Flags(), args)
		},
	}
	flags.register(cmd.Flags())
	return cmd
}

// scan does what the flags say.
func (s *session) scan(ctx context.Context, flags *scanFlags, given *pflag.FlagSet, args []string) error {
	if err := cmp.Or(flags.habitError(), fileAsTarget(args)); err != nil {
		return err
	}
	opts := flags.options(s, given, args)
	p, err := run.NewPlan(ctx, opts)
	if err != nil {
		if flags.dryRun || !run.Refused(err) {
			return err
		}
		notices, failed := opts.LogRefusal(ctx, err)
		for _, n := range notices {
			s.tell(n)
		}
		return errors.Join(err, failed)
	}
	if b := p.Baseline(); b != nil && !flags.quiet {
		s.tellUnknownRules(flags.baseline, p.Rules(), saved.RulesOfBaseline(b))
	}
	if flags.dryRun {
		if err := p.CheckFiles(ctx); err != nil {
			return err
		}
		if p.Incomplete() {
			s.code = gate.ExitIncomplete
		}
		_, err := io.WriteString(s.stdout, p.Describe())
		return fault.WriteError(standardOutput, err)
	}
	return s.runPlan(ctx, p, opts.Outputs, flags.quiet)
}

// runPlan runs a plan, and says on standard error what the reports do not.
func (s *session) runPlan(ctx context.Context, p *run.Plan, outputs []output.Spec, quiet bool) error {
	s.graceful.Store(true) // before there is a file that nobody would end
	outcome, err := p.Run(ctx)
	if outcome != nil {
		s.code = gate.Worse(s.code, outcome.Decision.Code)
		s.warn(quiet, &outcome.Gate, outputs, &outcome.Decision, outcome.Findings)
	}
	return err
}

// identify tells a run the name and version of the program, and where to print
// messages.
func (s *session) identify(o *run.Options) {
	o.Version, o.Command, o.Log = version, s.args, s.log
}
