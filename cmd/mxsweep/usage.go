package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usage prints how a command is called: lines, examples, commands and flags, as wide
// as the terminal.
func (s *session) usage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.Runnable() && !needsCommand(cmd) {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND [flags]\n", cmd.CommandPath())
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, verb := range cmd.Commands() {
			if verb.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-*s  %s\n", cmd.NamePadding(), verb.Name(), verb.Short)
			}
		}
	}
	if flags := cmd.Flags(); flags.HasAvailableFlags() {
		writeFlags(&b, flags, s.width(s.stdout))
	}
	if slices.Contains(gated, cmd.Name()) {
		fmt.Fprintf(&b, "\n%s\n", exitCodesHelp)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nRun \"%s COMMAND --help\" for more about a command.\n", cmd.CommandPath())
	}
	if !cmd.HasParent() {
		fmt.Fprintf(&b, "The manual is at %s, \"mxsweep man DIR\" writes manual pages.\n", manual)
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}

// manual is where the documentation is.
const manual = "https://github.com/mxsweep/mxsweep/tree/main/docs"

// gated are the program and the commands that end with the result of the gate.
var gated = []string{"mxsweep", "scan", "merge"}

// needsCommand reports whether a command only works with one of those below it.
// --version of the program is in the list of its flags.
func needsCommand(cmd *cobra.Command) bool { return cmd.HasAvailableSubCommands() }

// writeFlags lists the flags section by section, in columns that are the same
// for all of them.
func writeFlags(b *strings.Builder, flags *pflag.FlagSet, width int) {
	text := flagUsages(flags, width)
	parts := sections(flags)
	if len(parts) == 1 {
		fmt.Fprintf(b, "\nFlags:\n%s", text)
		return
	}
	entries := flagEntries(text)
	for _, part := range parts {
		fmt.Fprintf(b, "\n%s:\n", part.title)
		for _, f := range part.flags {
			b.WriteString(entries[f.Name])
		}
	}
}

// flagEntries splits a list of flags, in the format of package pflag, into the lines
// of each.
func flagEntries(text string) map[string]string {
	entries := make(map[string]string)
	const before = len("  -x, ")
	name := ""
	for line := range strings.Lines(text) {
		if len(line) > before && strings.HasPrefix(line[before:], "--") {
			name, _, _ = strings.Cut(line[before+len("--"):], " ")
			name = strings.TrimSpace(name)
		}
		entries[name] += line
	}
	return entries
}

// defaultWidth is the width of help without a terminal.
const defaultWidth = 100

// flagUsages lists the flags. Package pflag says of each switch that it may be "=true"
// or "=false", which helps no one.
func flagUsages(flags *pflag.FlagSet, width int) string {
	if width == 0 {
		width = defaultWidth
	}
	const noise = "[=true|false]"
	longest, widest := 0, 0
	flags.VisitAll(func(f *pflag.Flag) {
		operand, _ := pflag.UnquoteUsage(f)
		n := len(f.Name) + len(operand) + 1
		if f.Value.Type() == "bool" {
			n = len(f.Name)
			widest = max(widest, n+len(noise))
		}
		longest = max(longest, n)
	})
	// If a switch makes the column wide, it gets narrower.
	spare := max(widest-longest, 0)
	text := flags.FlagUsagesWrapped(width + spare)
	text = strings.ReplaceAll(text, noise, strings.Repeat(" ", len(noise)))
	if spare == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	const before = len("  -x, --")
	for i, line := range lines {
		if len(line) > before+longest+spare {
			lines[i] = line[:before+longest] + line[before+longest+spare:]
		}
	}
	return strings.Join(lines, "\n")
}
