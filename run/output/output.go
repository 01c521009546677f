// Package output writes the reports of a run to their destinations: several
// formats at once, each into a file that is either complete or absent. If one
// fails, the others are not affected.
package output

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
)

// StandardOutput is the name of that stream in messages.
const StandardOutput = "standard output"

// A Spec is one requested report: a format, and its destination.
type Spec struct {
	// Format is one of [report.Formats].
	Format string

	// File is the file to write. "-" is standard output, and "" another stream:
	// both use Writer.
	File   string
	Writer io.Writer

	// Title is the name of Writer in messages if File is "".
	Title string

	// Options are the options of the format.
	Options format.Options

	// Shared is set for a file to which other programs write too: the report is
	// appended, and nothing is ever removed. What is the name of such a file in
	// messages, like "step summary", and Variable the environment variable with
	// its path.
	Shared         bool
	What, Variable string

	// New returns the writer of a format that is not in package report; nil for
	// one that is.
	New func(io.Writer) format.Writer
}

// Name returns the name of the destination in messages.
func (s *Spec) Name() string {
	switch s.File {
	case "-":
		return StandardOutput
	case "":
		return s.Title
	}
	return fmt.Sprintf("%q", s.File)
}

// Uses returns the files that specs write, for [outfile.Check]. Standard output
// counts as the file to which it is redirected, if any.
func Uses(specs []Spec) []outfile.Use {
	var uses []outfile.Use
	for i := range specs {
		spec := &specs[i]
		u := outfile.Use{Flag: fmt.Sprintf("output %q", spec.Format+"="+spec.File), Name: spec.File}
		switch {
		case spec.Variable != "":
			u.Flag, u.Role = "variable "+spec.Variable, spec.Variable+" of the workflow"
		case spec.File == "-":
			u.Name = StandardOutput
			if u.Open, _ = spec.Writer.(*os.File); u.Open == nil {
				continue
			}
		case spec.File == "":
			continue
		}
		uses = append(uses, u)
	}
	return uses
}

// A Set is a [format.Writer] that passes a run on to several others. One that
// fails is no longer used, and does not affect the others; Close returns its
// error.
type Set struct {
	mu      sync.Mutex // held while a record is written
	all     []*output
	capture *capture // nil without a capture
}

// An output is one report while it is written.
type output struct {
	spec *Spec
	w    format.Writer
	file destination // nil for streams
	err  error       // the first error
	sum  hash.Hash   // of what was written; nil if not needed
}

// A destination is an output file: Commit completes it, Discard undoes it as far
// as possible.
type destination interface {
	io.Writer
	Commit() error
	Discard()
}

// OpenOptions specify how the files of a run are opened.
type OpenOptions struct {
	Private bool // accessible only to their owner

	// Pcap is the file for captured packets, "" for none.
	Pcap string

	// Log receives messages for the user; nil discards them.
	Log func(text string)

	// DropsRights is set for a run that drops its privileges. Later it cannot
	// rename files in directories of other users, so it writes there in place.
	DropsRights bool

	// Hashed is set for a run whose audit log has the hashes of its outputs.
	Hashed bool
}

// mode returns how the file of a report is written.
func (r *OpenOptions) mode(ctx context.Context, spec *Spec) outfile.Mode {
	return outfile.Mode{
		InPlace: report.Streams(spec.Format) || r.DropsRights && outfile.Foreign(spec.File),
		Private: r.Private,
		Done:    ctx.Done(),
	}
}

// Open opens all outputs of a run, so that a file that cannot be written is
// detected before the first packet. Existing files keep their content until the
// run begins to write. It returns the errors of all files that cannot be opened.
func Open(ctx context.Context, specs []Spec, rule OpenOptions) (*Set, error) {
	o := &Set{}
	var errs []error
	for i := range specs {
		errs = append(errs, o.open(ctx, &specs[i], &rule))
	}
	if errors.Join(errs...) == nil {
		errs = append(errs, o.openCapture(ctx, rule.Pcap, rule.Hashed))
	}
	if err := errors.Join(errs...); err != nil {
		o.Discard()
		return nil, err
	}
	return o, nil
}

// open opens one report.
func (o *Set) open(ctx context.Context, spec *Spec, rule *OpenOptions) error {
	if spec.Shared {
		return o.openShared(spec, rule)
	}
	out := &output{spec: spec}
	dst := stream(ctx, spec.Writer)
	if dst == nil && (spec.File == "-" || spec.File == "") {
		return fault.Usagef("set File to a name, or Writer", "the %s report has nowhere to go", spec.Format)
	}
	if spec.File != "-" && spec.File != "" {
		f, err := outfile.Create(spec.File, rule.mode(ctx, spec))
		if err != nil {
			return opening("output "+spec.Name(), err)
		}
		out.file, dst = f, f
	}
	if rule.Hashed && spec.File != "" {
		out.sum = sha256.New()
		dst = hashing{dst, out.sum}
	}
	return o.add(out, dst, spec.Options)
}

// stream is a writer that a run which is stopped does not wait for: a pipe or a
// terminal blocks while nobody reads it.
func stream(ctx context.Context, w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
			return outfile.Stoppable(w, ctx.Done())
		}
	}
	return w
}

// add makes the writer of a report that is open.
func (o *Set) add(out *output, dst io.Writer, options format.Options) error {
	o.all = append(o.all, out)
	if out.spec.New != nil {
		out.w = out.spec.New(dst)
		return nil
	}
	var err error
	out.w, err = report.New(out.spec.Format, dst, options)
	return fault.As(fault.Usage, err)
}

// A hashing is a writer that hashes what was written. It is not an *os.File:
// whether the output is a terminal is decided before.
type hashing struct {
	io.Writer
	sum hash.Hash
}

// Write implements [io.Writer].
func (h hashing) Write(p []byte) (int, error) {
	n, err := h.Writer.Write(p)
	h.sum.Write(p[:max(n, 0)]) // never fails
	return n, err
}

// Hashes returns the SHA-256 of the reports that were written completely, for the
// audit log.
func (o *Set) Hashes() map[string]string {
	sums := make(map[string]string)
	for _, out := range o.all {
		if out.sum != nil && out.err == nil {
			sums["sha256 "+out.spec.Format+"="+out.spec.File] = hex.EncodeToString(out.sum.Sum(nil))
		}
	}
	if c := o.capture; c != nil && c.sum != nil && !c.told {
		sums["sha256 pcap="+c.file.Name()] = hex.EncodeToString(c.sum.Sum(nil))
	}
	return sums
}

// opening returns the error for a file of a run that could not be opened, with an
// exit code.
func opening(what string, err error) error {
	hint := "choose a file in an existing, writable directory; nothing was sent"
	if errors.Is(err, outfile.ErrNoReader) {
		hint = fmt.Sprintf("start the reader first; mxsweep waited %s for it, and nothing was sent", outfile.FIFOWait)
	}
	return &fault.Error{Kind: fault.Failed, Err: fmt.Errorf("opening %s: %w", what, fault.WithoutPath(err)), Hint: hint}
}
