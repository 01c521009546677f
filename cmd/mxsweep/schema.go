package main

import (
	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
)

// newSchema returns the command "mxsweep schema [policy]".
func newSchema(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [policy]",
		Short: "print the JSON schema of the json and jsonl reports, or of the policy file",
		Long: `Prints the JSON schema of the json and jsonl reports, or with "policy" that of the
policy file, for editors.`,
		ValidArgs: []string{"policy"},
		RunE: func(_ *cobra.Command, args []string) error {
			schema := report.Schema()
			switch {
			case len(args) == 1 && args[0] == "policy":
				schema = policy.Schema()
			case len(args) > 0:
				return wrongArguments(args, `use "mxsweep schema" or "mxsweep schema policy"`, `nothing or "policy"`)
			}
			_, err := s.stdout.Write(schema)
			return fault.WriteError(standardOutput, err)
		},
	}
}
