package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// How messages name the streams.
const (
	standardOutput = "standard output"
	standardError  = "standard error"
)

// An outputSpec is one --output: a format and where it goes.
type outputSpec struct {
	format string
	file   string // "-" is standard output, "" standard error
}

// name is how messages call the destination.
func (o outputSpec) name() string {
	switch o.file {
	case "-":
		return standardOutput
	case "":
		return standardError
	}
	return fmt.Sprintf("%q", o.file)
}

// parseOutputs reads the values of --output: FORMAT for standard output, or
// FORMAT=FILE, where "-" is standard output too and may stand only once.
func parseOutputs(values []string) ([]outputSpec, error) {
	var specs []outputSpec
	var errs []error
	for _, v := range values {
		format, file, named := strings.Cut(v, "=")
		if !named {
			file = "-"
		}
		spec := outputSpec{format, file}
		switch {
		case !slices.Contains(report.Formats(), format):
			errs = append(errs, unknownFormat(format, named))
		case file == "":
			errs = append(errs, usagef("FORMAT=FILE, or FORMAT alone for standard output", "reading output %q: no file is named", v))
		case file == "-" && slices.ContainsFunc(specs, func(o outputSpec) bool { return o.file == file }):
			errs = append(errs, usagef("give each output a file of its own: FORMAT=FILE", "reading output %q: %s is taken by another output", v, spec.name()))
		default:
			specs = append(specs, spec)
		}
	}
	return specs, errors.Join(errs...)
}

// unknownFormat refuses a format; named says that a file came with it. Without one
// the word may be that of a file whose format its extension tells.
func unknownFormat(name string, named bool) error {
	hint := "one of " + strings.Join(report.Formats(), ", ")
	if name == "xml" || name == "X" { // the latter of "-oX FILE"
		return usagef("write -o nmap-xml=FILE or -o junit=FILE; FORMAT is "+hint, "unknown output format %q", name)
	}
	ext := strings.TrimPrefix(filepath.Ext(name), ".")
	format, ok := map[string]string{"txt": "text", "md": "markdown"}[ext]
	if !ok {
		format = ext
	}
	if !named && slices.Contains(report.Formats(), format) {
		return usagef(fmt.Sprintf("did you mean -o %s=%s?", format, name), "unknown output format %q", name)
	}
	return usagef(spelling.Hint(report.Formats(), name, hint), "unknown output format %q", name)
}

// outputs is a [report.Writer] that hands a run on to several. One that fails
// is left out from then on and harms no other; its error is kept for close.
type outputs struct {
	mu      sync.Mutex // held while a record is written
	all     []*output
	capture *capture // nil without --pcap
}

// An output is one format on its way to one file.
type output struct {
	spec outputSpec
	w    report.Writer
	file destination // nil for standard output and standard error
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

// A fileRule says how the files of a run are opened.
type fileRule struct {
	private bool // for their owner alone

	// dropsRights is set for a run that drops its rights on the way. It cannot
	// rename files in other users' directories later on: there it writes in
	// place.
	dropsRights bool

	// hashed is set for a run whose audit log tells what was written.
	hashed bool
}

// mode is how the file of an output is written.
func (r fileRule) mode(ctx context.Context, spec outputSpec) outfile.Mode {
	return outfile.Mode{
		InPlace: report.Streams(spec.format) || r.dropsRights && outfile.Foreign(spec.file),
		Private: r.private,
		Done:    ctx.Done(),
	}
}

// openOutputs opens everything that a run will write, so that a file that
// cannot be written is known before the first packet. What stands in the files
// stays until the run begins to write.
func openOutputs(ctx context.Context, stdout io.Writer, specs []outputSpec, rule fileRule, opts func(outputSpec) report.Options) (*outputs, error) {
	o := &outputs{}
	var errs []error
	for _, spec := range specs {
		out := &output{spec: spec}
		dst := stdout
		if spec.file != "-" {
			f, err := outfile.Create(spec.file, rule.mode(ctx, spec))
			if err != nil {
				errs = append(errs, opening("output "+spec.name(), err))
				continue
			}
			out.file, dst = f, f
		}
		if rule.hashed {
			out.sum = sha256.New()
			dst = hashing{dst, out.sum}
		}
		w, err := report.New(spec.format, dst, opts(spec))
		if err != nil {
			errs = append(errs, fault.As(fault.Usage, err))
		}
		out.w = w
		o.all = append(o.all, out)
	}
	if err := errors.Join(errs...); err != nil {
		o.discard()
		return nil, err
	}
	return o, nil
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

// hashes are the SHA-256 of the reports that were written whole, for the audit
// log.
func (o *outputs) hashes() map[string]string {
	sums := make(map[string]string)
	for _, out := range o.all {
		if out.sum != nil && out.err == nil {
			sums["sha256 "+out.spec.format+"="+out.spec.file] = hex.EncodeToString(out.sum.Sum(nil))
		}
	}
	if c := o.capture; c != nil && c.sum != nil && !c.told {
		sums["sha256 pcap="+c.file.Name()] = hex.EncodeToString(c.sum.Sum(nil))
	}
	return sums
}

// opening says which file of a run could not be opened. It asks for exitError.
func opening(what string, err error) error {
	hint := "name a file in a folder that is there and can be written; nothing was sent"
	if errors.Is(err, outfile.ErrNoReader) {
		hint = fmt.Sprintf("start what reads it first; it was waited for %s, and nothing was sent", outfile.FIFOWait)
	}
	return &fault.Error{Kind: fault.Failed, Err: fmt.Errorf("opening %s: %w", what, fault.WithoutPath(err)), Advice: hint}
}

// each calls write for every output that still works. The error is not nil
// only if none works any more: then nobody would hear of what is found.
func (o *outputs) each(write func(*output) error) error {
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
	if works {
		return nil
	}
	return errors.New("no output can be written any more")
}

// tellOthers puts the failure of one output down in those that still work.
func (o *outputs) tellOthers(failed *output) {
	for _, out := range o.all {
		if out.err == nil {
			out.err = out.w.Notice(result.Notice{
				Code:    exposure.NoticeOutput,
				Level:   "error",
				Message: fmt.Sprintf("The %s output to %s failed: %v.", failed.spec.format, failed.spec.name(), fault.WithoutPath(failed.err)),
			})
		}
	}
}

// Start implements [report.Writer].
func (o *outputs) Start(t result.Tool, r result.Run) error {
	return o.each(func(out *output) error { return out.w.Start(t, r) })
}

// Port implements [report.Writer].
func (o *outputs) Port(p result.Port) error {
	return o.each(func(out *output) error { return out.w.Port(p) })
}

// early hands a port to the formats that write at once, as soon as it is known
// what answers there, so that a run that is killed has told what it found.
func (o *outputs) early(p result.Port) error {
	return o.each(func(out *output) error {
		if !report.Streams(out.spec.format) {
			return nil
		}
		return out.w.Port(p)
	})
}

// linked hands a port to all formats once its whole host is known; those that
// had it early get it again only if that told more of it.
func (o *outputs) linked(p result.Port, more bool) error {
	return o.each(func(out *output) error {
		if report.Streams(out.spec.format) && !more {
			return nil
		}
		return out.w.Port(p)
	})
}

// Finding implements [report.Writer].
func (o *outputs) Finding(f result.Finding) error {
	return o.each(func(out *output) error { return out.w.Finding(f) })
}

// Notice implements [report.Writer].
func (o *outputs) Notice(n result.Notice) error {
	return o.each(func(out *output) error { return out.w.Notice(n) })
}

// End implements [report.Writer].
func (o *outputs) End(r result.Run, s result.Summary) error {
	// Nothing is read after the end, so there is no one to tell.
	for _, out := range o.all {
		if out.err == nil {
			out.err = out.w.End(r, s)
		}
	}
	return nil
}

// failed reports whether an output met an error so far.
func (o *outputs) failed() bool {
	return slices.ContainsFunc(o.all, func(out *output) bool { return out.err != nil })
}

// shows reports whether the format goes to standard output.
func (o *outputs) shows(format string) bool {
	return slices.ContainsFunc(o.all, func(out *output) bool { return out.spec == outputSpec{format, "-"} })
}

// printed reports whether a report goes to standard output.
func (o *outputs) printed() bool {
	return slices.ContainsFunc(o.all, func(out *output) bool { return out.spec.file == "-" })
}

// close puts the files in their places and says what could not be written.
func (o *outputs) close() error {
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
		errs = append(errs, fault.WriteError(out.spec.name(), err))
	}
	if o.capture != nil {
		errs = append(errs, o.capture.close())
	}
	return errors.Join(errs...)
}

// discard takes back what was opened, for a run that does not take place.
func (o *outputs) discard() {
	if o.capture != nil {
		o.capture.file.Discard()
	}
	for _, out := range o.all {
		if out.file != nil {
			out.file.Discard()
		}
	}
}
