package main

// Errors are printed here and nowhere else, by these rules: "mxsweep: ", lower case,
// no full stop; the action, its operand (quoted), and the cause. A user error is
// followed by "mxsweep: hint: " lines with the remedy. The cause is never only in a
// hint.

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/report/sanitize"
)

// usagef returns a user error with a hint.
func usagef(hint, format string, args ...any) error { return fault.Usagef(hint, format, args...) }

// printError writes err, one line for each error joined in it, each followed by
// the line of the file that is wrong, where that is known, and the hints of its
// chain.
func printError(w io.Writer, err error) {
	for _, one := range split(err) {
		if readerGone(one) {
			continue
		}
		for line := range strings.SplitSeq(one.Error(), "\n") {
			fmt.Fprintf(w, "mxsweep: %s\n", visible(line))
		}
		excerpt, hints := fault.Details(one)
		for _, line := range excerpt {
			fmt.Fprintf(w, "mxsweep: %s\n", visible(line))
		}
		for _, line := range hints {
			fmt.Fprintf(w, "mxsweep: hint: %s\n", visible(line))
		}
	}
}

// hintOf returns the hint of one error of a chain, "" if it has none.
func hintOf(err error) string {
	if e, ok := err.(interface{ ErrorHint() string }); ok {
		return e.ErrorHint()
	}
	return ""
}

// maxMessage is the maximum length of a line of a message.
const maxMessage = 8 << 10

// visible escapes unprintable characters, and text that a CI system would take for a
// command: messages contain file names, targets and replies of servers, none of which
// may control the terminal or the job.
func visible(s string) string { return sanitize.Text(s, maxMessage) }

// flagErrors returns all errors in the flags of a command line, of which package pflag
// reports only the first. It reads them into flags of a new command: some values
// cannot be set twice.
func flagErrors(cmd *cobra.Command, words []string, first error) error {
	fresh, words, err := newRoot(&session{}).Find(words)
	if err != nil || fresh.CommandPath() != cmd.CommandPath() {
		return flagError(cmd, first)
	}
	fresh.InitDefaultHelpFlag()
	var told []error
	for begin, end := 0, 1; end <= len(words) && words[begin] != "--"; end++ {
		err := fresh.ParseFlags(words[begin:end])
		if errors.As(err, new(*pflag.ValueRequiredError)) && end < len(words) {
			continue // the value is the next word
		}
		begin = end
		if err = flagError(fresh, err); err != nil && !slices.ContainsFunc(told, func(e error) bool { return e.Error() == err.Error() }) {
			told = append(told, err)
		}
	}
	if len(told) == 0 {
		return flagError(cmd, first)
	}
	return errors.Join(told...)
}

// flagError converts an error of package pflag to a usage error whose hint names the
// flag that was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	flags, help := cmd.Flags(), fmt.Sprintf("%q lists the flags", cmd.CommandPath()+" --help")
	switch e := err.(type) {
	case nil:
		return nil
	case *pflag.NotExistError:
		name := e.GetSpecifiedName()
		if group := e.GetSpecifiedShortnames(); group != "" {
			return usagef(cmp.Or(habitHint(flags, "-"+group, "-"+name), help), "unknown flag %q", "-"+name)
		}
		if hint := habitHint(flags, "--"+name); hint != "" {
			return usagef(hint, "unknown flag %q", "--"+name)
		}
		return usagef(spelling.Hint(flagNames(flags), "--"+name, help), "unknown flag %q", "--"+name)
	case *pflag.ValueRequiredError:
		return usagef(help, "flag %q needs a value", "--"+e.GetFlag().Name)
	case *pflag.InvalidValueError:
		_, usage := pflag.UnquoteUsage(e.GetFlag())
		usage = fmt.Sprintf("--%s: %s", e.GetFlag().Name, usage)
		if c, ok := e.GetFlag().Value.(*choice); ok {
			usage = spelling.Hint(c.words, e.GetValue(), usage)
		}
		usage = secondsHint(e.GetFlag(), e.GetValue(), usage)
		if e.GetFlag().Value.Type() == new(timeFlag).Type() {
			usage = userfile.DateHint(e.GetValue(), usage)
		}
		return usagef(usage,
			"reading flag %q: bad value %q: %w", "--"+e.GetFlag().Name, e.GetValue(), e.Unwrap())
	case *pflag.InvalidSyntaxError:
		return usagef(help, "reading flag %q: not a valid flag", e.GetSpecifiedFlag())
	default:
		return usagef(help, "%w", err)
	}
}

// flagNames are the flags as they are written.
func flagNames(flags *pflag.FlagSet) []string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return names
}

// readerGone reports whether err says that no one reads standard output any more, as
// with "| head". The user knows, so nothing is printed; the exit code is that of an
// output that could not be written.
func readerGone(err error) bool {
	var p *fs.PathError
	onStdout := strings.Contains(err.Error(), "writing "+standardOutput) || errors.As(err, &p) && p.Path == os.Stdout.Name()
	return onStdout && brokenPipe(err)
}

// brokenPipe reports whether err says that the reader of a pipe is gone.
func brokenPipe(err error) bool {
	const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232) // Windows: ERROR_BROKEN_PIPE, ERROR_NO_DATA
	return errors.Is(err, syscall.EPIPE) || runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, noData))
}
