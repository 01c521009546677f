package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report/fixplan"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/saved"
)

// newFix returns the command "mxsweep fix".
func newFix(s *session) *cobra.Command {
	var file string
	var asJSON, markdown bool
	cmd := &cobra.Command{
		Use:   "fix --plan RUN",
		Short: "print the shortest list of edits that closes the findings of a run",
		Long: `Reads RUN, which "mxsweep scan" wrote as json or jsonl, and prints the shortest
list of edits that closes its findings, by host, most urgent first: the file, the
edit, and the commands that check it, apply it and verify the result. Nothing is
changed. "-" reads standard input. For a truncated run the plan says that it
covers only the part that could be read, and the exit code is 3.`,
		Example: "  mxsweep fix --plan run.json\n  mxsweep fix --plan run.jsonl --markdown",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && file == "" {
				return usagef(fmt.Sprintf("did you mean \"mxsweep fix --plan %s\"?", visible(args[0])), "unexpected argument %q: the run must be given with --plan", args[0])
			}
			return exactArgs(0, "")(cmd, args)
		},
		RunE: func(*cobra.Command, []string) error {
			switch {
			case file == "":
				return usagef(`give a run written by "mxsweep scan -o json=FILE"`, "missing --plan RUN")
			case asJSON && markdown:
				return usagef("use only one of them", "combining --json with --markdown: only one format at a time")
			}
			plan, err := s.plan(file)
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				enc := json.NewEncoder(s.stdout)
				enc.SetEscapeHTML(false)
				enc.SetIndent("", "  ")
				err = enc.Encode(plan)
			case markdown:
				_, err = io.WriteString(s.stdout, plan.Markdown())
			default:
				_, err = io.WriteString(s.stdout, plan.Text(s.textWidth()))
			}
			return fault.WriteError(standardOutput, err)
		},
	}
	cmd.Flags().StringVar(&file, "plan", "", "read the saved run `RUN` (json or jsonl)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON for programs")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print Markdown for documentation")
	return cmd
}

// plan reads the saved run in file and plans its fixes.
func (s *session) plan(file string) (fixplan.Plan, error) {
	in := io.Reader(s.stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return fixplan.Plan{}, usagef(`RUN must be written by "mxsweep scan -o json=FILE" or "-o jsonl=FILE"`, "opening run %q: %w", file, fault.WithoutPath(err))
		}
		defer f.Close()
		in = f
	}
	rules, err := exposure.Builtin()
	if err != nil {
		return fixplan.Plan{}, err
	}
	run, err := saved.Read(file, in)
	if err != nil {
		return fixplan.Plan{}, err
	}
	plan := fixplan.New(run.Findings)
	plan.Incomplete = run.Lacks()
	switch {
	case plan.Incomplete == "":
	case run.Summary.Gate == result.GateError:
		s.code = gate.Worse(s.code, gate.ExitError)
		fallthrough
	default:
		fmt.Fprintf(s.stderr, "mxsweep: reading run %s: %s The plan covers only what was read.\n", visible(strconv.Quote(file)), visible(plan.Incomplete))
	}
	s.tellUnknownRules(file, rules, saved.RulesOfFindings(run.Findings))
	return plan, nil
}
