package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/output"
)

// newMerge is "mxsweep merge".
func newMerge(s *session) *cobra.Command {
	flags := &scanFlags{}
	cmd := &cobra.Command{
		Use:   "merge RUN...",
		Short: "make one run of several: shards, vantage points, targets",
		Long: `Makes one run of saved runs (json or jsonl): the shards of a sweep, sweeps of
different targets, or the same targets seen from several vantage points.
Coverage, drift and gate are computed anew, with the exit codes of scan. Nothing
is sent.

A shard that is missing leaves the merged run incomplete (4), as does a run that
was. The same run twice, and two runs of the same sweep, are refused. Where a run
that stood elsewhere saw a port closed or filtered that a machine found open on an
address of its own, the finding counts for that host alone; as fixed counts what a
run saw closed. Both need runs that were saved with --all-ports.`,
		Example: `  mxsweep merge shard1.json shard2.json -o json=run.json
  mxsweep merge inside.json outside.json --baseline baseline.jsonl --fail-on new:high`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("usage: "+cmd.UseLine(), "reading the arguments: no saved run is named")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.merge(cmd.Context(), flags, cmd.Flags(), args)
		},
	}
	inGroup(cmd.Flags(), groupGate, func(f *pflag.FlagSet) {
		f.StringVar(&flags.policy, "policy", "", "take gate, expectations, accepted risks and ports that must be closed from `FILE` (default mxsweep.yaml if present)")
		flags.registerVerdict(f)
		registerNow(f, flags)
	})
	inGroup(cmd.Flags(), groupOutput, func(f *pflag.FlagSet) {
		flags.output.register(f)
		f.BoolVarP(&flags.quiet, "quiet", "q", false, "print errors only, besides the report")
	})
	return cmd
}

// merge reads the runs, makes one of them and reports it.
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
	for _, file := range append(files, flags.baseline, flags.policyFile()) {
		inputs = append(inputs, outfile.Use{Role: "an input of the merged run", Name: file})
	}
	if err := outfile.Check(output.Uses(specs), inputs); err != nil {
		return err
	}
	outs, err := output.Open(ctx, specs, output.Rule{Private: flags.output.private, Log: s.log})
	if err != nil {
		return err
	}
	undo := outs.Discard
	s.undo.Store(&undo)
	c := m.conclude()
	m.write(s.args, outs, &c)
	s.code = exposure.Worse(s.code, c.verdict.Code)
	s.warn(&plan{flags: flags, gate: m.gate}, specs, &c.conclusion)
	return outs.Close()
}

// tellRulesOfRuns tells the rules of runs and baseline that are not known.
func (s *session) tellRulesOfRuns(m *merger, baseline string) {
	for _, r := range m.runs {
		s.tellUnknownRules(r.file, m.rules, rulesOfFindings(r.findings))
	}
	if m.baseline != nil {
		s.tellUnknownRules(baseline, m.rules, rulesOfBaseline(m.baseline))
	}
}

// newMerger reads everything that the flags and arguments name. All mistakes are
// told at once.
func newMerger(flags *scanFlags, given *pflag.FlagSet, files []string) (*merger, error) {
	known, rules, err := loadKnowledge()
	if err != nil {
		return nil, err
	}
	m := &merger{rules: rules, now: flags.time(), once: true}
	if m.policy, err = flags.readPolicy(rules, known); err != nil {
		return nil, err
	}
	if p := m.policy; p != nil {
		if p.Gate.FailOn != "" && !given.Changed("fail-on") {
			flags.failOn = p.Gate.FailOn
		}
		if p.Gate.MinCoverage != nil && !given.Changed("min-coverage") {
			flags.minCoverage = *p.Gate.MinCoverage
		}
		m.gate.MinConfidence = p.Gate.MinConfidence
	}
	failOn, err := exposure.ParseFailOn(flags.failOn, rules)
	errs := []error{fault.As(fault.Usage, err)}
	if !(flags.minCoverage >= 0 && flags.minCoverage <= 1) {
		errs = append(errs, usagef("a part of 1, like 0.95", "reading flag \"--min-coverage\": %v is out of range", flags.minCoverage))
	}
	m.gate.FailOn, m.gate.MinCoverage, m.gate.MinHosts, m.gate.SoftFail = failOn, flags.minCoverage, flags.coverage.minHosts, flags.softFail
	for _, file := range files {
		r, err := readWholeRun(file, rules)
		if err == nil {
			m.runs = append(m.runs, r)
		}
		errs = append(errs, err)
	}
	if flags.baseline != "" {
		m.baseline, _, err = readBaseline(flags.baseline, rules)
		errs = append(errs, err)
	} else if !m.compared() {
		errs = append(errs, flags.checkGate(failOn))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return m, m.check()
}

// readWholeRun reads all of a saved run, also of one that was cut short.
func readWholeRun(file string, rules *exposure.RuleSet) (*savedRun, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, usagef("RUN is a file that mxsweep scan -o json=FILE or -o jsonl=FILE wrote", "opening run %q: %w", file, fault.WithoutPath(err))
	}
	defer f.Close()
	run := &savedRun{file: file, rules: rules, services: newServices(), whole: true}
	if err := run.read(f); err != nil {
		return nil, fault.As(fault.Usage, fmt.Errorf("reading run %q: %w", file, err))
	}
	return run, nil
}

// write reports the merged run.
func (m *merger) write(args []string, outs *output.Set, c *mergedConclusion) {
	run := m.run(args)
	for _, r := range m.runs {
		r.ports, r.services = nil, nil // all that is told of them is in c
	}
	// Errors are kept by the outputs and told when they close.
	_ = outs.Start(result.Tool{Name: "mxsweep", Version: version, RulesVersion: m.rules.Version, ProbesVersion: m.runs[0].tool.ProbesVersion}, run)
	for i, p := range c.ports {
		_ = outs.Port(*p)
		c.ports[i] = nil // the outputs that need it have copies
	}
	p := &plan{gate: m.gate}
	for i := range c.findings {
		f := report.NewFinding(c.findings[i], "")
		f.Verdict = report.GateVerdict(&p.gate, &c.findings[i])
		c.summary.Count(f)
		_ = outs.Finding(f)
	}
	for _, n := range c.verdict.Notices {
		_ = outs.Notice(report.NewNotice(n, ""))
	}
	if run.EndTime.IsZero() {
		run.EndTime = result.NewTime(time.Now())
	}
	_ = outs.End(run, c.summary)
}
