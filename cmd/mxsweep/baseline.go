package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/run/saved"
)

// newBaseline is "mxsweep baseline" with its commands.
func newBaseline(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "write, update, prune, show and diff baselines",
		Long: `A baseline contains the findings of an earlier run, one per line and sorted, so
that a diff shows which findings were added and removed. "mxsweep scan --baseline
FILE" reports for each finding whether it is new, unchanged, updated, fixed or
could not be verified. FILE may also be a saved run (json or jsonl).`,
		Example: `  mxsweep scan -s scope.txt -o json=run.json --fail-on none
  mxsweep baseline write run.json -o baseline.jsonl
  mxsweep scan -s scope.txt --baseline baseline.jsonl --fail-on new:high,any:critical -o json=run.json
  mxsweep baseline update run.json --baseline baseline.jsonl`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(`"mxsweep baseline --help" lists the commands`, "missing command after baseline")
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(
		newBaselineWrite(s),
		newBaselineUpdate(s),
		newBaselinePrune(s),
		newBaselineShow(s),
		newBaselineDiff(s),
	)
	return cmd
}

// openBaseline reads a baseline for a command that only needs the entries. whole
// reports whether it is a saved run.
func (s *session) openBaseline(file string) (b *drift.Baseline, whole bool, err error) {
	rules, err := exposure.Builtin()
	if err != nil {
		return nil, false, err
	}
	if b, whole, err = saved.ReadBaseline(file, rules); err == nil {
		s.tellUnknownRules(file, rules, saved.RulesOfBaseline(b))
	}
	return b, whole, err
}

// writeBaseline writes a baseline to a file, completely or not at all; "-" is standard
// output. The file must not be the run from which it is made, if any.
func (s *session) writeBaseline(file string, b *drift.Baseline, run string) error {
	written := outfile.Use{Flag: "flag \"--output\"", Name: file}
	if err := outfile.Check([]outfile.Use{written}, []outfile.Use{{Role: "the run", Name: run}}); file != "-" && err != nil {
		return err
	}
	data, err := b.Encode()
	if err != nil {
		return err
	}
	return s.writeFile(file, data)
}

// writeFile writes a file, or standard output for "-".
func (s *session) writeFile(file string, data []byte) error {
	if file == "-" {
		_, err := s.stdout.Write(data)
		return fault.WriteError(standardOutput, err)
	}
	out, err := outfile.Create(file, outfile.Mode{})
	if err != nil {
		return fault.As(fault.Failed, fmt.Errorf("opening output %q: %w", file, fault.WithoutPath(err)))
	}
	if _, err := out.Write(data); err != nil {
		out.Discard()
		return fault.WriteError(fmt.Sprintf("%q", file), err)
	}
	return fault.WriteError(fmt.Sprintf("%q", file), out.Commit())
}

func newBaselineWrite(s *session) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "write RUN [-o FILE]",
		Short: "create a baseline from a saved run",
		Long: `Creates a baseline from RUN, which "mxsweep scan" wrote as json or jsonl. A
truncated run is refused: the findings that it lacks would appear as new in the
next run. So would findings on hosts that were silent: create the baseline from
a run in which all hosts answered.`,
		Args: exactArgs(1, "one saved run"),
		RunE: func(_ *cobra.Command, args []string) error {
			run, err := s.readRun(args[0])
			if err != nil {
				return err
			}
			return s.writeBaseline(output, run.Baseline(nil), args[0])
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "-", "write to `FILE`")
	return cmd
}

func newBaselineUpdate(s *session) *cobra.Command {
	var file, output string
	cmd := &cobra.Command{
		Use:   "update RUN --baseline FILE",
		Short: "update a baseline from a run that was compared with it",
		Long: `Updates FILE from RUN, which must have been made with "--baseline FILE": adds new
findings, removes fixed ones, and keeps those that could not be verified, byte for
byte. If FILE is a saved run, -o names the baseline to write.`,
		Args: exactArgs(1, "one saved run"),
		RunE: func(_ *cobra.Command, args []string) error {
			if file == "" {
				return usagef("name the baseline to update with --baseline FILE", "no baseline given")
			}
			old, saved, err := s.openBaseline(file)
			if err != nil {
				return err
			}
			if saved && output == "" {
				return usagef("name the baseline to write with -o FILE", "updating baseline %q: it is a saved run, which is not changed, and no output file is given", file)
			}
			run, err := s.readRun(args[0])
			if err != nil {
				return err
			}
			if b := run.Record.Baseline; b == nil || b.SHA256 != old.SHA256 {
				return usagef(fmt.Sprintf("scan with --baseline %s first", file), "updating baseline %q: run %q was not compared with it", file, args[0])
			}
			if output == "" {
				output = file
			}
			return s.writeBaseline(output, run.Baseline(old), args[0])
		},
	}
	cmd.Flags().StringVar(&file, "baseline", "", "the baseline `FILE` to update")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to `FILE` (default the baseline itself)")
	return cmd
}

func newBaselinePrune(s *session) *cobra.Command {
	var targets, rules []string
	cmd := &cobra.Command{
		Use:     "prune FILE",
		Short:   "remove the findings of decommissioned hosts",
		Long:    "Removes the findings of the given rules on the given targets from FILE, and lists them.",
		Example: "  mxsweep baseline prune baseline.jsonl --target 192.0.2.10",
		Args:    exactArgs(1, "one baseline"),
		RunE: func(_ *cobra.Command, args []string) error {
			return s.pruneBaseline(args[0], targets, rules)
		},
	}
	cmd.Flags().StringArrayVar(&targets, "target", nil, "remove findings on `HOST`: an address, prefix, range or name; repeatable")
	cmd.Flags().StringArrayVar(&rules, "rule", nil, "remove findings of rule `ID`; repeatable")
	return cmd
}

// pruneBaseline removes the entries that match a target and a rule; if only one of
// both is given, that suffices.
func (s *session) pruneBaseline(file string, targets, rules []string) error {
	if len(targets) == 0 && len(rules) == 0 {
		return usagef("give --target HOST, --rule ID or both", "no --target and no --rule given")
	}
	b, saved, err := s.openBaseline(file)
	if err != nil {
		return err
	}
	if saved {
		return usagef(`"mxsweep baseline write RUN -o FILE" creates a baseline from it`, "pruning baseline %q: it is a saved run", file)
	}
	var hosts []policy.Selector
	for _, t := range targets {
		h, err := policy.ParseSelector(t)
		if err != nil {
			return fault.As(fault.Usage, fmt.Errorf("reading --target %q: %w", t, err))
		}
		hosts = append(hosts, h)
	}
	dropped := b.Prune(func(e *drift.Entry) bool {
		host, rule := len(hosts) == 0, len(rules) == 0
		for _, h := range hosts {
			host = host || e.On(h)
		}
		for _, r := range rules {
			rule = rule || strings.EqualFold(r, e.Rule)
		}
		return !(host && rule)
	})
	if len(dropped) == 0 {
		fmt.Fprintf(s.stderr, "mxsweep: no finding in baseline %q matches\n", file)
		return nil
	}
	if err := s.writeBaseline(file, b, ""); err != nil {
		return err
	}
	var out bytes.Buffer
	baselineTable(&out, "removed ", b.Vantage, dropped)
	_, err = s.stdout.Write(out.Bytes())
	return fault.WriteError(standardOutput, err)
}

func newBaselineShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "show a baseline as a table",
		Args:  exactArgs(1, "one baseline"),
		RunE: func(_ *cobra.Command, args []string) error {
			b, _, err := s.openBaseline(args[0])
			if err != nil {
				return err
			}
			var out bytes.Buffer
			fmt.Fprintf(&out, "%s of %s, seen from %s", wording.Plural(len(b.Entries), "finding"), wording.Moment(b.Created), visible(b.Vantage))
			if b.Ports != "" { // of a scan
				fmt.Fprintf(&out, ", %s %s", wording.Ports(b.Ports), visible(b.Ports))
			}
			fmt.Fprintln(&out)
			baselineTable(&out, "", b.Vantage, b.Entries)
			_, err = s.stdout.Write(out.Bytes())
			return fault.WriteError(standardOutput, err)
		},
	}
}

func newBaselineDiff(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "show the differences between two baselines",
		Args:  exactArgs(2, "two baselines"),
		RunE: func(_ *cobra.Command, args []string) error {
			before, _, err := s.openBaseline(args[0])
			if err != nil {
				return err
			}
			after, _, err := s.openBaseline(args[1])
			if err != nil {
				return err
			}
			var out bytes.Buffer
			for _, c := range drift.Diff(before, after) {
				if c.Before != nil {
					baselineTable(&out, "- ", before.Vantage, []drift.Entry{*c.Before})
				}
				if c.After != nil {
					baselineTable(&out, "+ ", before.Vantage, []drift.Entry{*c.After})
				}
			}
			_, err = s.stdout.Write(out.Bytes())
			return fault.WriteError(standardOutput, err)
		},
	}
}

// baselineTable writes entries as aligned lines behind a mark, with all that a diff
// looks at. From is the vantage point that goes without saying.
func baselineTable(b *bytes.Buffer, mark, from string, entries []drift.Entry) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		host := e.IP.String()
		switch {
		case e.Listener != "":
			host = e.Host + ": " + e.Listener
		case e.Host != "":
			host += " (" + e.Host + ")"
		}
		what := cmp.Or(e.Product, e.Service)
		if e.Product != "" && e.Service != "" {
			what += " (" + e.Service + ")"
		}
		since := "since " + e.FirstSeen.Format(time.DateOnly)
		if e.Vantage != from {
			since += ", seen from " + e.Vantage
		}
		if e.Status != "" {
			since += ", " + strings.TrimSpace(string(e.Status)+" "+e.Acceptance)
		}
		fmt.Fprintf(w, "%s%s\t%s\t%s\t%d/%s\t%s\t%s\n", mark, e.Rule, e.Severity, visible(host), e.Port, e.Protocol,
			visible(orDash(what)), visible(since))
	}
	// Writing to a buffer never fails.
	_ = w.Flush()
}

// readRun reads a saved run that is complete enough to be a baseline.
func (s *session) readRun(file string) (*saved.RunFile, error) {
	defer memory.BoundReading()()
	rules, err := exposure.Builtin()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, usagef(`RUN must be written by "mxsweep scan -o json=FILE" or "-o jsonl=FILE"`, "opening run %q: %w", file, fault.WithoutPath(err))
	}
	defer f.Close()
	run, err := saved.ReadWhole(file, f, rules)
	if err == nil {
		s.tellUnknownRules(file, rules, saved.RulesOfFindings(run.Findings))
	}
	return run, err
}
