package main

import (
	"github.com/spf13/cobra"

	"mxsweep/report"
)

// newSchema is "mxsweep schema".
func newSchema(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON schema of the json and jsonl reports",
		Args:  exactArgs(0, ""),
		RunE: func(*cobra.Command, []string) error {
			_, err := s.stdout.Write(report.Schema())
			return writing(standardOutput, err)
		},
	}
}
