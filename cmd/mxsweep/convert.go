package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/run/saved"
)

// newConvert is "mxsweep convert".
func newConvert(s *session) *cobra.Command {
	var out outputFlags
	cmd := &cobra.Command{
		Use:   "convert RUN [-o FORMAT[=FILE]]",
		Short: "write a saved run in another format",
		Long: `Reads RUN, which "mxsweep scan" wrote as json or jsonl, and writes it in any
other format, text by default. Of a truncated run, everything up to the truncation
is written; the report and standard error say where it ends, and the exit code
is 3. "-" reads standard input.`,
		Example: "  mxsweep convert run.jsonl -o text -o sarif=mxsweep.sarif",
		Args:    exactArgs(1, "one saved run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.convert(cmd.Context(), args[0], &out)
		},
	}
	out.register(cmd.Flags())
	return cmd
}

// convert replays the saved run in file to the outputs.
func (s *session) convert(ctx context.Context, file string, flags *outputFlags) error {
	defer memory.BoundReading()()
	flags.saved = file
	specs, err := flags.specs(s)
	if err != nil {
		return err
	}
	run := s.stdinUse("the run")
	if file != "-" {
		run = outfile.Use{Role: "the run", Name: file}
	}
	if err := outfile.Check(output.Uses(specs), []outfile.Use{run}); err != nil {
		return err
	}
	in := io.Reader(s.stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return usagef(`RUN must be written by "mxsweep scan -o json=FILE" or "-o jsonl=FILE"`, "opening run %q: %w", file, fault.WithoutPath(err))
		}
		defer f.Close()
		in = f
	}
	outs, err := output.Open(ctx, specs, output.OpenOptions{Private: flags.private, Log: s.log})
	if err != nil {
		return err
	}
	undo := outs.Discard
	s.undo.Store(&undo)
	rules, err := exposure.Builtin()
	if err != nil {
		outs.Discard()
		return err
	}
	watch := &replayWatch{Writer: outs, rules: map[string]bool{}}
	summary, err := report.Reader{File: file, Rules: rules.Infos(nil)}.Replay(in, watch)
	if err != nil && !outs.Failed() {
		outs.Discard()
		return saved.ReadError(file, err)
	}
	err = outs.Close()
	s.tellUnknownRules(file, rules, maps.Keys(watch.rules))
	if !summary.Complete && summary.Gate == result.GateError {
		s.code = gate.Worse(s.code, gate.ExitError)
		s.tellPart(file, watch.cut, outs)
	}
	return err
}

// A replayWatch passes a saved run on, and keeps the message about where it is cut off
// and the rules of its findings.
type replayWatch struct {
	format.Writer
	cut   string // "" if it is complete
	rules map[string]bool
}

// Finding implements [format.Writer].
func (w *replayWatch) Finding(f result.Finding) error {
	w.rules[f.Rule] = true
	return w.Writer.Finding(f)
}

// Notice implements [format.Writer].
func (w *replayWatch) Notice(n result.Notice) error {
	if n.Code == view.NoticeCutShort {
		w.cut = n.Message
	}
	return w.Writer.Notice(n)
}

// tellPart says on standard error that a saved run has no end, where it is cut off,
// and what was written of it.
func (s *session) tellPart(file, cut string, outs *output.Set) {
	if cut == "" {
		cut = "The run was aborted before its end."
	}
	fmt.Fprintf(s.stderr, "mxsweep: reading run %s: %s\n", visible(strconv.Quote(file)), visible(cut))
	if written := outs.Written(); len(written) > 0 {
		fmt.Fprintf(s.stderr, "mxsweep: the part that could be read was written: %s\n", visible(strings.Join(written, ", ")))
	}
}

// stdinUse is the file that standard input was redirected from.
func (s *session) stdinUse(role string) outfile.Use {
	f, _ := s.stdin.(*os.File)
	return outfile.Use{Role: role, Name: "standard input", Open: f}
}
