package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/run"
)

// A session is the input, the output and the environment of one call of the command.
type session struct {
	args   []string // as the user wrote them, without the program's name
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	env    func(string) string

	// code is the result of a command that ended without an error, such as
	// gate.ExitFail; the zero value is a pass.
	code gate.ExitCode

	// graceful is set by a command that from then on ends by itself when its context
	// does, and writes the results so far. Before, there is nothing to write.
	graceful atomic.Bool

	// helpErr is set if help was requested for a command that does not exist, or could
	// not be written.
	helpErr error

	// toldRules are rules in files that this version does not know, and that were
	// reported.
	toldRules map[string]bool

	// undo removes what a command has started that does not end by itself; may be nil.
	undo atomic.Pointer[func()]
}

// program runs the command: it parses args, does what they say and returns the exit
// code. Canceling ctx stops it early; the results so far are written.
func program(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string) int {
	s := &session{args: args, stdin: stdin, stdout: stdout, stderr: stderr, env: env}
	root := newRoot(s)
	root.SetArgs(args)
	err, ended := s.execute(ctx, root)
	if err != nil {
		printError(stderr, err)
	}
	code := run.CodeOf(err)
	if ended {
		code = gate.Worse(s.code, code)
	}
	if c, ok := signalCode(ctx); ok {
		code = gate.Worse(code, c)
	}
	return int(code)
}

// execute runs the command and reports whether it ended. If ctx is done while it waits
// for a pipe, a terminal or a slow file, execute returns without it: opening and
// reading those cannot be stopped.
func (s *session) execute(ctx context.Context, root *cobra.Command) (err error, ended bool) {
	done := make(chan error, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		done <- errors.Join(err, s.helpErr)
	}()
	select {
	case err := <-done:
		return err, true
	case <-ctx.Done():
	}
	if s.graceful.Load() {
		return <-done, true
	}
	if undo := s.undo.Load(); undo != nil {
		(*undo)()
	}
	if _, ok := signalCode(ctx); ok {
		return nil, false // the caller knows
	}
	return context.Cause(ctx), false
}

// newRoot builds the tree of commands, from which man pages, completions and help are
// made.
func newRoot(s *session) *cobra.Command {
	var printVersion bool
	root := &cobra.Command{
		Use:   "mxsweep",
		Short: "find internal mail services that are exposed",
		Long: `mxsweep scans the addresses in a scope for the ports that mail daemons use among
themselves, identifies the daemon on each open port and what is behind it, and
reports the ones that strangers should not be able to reach.

Only scan what you are authorized to scan.`,
		Example: `  mxsweep demo
  mxsweep scan 192.0.2.10
  mxsweep scan --scope scope.txt --output sarif=mxsweep.sarif --fail-on any:high`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if printVersion && len(args) == 0 {
				return s.printVersion()
			}
			if len(args) == 0 {
				return usagef(`"mxsweep demo" shows what it does, "mxsweep help" lists the commands`, "missing command")
			}
			return unknownVerb(cmd, args[0])
		},
	}
	root.Flags().BoolVar(&printVersion, "version", false, "print the version")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(s.stdin)
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return flagErrors(cmd, s.args, err)
	})
	root.SetUsageFunc(s.usage)
	root.SetHelpCommand(newHelp())
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		// Package cobra accepts --help in any command line.
		if name := unknownIn(cmd, args); name != "" {
			s.helpErr = unknownVerb(cmd, name)
			return
		}
		var b bytes.Buffer // package cobra does not report whether it can be written
		root.SetOut(&b)
		help(cmd, args)
		_, err := s.stdout.Write(b.Bytes())
		s.helpErr = fault.WriteError(standardOutput, err)
	})
	root.AddCommand(
		newScan(s),
		newConvert(s),
		newFix(s),
		newMerge(s),
		newConfig(s),
		newHost(s),
		newDomain(s),
		newBaseline(s),
		newPolicy(s),
		newAudit(s),
		newPorts(s),
		newRules(s),
		newSignatures(s),
		newDemo(s),
		newSchema(s),
		newVersion(s),
		newCompletion(s),
		newMan(s),
	)
	for _, verb := range root.Commands() {
		completeFlags(verb)
	}
	return root
}

// unknownIn returns the word of a command line that should be a command below cmd and
// is none, "" if there is no such word.
func unknownIn(cmd *cobra.Command, args []string) string {
	if !cmd.HasAvailableSubCommands() {
		return ""
	}
	_, rest, err := cmd.Root().Find(args)
	if err != nil {
		return ""
	}
	for _, word := range rest {
		if !strings.HasPrefix(word, "-") {
			return word
		}
	}
	return ""
}

// unknownVerb returns the error for a command that does not exist.
func unknownVerb(parent *cobra.Command, name string) error {
	var names []string
	for _, c := range parent.Commands() {
		names = append(names, c.Name())
	}
	hint := `"` + parent.CommandPath() + ` --help" lists the commands`
	if best := spelling.Nearest(names, name); best != "" {
		hint = spelling.Hint(names, name, hint)
	} else if strings.ContainsAny(name, ".:/") {
		hint = cmp.Or(verbOfFile(parent, name), hint)
	}
	return usagef(hint, "unknown command %q", name)
}

// verbOfFile is the hint for a file or a target in place of a command below parent, ""
// if none takes one.
func verbOfFile(parent *cobra.Command, name string) string {
	head, _ := userfile.ReadHead(name) // a target is no file
	kind := userfile.KindOfFile(head)
	switch {
	case parent.Name() == "audit":
		return fmt.Sprintf("did you mean %q?", "mxsweep audit verify "+name)
	case parent.Name() == "policy":
		return fmt.Sprintf("did you mean %q?", "mxsweep policy check "+name)
	case parent.Name() == "baseline" && kind == userfile.Baseline:
		return fmt.Sprintf("did you mean %q?", "mxsweep baseline show "+name)
	case parent.Name() == "baseline":
		return fmt.Sprintf("did you mean %q?", "mxsweep baseline write "+name)
	case parent.HasParent():
		return ""
	case kind != "":
		return kind.Use()
	}
	return `targets go after the command: "mxsweep scan ` + name + `"`
}

// newHelp is "mxsweep help [COMMAND]", which differs from cobra's own in that an
// unknown command is a usage error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil:
				return unknownVerb(cmd.Root(), strings.Join(args, " "))
			case len(rest) > 0 && found.HasAvailableSubCommands():
				return unknownVerb(found, strings.Join(rest, " "))
			case len(rest) > 0:
				return wrongArguments(rest, "usage: "+cmd.UseLine(), "one command")
			}
			return found.Help()
		},
	}
}

// exactArgs refuses any other number of arguments than n; what describes them.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		if n == 0 {
			what = "no arguments"
		}
		return wrongArguments(args, "usage: "+cmd.UseLine(), what)
	}
}

// wrongArguments is the error for arguments in place of what a command expects.
func wrongArguments(args []string, hint, what string) error {
	if len(args) == 0 {
		return usagef(hint, "missing argument: %s expected", what)
	}
	many := "arguments"
	if len(args) == 1 {
		many = "argument"
	}
	return usagef(hint, "unexpected %s %s: %s expected", many, quotedList(args), what)
}

// quotedList quotes words for a message: "a", "b".
func quotedList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return strings.Join(quoted, ", ")
}
