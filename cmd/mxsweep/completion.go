package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newCompletion is "mxsweep completion SHELL".
func newCompletion(s *session) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "print the completion script for a shell",
		Long:      "Prints the completion script for bash, zsh, fish or powershell. The one for bash\nneeds the package bash-completion.",
		Example:   "  mxsweep completion bash > /etc/bash_completion.d/mxsweep",
		ValidArgs: shells,
		Args:      exactArgs(1, "one shell"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			switch root := cmd.Root(); args[0] {
			case "bash":
				err = root.GenBashCompletionV2(s.stdout, true)
			case "zsh":
				err = root.GenZshCompletion(s.stdout)
			case "fish":
				err = root.GenFishCompletion(s.stdout, true)
			case "powershell":
				err = root.GenPowerShellCompletionWithDesc(s.stdout)
			default:
				return usagef(fmt.Sprintf("one of %s", strings.Join(shells, ", ")), "unknown shell %q", args[0])
			}
			return writing("standard output", err)
		},
	}
}
