package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mxsweep/exposure"
	"mxsweep/report"
	"mxsweep/signatures"
)

// completeFlags lets a shell complete the values of flags: the words of choices,
// formats, profiles and vantages.
func completeFlags(cmd *cobra.Command) {
	words := map[string]func() []string{
		"output":  func() []string { return describedFormats() },
		"ports":   profileNames,
		"vantage": func() []string { return []string{"internet", "lan", "host"} },
		"fail-on": failOnWords,
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete := words[f.Name]
		if c, ok := f.Value.(*choice); ok {
			complete = func() []string { return c.words }
		}
		if complete == nil || f.Name == "output" && f.Value.Type() != "stringArray" {
			return
		}
		// The error is that the flag does not exist or is completed twice.
		_ = cmd.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return complete(), cobra.ShellCompDirectiveNoFileComp
		})
	})
}

func describedFormats() []string {
	var all []string
	for _, f := range report.Formats() {
		all = append(all, f+"\t"+report.Describe(f))
	}
	return all
}

func profileNames() []string {
	known, err := signatures.LoadPorts(signatures.FS())
	if err != nil {
		return nil
	}
	var all []string
	for _, p := range known.Profiles() {
		all = append(all, p.Name+"\t"+p.Title)
	}
	return all
}

func failOnWords() []string {
	all := []string{"none"}
	severities := exposure.Severities()
	slices.Reverse(severities)
	for _, drift := range []string{"any", "new"} {
		for _, s := range severities {
			all = append(all, strings.Join([]string{drift, s.String()}, ":"))
		}
	}
	return all
}
