package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/internal/auditlog"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/wording"
)

// newAudit returns the command "mxsweep audit".
func newAudit(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "verify an audit log",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(`"mxsweep audit --help" lists the commands`, "missing command after audit")
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "verify FILE",
		Short: "verify the hash chain of an audit log",
		Long: `Checks that no line of FILE, which "mxsweep scan --audit-log FILE" wrote, was
changed, removed or moved, and prints the last hash. Lines removed from the end
cannot be detected from the file alone: compare the hash with a copy of it that
is kept elsewhere.`,
		Args: exactArgs(1, "one audit log"),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return usagef(`FILE must be written by "mxsweep scan --audit-log FILE"`, "opening audit log %q: %w", args[0], fault.WithoutPath(err))
			}
			defer f.Close()
			tail, err := auditlog.Verify(args[0], f)
			if err != nil {
				return fault.As(fault.Failed, err)
			}
			if tail.Seq == 0 {
				_, err = fmt.Fprintln(s.stdout, "the audit log is empty")
				return fault.WriteError(standardOutput, err)
			}
			_, err = fmt.Fprintf(s.stdout, "%s, chain intact, last entry %s\n%s\n", wording.Plural(tail.Seq, "line"), tail.Time.Format(time.RFC3339), tail.Hash)
			return fault.WriteError(standardOutput, err)
		},
	})
	return cmd
}
