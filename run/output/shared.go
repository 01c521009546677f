package output

import (
	"fmt"
	"os"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
)

// openShared opens a file to which other programs write too. Its existing content
// counts towards the limit of a format: GitHub drops a summary that is too long
// completely.
func (o *Set) openShared(spec *Spec, rule *OpenOptions) error {
	f, err := openAppended(spec.File)
	if err != nil {
		return fault.As(fault.Failed, fmt.Errorf("opening the %s %s: %w", spec.What, spec.Name(), fault.WithoutPath(err)))
	}
	options := spec.Options
	if spec.Format == "markdown" {
		options.MaxBytes = report.MaxMarkdown
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			options.MaxBytes -= int(min(info.Size(), report.MaxMarkdown))
		}
		if options.MaxBytes < report.MinMarkdown {
			if rule.Log != nil {
				rule.Log(fmt.Sprintf("no %s: %s is full", spec.What, spec.Name()))
			}
			return f.Commit()
		}
	}
	return o.add(&output{spec: spec, file: f}, f, options)
}

// An appendedFile is a file to which other programs write too.
type appendedFile struct{ *os.File }

func openAppended(name string) (appendedFile, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	return appendedFile{f}, err
}

// Commit implements [destination].
func (a appendedFile) Commit() error { return a.Close() }

// Discard keeps what others wrote; an error would not help anyone.
func (a appendedFile) Discard() { _ = a.Close() }
