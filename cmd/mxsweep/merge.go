package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/run/saved"
)

// newMerge is "mxsweep merge".
func newMerge(s *session) *cobra.Command {
	flags := &scanFlags{}
	cmd := &cobra.Command{
		Use:   "merge RUN...",
		Short: "combine saved runs into one: shards, vantage points, targets",
		Long: `Combines saved runs (json or jsonl) into one run: the shards of a sweep, sweeps of
different targets, or the same targets seen from several vantage points.
Coverage, drift and gate are computed again, with the exit codes of scan. Nothing
is sent.

If a shard is missing or a run is incomplete, the merged run is incomplete (4).
The same run twice, and two runs of the same sweep, are refused. If a machine
found a port open on its own address, and a run from elsewhere saw that port
closed or filtered, the finding applies to that host only. A finding counts as
fixed if a run saw its port closed. Both need runs saved with --all-ports.`,
		Example: `  mxsweep merge shard1.json shard2.json -o json=run.json
  mxsweep merge inside.json outside.json --baseline baseline.jsonl --fail-on new:high`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("usage: "+cmd.UseLine(), "no saved runs given")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.merge(cmd.Context(), flags, cmd.Flags(), args)
		},
	}
	inGroup(cmd.Flags(), groupGate, func(f *pflag.FlagSet) {
		f.StringVar(&flags.policy, "policy", "", "read gate, expected services, accepted risks and ports that must be closed from `FILE` (default mxsweep.yaml if present)")
		flags.registerVerdict(f)
		registerNow(f, flags)
	})
	inGroup(cmd.Flags(), groupOutput, func(f *pflag.FlagSet) {
		flags.output.register(f)
		f.BoolVarP(&flags.quiet, "quiet", "q", false, "print only errors and the report")
	})
	return cmd
}

// merge reads the runs, combines them and reports the result.
func (s *session) merge(ctx context.Context, flags *scanFlags, given *pflag.FlagSet, files []string) error {
	defer memory.BoundReading()()
	m, err := newMerger(flags, given, files)
	if err != nil {
		return err
	}
	if !flags.quiet {
		s.tellRulesOfRuns(m, flags.baseline)
	}
	specs, err := flags.output.specs(s)
	if err != nil {
		return err
	}
	var inputs []outfile.Use
	for _, file := range append(files, flags.baseline, run.PolicyFile(flags.policy)) {
		inputs = append(inputs, outfile.Use{Role: "an input of the merged run", Name: file})
	}
	if err := outfile.Check(output.Uses(specs), inputs); err != nil {
		return err
	}
	outs, err := s.openReports(ctx, &flags.output, specs)
	if err != nil {
		return err
	}
	c := m.Conclude()
	m.Write(result.Tool{Name: "mxsweep", Version: version}, s.args, outs, &c)
	s.code = gate.Worse(s.code, c.Decision.Code)
	s.warn(flags.quiet, &m.Gate, specs, &c.Decision, c.Findings)
	return outs.Close()
}

// tellRulesOfRuns reports the unknown rules of runs and baseline.
func (s *session) tellRulesOfRuns(m *saved.Merger, baseline string) {
	for _, r := range m.Runs {
		s.tellUnknownRules(r.File, m.Rules, saved.RulesOfFindings(r.Findings))
	}
	if m.Baseline != nil {
		s.tellUnknownRules(baseline, m.Rules, saved.RulesOfBaseline(m.Baseline))
	}
}

// newMerger reads everything that the flags and arguments name. All errors are
// reported at once.
func newMerger(flags *scanFlags, given *pflag.FlagSet, files []string) (*saved.Merger, error) {
	known, rules, err := run.LoadKnowledge()
	if err != nil {
		return nil, err
	}
	m := &saved.Merger{Rules: rules, Now: flags.time()}
	if m.Policy, err = run.ReadPolicy(run.PolicyFile(flags.policy), rules, known); err != nil {
		return nil, err
	}
	m.Gate, err = flags.demands(given).Criteria(m.Policy, rules)
	errs := []error{err, flags.checkMinCoverage(), m.Read(files, flags.baseline)}
	if flags.baseline == "" && !m.Compared() {
		errs = append(errs, run.CheckGate(m.Gate, true, false))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return m, m.Check()
}
