// Package output takes the reports of a run to where they go: several formats at
// once, each into a file that is whole or not there, and none harmed by another
// one that fails.
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
	"slices"
	"sync"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// StandardOutput is how messages call that stream.
const StandardOutput = "standard output"

// A Spec is one report that is asked for: a format, and where it goes.
type Spec struct {
	// Format is one of [report.Formats].
	Format string

	// File is the file that it goes to. "-" is standard output, and "" another
	// stream: both are Writer.
	File   string
	Writer io.Writer

	// Title is how messages call Writer if File is "".
	Title string

	// Options say how it is to look.
	Options format.Options

	// Shared is set for a file that others write as well: the report is appended,
	// and nothing of it is ever taken back. What is how messages call such a
	// file, like "step summary", and Variable which environment variable names it.
	Shared         bool
	What, Variable string

	// New makes the writer of a format that package report does not have; nil
	// for those that it has.
	New func(io.Writer) format.Writer
}

// Name is how messages call the destination.
func (s *Spec) Name() string {
	switch s.File {
	case "-":
		return StandardOutput
	case "":
		return s.Title
	}
	return fmt.Sprintf("%q", s.File)
}

// Uses are the files that specs write, to be checked against others. Standard
// output is of the file that it was redirected to, if any.
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

// A Set is a [format.Writer] that hands a run on to several. One that fails is
// left out from then on and harms no other; its error is kept for Close.
type Set struct {
	mu      sync.Mutex // held while a record is written
	all     []*output
	capture *capture // nil without a capture
}

// An output is one report on its way.
type output struct {
	spec *Spec
	w    format.Writer
	file destination // nil for streams
	err  error       // the first that was met
	sum  hash.Hash   // of what was written; nil if nobody asks
}

// A destination is a file on its way: Commit ends it, Discard takes it back as
// far as that can be done.
type destination interface {
	io.Writer
	Commit() error
	Discard()
}

// OpenOptions say how the files of a run are opened.
type OpenOptions struct {
	Private bool // for their owner alone

	// Pcap is the file that packets are captured to, "" for none.
	Pcap string

	// Log takes what a user should know at once; nil drops it.
	Log func(text string)

	// DropsRights is set for a run that drops its rights on the way. It cannot
	// rename files in other users' directories later on: there it writes in
	// place.
	DropsRights bool

	// Hashed is set for a run whose audit log tells what was written.
	Hashed bool
}

// mode is how the file of a report is written.
func (r *OpenOptions) mode(ctx context.Context, spec *Spec) outfile.Mode {
	return outfile.Mode{
		InPlace: report.Streams(spec.Format) || r.DropsRights && outfile.Foreign(spec.File),
		Private: r.Private,
		Done:    ctx.Done(),
	}
}

// Open opens everything that a run will write, so that a file that cannot be
// written is known before the first packet. What stands in the files stays until
// the run begins to write. All files that cannot be opened are told at once.
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

// A hashing is a writer that keeps the hash of what was written. It is no
// *os.File: what the terminal is told is decided before.
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

// Hashes are the SHA-256 of the reports that were written whole, for the audit
// log.
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

// opening says which file of a run could not be opened. It asks for the exit code of an error.
func opening(what string, err error) error {
	hint := "choose a file in an existing, writable directory; nothing was sent"
	if errors.Is(err, outfile.ErrNoReader) {
		hint = fmt.Sprintf("start the reader first; mxsweep waited %s for it, and nothing was sent", outfile.FIFOWait)
	}
	return &fault.Error{Kind: fault.Failed, Err: fmt.Errorf("opening %s: %w", what, fault.WithoutPath(err)), Hint: hint}
}

// each calls write for every output that still works. The error is not nil
// only if there were some and none works any more: then nobody would hear of what
// is found.
func (o *Set) each(write func(*output) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	works := false
	for _, out := range o.all {
		if out.err == nil {
			out.err = write(out)
			if out.err != nil {
				o.tellOthers(out)
			}
		}
		works = works || out.err == nil
	}
	if works || len(o.all) == 0 {
		return nil
	}
	return errors.New("no output could be written")
}

// tellOthers puts the failure of one output down in those that still work.
func (o *Set) tellOthers(failed *output) {
	for _, out := range o.all {
		if out.err == nil {
			out.err = out.w.Notice(result.Notice{
				Code:    exposure.NoticeOutput,
				Level:   "error",
				Message: fmt.Sprintf("The %s output to %s failed: %v.", failed.spec.Format, failed.spec.Name(), fault.WithoutPath(failed.err)),
			})
		}
	}
}

// Start implements [format.Writer].
func (o *Set) Start(t result.Tool, r result.Run) error {
	return o.each(func(out *output) error { return out.w.Start(t, r) })
}

// Port implements [format.Writer].
func (o *Set) Port(p result.Port) error {
	return o.each(func(out *output) error { return out.w.Port(p) })
}

// Early hands a port to the formats that write at once, as soon as it is known
// what answers there, so that a run that is killed has told what it found.
func (o *Set) Early(p result.Port) error {
	return o.each(func(out *output) error {
		if !report.Streams(out.spec.Format) {
			return nil
		}
		return out.w.Port(p)
	})
}

// Linked hands a port to all formats once its whole host is known; those that
// had it early get it again only if that told more of it.
func (o *Set) Linked(p result.Port, more bool) error {
	return o.each(func(out *output) error {
		if report.Streams(out.spec.Format) && !more {
			return nil
		}
		return out.w.Port(p)
	})
}

// Finding implements [format.Writer].
func (o *Set) Finding(f result.Finding) error {
	return o.each(func(out *output) error { return out.w.Finding(f) })
}

// Notice implements [format.Writer].
func (o *Set) Notice(n result.Notice) error {
	return o.each(func(out *output) error { return out.w.Notice(n) })
}

// End implements [format.Writer].
func (o *Set) End(r result.Run, s result.Summary) error {
	// Nothing is read after the end, so there is no one to tell.
	for _, out := range o.all {
		if out.err == nil {
			out.err = out.w.End(r, s)
		}
	}
	return nil
}

// Failed reports whether an output met an error so far.
func (o *Set) Failed() bool {
	return slices.ContainsFunc(o.all, func(out *output) bool { return out.err != nil })
}

// Failures are the errors that were met so far, those of the capture included.
func (o *Set) Failures() []error {
	var errs []error
	for _, out := range o.all {
		if out.err != nil {
			errs = append(errs, fault.WriteError(out.spec.Name(), out.err))
		}
	}
	if o.capture != nil {
		if err := o.capture.flush(); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Written are the reports that met no error, as "FORMAT to FILE".
func (o *Set) Written() []string {
	var written []string
	for _, out := range o.all {
		if out.err == nil {
			written = append(written, out.spec.Format+" to "+out.spec.Name())
		}
	}
	return written
}

// Close puts the files in their places and says what could not be written.
func (o *Set) Close() error {
	var errs []error
	for _, out := range o.all {
		err := out.err
		if out.file != nil {
			if err == nil {
				err = out.file.Commit()
				out.err = err
			} else {
				out.file.Discard()
			}
		}
		errs = append(errs, fault.WriteError(out.spec.Name(), err))
	}
	if o.capture != nil {
		errs = append(errs, o.capture.close())
	}
	return errors.Join(errs...)
}

// Discard takes back what was opened, for a run that does not take place.
func (o *Set) Discard() {
	if o.capture != nil {
		o.capture.file.Discard()
	}
	for _, out := range o.all {
		if out.file != nil {
			out.file.Discard()
		}
	}
}
