package main

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/signatures"
)

// newCompletion returns the command "mxsweep completion SHELL".
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
				return usagef(spelling.Hint(shells, args[0], "one of "+strings.Join(shells, ", ")), "unknown shell %q", args[0])
			}
			return fault.WriteError("standard output", err)
		},
	}
}

// completeFlags adds completion of the values of flags: choices, formats,
// profiles, vantage points and interfaces.
func completeFlags(cmd *cobra.Command) {
	words := map[string]func() []string{
		"output":    func() []string { return cmd.Flags().Lookup("output").Annotations[formatsKey] },
		"ports":     completePorts,
		"interface": completeInterfaces,
		"vantage":   func() []string { return []string{"internet", "lan", "host"} },
		"fail-on":   failOnWords,
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete := words[f.Name]
		if c, ok := f.Value.(*choice); ok {
			complete = func() []string { return c.words }
		}
		if complete == nil || f.Name == "output" && f.Value.Type() != "stringArray" {
			return
		}
		// It fails only if the flag does not exist or already has a completion.
		_ = cmd.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return complete(), cobra.ShellCompDirectiveNoFileComp
		})
	})
}

// describedFormats returns formats with what they are.
func describedFormats(formats []string) []string {
	var all []string
	for _, f := range formats {
		all = append(all, f+"\t"+report.Describe(f))
	}
	return all
}

func profileNames() []string {
	known, err := signatures.DefaultPorts()
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
	for _, drift := range []string{"any", "new"} {
		for _, s := range result.Severities() {
			all = append(all, strings.Join([]string{drift, s.String()}, ":"))
		}
	}
	for _, rule := range completeRules() {
		all = append(all, "rule:"+rule)
	}
	return all
}

// completeRules returns the ids of the rules, each with its title.
func completeRules() []string {
	set, err := exposure.Builtin()
	if err != nil {
		return nil
	}
	var all []string
	for _, r := range set.All() {
		all = append(all, r.ID+"\t"+r.Title)
	}
	return all
}

// completePorts returns the profiles and the known ports.
func completePorts() []string {
	known, err := signatures.DefaultPorts()
	if err != nil {
		return nil
	}
	all := profileNames()
	for _, p := range known.All() {
		all = append(all, strconv.Itoa(int(p.Number))+"\t"+p.Title)
	}
	return all
}

// completeInterfaces returns the interfaces of this machine, each with its
// hardware address.
func completeInterfaces() []string {
	list, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var all []string
	for _, i := range list {
		all = append(all, i.Name+"\t"+i.HardwareAddr.String())
	}
	return all
}

// completeSignatures returns the ids that "signatures show" accepts.
func completeSignatures(dirs []string) []string {
	set, err := run.LoadSignatures(dirs)
	if err != nil {
		return nil
	}
	var all []string
	for _, sig := range allSignatures(set) {
		all = append(all, sig.ID+"\t"+cmp.Or(sig.Product, sig.Protocol, "signature"))
	}
	for _, p := range set.Probes {
		all = append(all, p.ID+"\tprobe")
	}
	for _, o := range set.Observations {
		all = append(all, o.ID+"\tobservation")
	}
	return all
}

// without returns words without those in given.
func without(words, given []string) []string {
	return slices.DeleteFunc(words, func(w string) bool {
		word, _, _ := strings.Cut(w, "\t")
		return slices.Contains(given, word)
	})
}
