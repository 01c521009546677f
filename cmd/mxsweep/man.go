package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// newMan is "mxsweep man DIR".
func newMan(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "write the manual pages into a directory",
		Long:    "Writes one manual page for the program and one for each command into DIR, which is created if needed.",
		Example: "  mxsweep man /usr/local/share/man/man1",
		Args:    exactArgs(1, "one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("creating directory %q: %w", args[0], fault.WithoutPath(err))
			}
			return writeMan(args[0], cmd.Root())
		},
	}
}

// writeMan writes the page of cmd and those of the commands below it.
func writeMan(dir string, cmd *cobra.Command) error {
	file := filepath.Join(dir, manName(cmd)+".1")
	if err := os.WriteFile(file, []byte(manPage(cmd)), 0o644); err != nil {
		return fault.WriteError(file, err)
	}
	for _, sub := range cmd.Commands() {
		if sub.Hidden {
			continue
		}
		if err := writeMan(dir, sub); err != nil {
			return err
		}
	}
	return nil
}

func manName(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "-")
}

// manPage returns the page of cmd in the man macros of roff (man(7)). Package
// cobra/doc writes pages too, but without operands, groups of flags and exit status,
// and adds a Markdown parser to the binary.
func manPage(cmd *cobra.Command) string {
	var b strings.Builder
	name := manName(cmd)
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"mxsweep %s\" \"mxsweep manual\"\n", strings.ToUpper(name), version)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(cmd.Short))
	b.WriteString(".SH SYNOPSIS\n")
	subs := slices.DeleteFunc(slices.Clone(cmd.Commands()), func(sub *cobra.Command) bool { return sub.Hidden })
	if !needsCommand(cmd) {
		fmt.Fprintf(&b, ".B %s\n.br\n", roff(cmd.UseLine()))
	}
	if len(subs) > 0 {
		fmt.Fprintf(&b, ".B %s COMMAND [flags]\n", roff(cmd.CommandPath()))
	}
	long := cmd.Long
	if long == "" {
		long = strings.ToUpper(cmd.Short[:1]) + cmd.Short[1:] + "."
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roffText(long))
	manFlags(&b, cmd)
	if len(subs) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range subs {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(sub.Name()), roff(sub.Short))
		}
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	if !cmd.HasParent() || cmd.Name() == "scan" || cmd.Name() == "merge" {
		b.WriteString(manExit)
	}
	if cmd.HasParent() {
		subs = append(subs, cmd.Parent())
	}
	var also []string
	for _, other := range subs {
		also = append(also, fmt.Sprintf(".BR %s (1)", roff(manName(other))))
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", strings.Join(also, " ,\n"))
	return b.String()
}

// manFlags writes the flags of cmd and those that it shares with its parent, in the
// sections of the help, without --help.
func manFlags(b *strings.Builder, cmd *cobra.Command) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range []*pflag.FlagSet{cmd.LocalFlags(), cmd.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				flags.AddFlag(f)
			}
		})
	}
	if !flags.HasAvailableFlags() {
		return
	}
	b.WriteString(".SH OPTIONS\n")
	parts := sections(flags)
	for _, part := range parts {
		if len(parts) > 1 {
			fmt.Fprintf(b, ".SS %s\n", roff(part.title))
		}
		for _, f := range part.flags {
			manFlag(b, f)
		}
	}
}

func manFlag(b *strings.Builder, f *pflag.Flag) {
	operand, usage := pflag.UnquoteUsage(f)
	short := ""
	if f.Shorthand != "" {
		short = "-" + f.Shorthand + ", "
	}
	if operand != "" {
		operand = " " + operand
	}
	fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(short+"--"+f.Name+operand), roff(usage+manDefault(f)))
}

// manDefault returns the default of a flag, if it is useful and not part of the usage.
func manDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
		return ""
	case "-":
		return " (default standard output)"
	}
	if strings.Contains(f.Usage, "default") {
		return ""
	}
	return " (default " + f.DefValue + ")"
}

// manExit is the section that scripts rely on.
const manExit = `.SH EXIT STATUS
.TP
.B 0
pass: no finding matches \-\-fail\-on, and the coverage is sufficient
.TP
.B 1
fail: at least one finding matches \-\-fail\-on
.TP
.B 2
usage: an invalid flag, target, policy, scope, signature or baseline; nothing was sent
.TP
.B 3
error: aborted, or an output could not be written
.TP
.B 4
incomplete: would pass, but the coverage is insufficient, a canary did not answer, a name did not resolve, or nothing was in scope
.TP
.B 5
refused: a target is outside the scope, or the run is not authorized
.TP
.B 129, 130, 131, 143
stopped by SIGHUP, SIGINT, SIGQUIT or SIGTERM; the results so far are written.
A second signal ends the process at once; under nohup, SIGHUP is ignored.
On Windows, Ctrl\-C and Ctrl\-Break count as SIGINT; closing the console, logging off and shutting down count as SIGTERM.
.PP
If several apply, the first of 5, 2, 3, 1, 4, 0 is used.
`

// roff escapes text that roff would interpret.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// roffText is roff with blank lines as paragraph breaks.
func roffText(s string) string {
	return strings.ReplaceAll(roff(s), "\n\n", "\n.PP\n")
}
