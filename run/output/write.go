package output

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// each calls write for every output that still works. It returns an error only if
// there were some and none works any more, because then nobody would see the
// results.
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

// tellOthers reports the failure of one output in those that still work.
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

// Early passes a port to the formats that write at once, as soon as its service
// is known, so that a run that is killed has reported it.
func (o *Set) Early(p result.Port) error {
	return o.each(func(out *output) error {
		if !report.Streams(out.spec.Format) {
			return nil
		}
		return out.w.Port(p)
	})
}

// Linked passes a port to all formats when its whole host is known; formats that
// already have it get it again only if more is set.
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
	// Nothing is read after the end, so a failure cannot be reported there.
	for _, out := range o.all {
		if out.err == nil {
			out.err = out.w.End(r, s)
		}
	}
	return nil
}

// Failed reports whether an output has failed.
func (o *Set) Failed() bool {
	return slices.ContainsFunc(o.all, func(out *output) bool { return out.err != nil })
}

// Failures returns the errors so far, including those of the capture.
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

// Written returns the reports without an error, as "FORMAT to FILE".
func (o *Set) Written() []string {
	var written []string
	for _, out := range o.all {
		if out.err == nil {
			written = append(written, out.spec.Format+" to "+out.spec.Name())
		}
	}
	return written
}

// Close completes the files and returns the errors of those that could not be
// written.
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

// Discard undoes Open, for a run that does not take place.
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
