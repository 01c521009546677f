package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/run"
)

// newPolicy is "mxsweep policy".
func newPolicy(s *session) *cobra.Command {
	flags := &scanFlags{}
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "check a policy file",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(`"mxsweep policy --help" lists the commands`, "missing command after policy")
			}
			return unknownVerb(cmd, args[0])
		},
	}
	check := &cobra.Command{
		Use:   "check [FILE]",
		Short: "check a policy file and the scope files that it names",
		Long: `Reads FILE, or mxsweep.yaml, as "mxsweep scan" does, and the scope files that it
names. No names are resolved and nothing is sent. Prints warnings, with exit code
0, for accepted risks that have expired, expire soon or cover very many hosts, and
for an authorization that is not valid now or at --now.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return wrongArguments(args, "usage: "+cmd.UseLine(), "one policy file")
			}
			if len(args) == 1 {
				flags.policy = args[0]
			}
			return s.checkPolicy(cmd.Context(), flags)
		},
	}
	registerNow(check.Flags(), flags)
	cmd.AddCommand(check)
	return cmd
}

// checkPolicy reads a policy and its scope files and summarizes them.
func (s *session) checkPolicy(ctx context.Context, flags *scanFlags) error {
	defer memory.BoundReading()()
	known, rules, err := run.LoadKnowledge()
	if err != nil {
		return err
	}
	file, err := run.ReadPolicy(run.PolicyFile(flags.policy), rules, known)
	if err != nil {
		return err
	}
	if file == nil {
		return usagef(`name one, as in "mxsweep policy check FILE", or create `+policy.DefaultFile, "no policy file found")
	}
	allowed, excluded, err := run.CheckPolicy(ctx, file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.stdout, "%s is valid: %s\n", file.File, strings.Join([]string{
		wording.Amount(allowed, "scope entry", "scope entries"),
		wording.Amount(excluded, "exclude", "excludes"),
		wording.Amount(len(file.Canaries), "canary", "canaries"),
		wording.Amount(len(file.Expect), "expected service", "expected services"),
		wording.Amount(len(file.MustBeClosed), "must_be_closed entry", "must_be_closed entries"),
		wording.Amount(len(file.Accept), "accepted risk", "accepted risks"),
	}, ", "))
	if why := file.Authorization.Warning(flags.time()); why != "" {
		fmt.Fprintf(s.stderr, "mxsweep: %s\n", visible(why))
	}
	for _, n := range file.OwnNotices(flags.time()) {
		s.tell(n)
	}
	return fault.WriteError(standardOutput, err)
}
