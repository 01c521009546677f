package saved

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// ReadBaseline reads a baseline: a file written by "mxsweep baseline", or a saved
// run. saved reports which.
func ReadBaseline(file string, rules *exposure.RuleSet) (b *drift.Baseline, saved bool, err error) {
	defer memory.BoundReading()()
	data, err := userfile.ReadLimited(file, drift.MaxSize)
	if err != nil {
		return nil, false, fault.Usagef(`"mxsweep baseline write RUN -o FILE" creates one from a saved run`, "reading baseline %q: %w", file, fault.WithoutPath(err))
	}
	if !report.IsSavedRun(data) {
		b, err = drift.Read(file, data)
		return b, false, fault.As(fault.Usage, err)
	}
	run, err := ReadWhole(file, bytes.NewReader(data), rules)
	if err != nil {
		return nil, true, err
	}
	b = run.known()
	sum := sha256.Sum256(data)
	b.SHA256 = hex.EncodeToString(sum[:])
	return b, true, nil
}

// Read reads a saved run as far as it goes. file is the name of in.
func Read(file string, in io.Reader) (*RunFile, error) {
	run := &RunFile{File: file, services: newServices()}
	if err := run.read(in); err != nil {
		return nil, ReadError(file, err)
	}
	return run, nil
}

// ReadWhole reads a saved run, and returns an error if it is not complete enough
// for a baseline. file is the name of in.
func ReadWhole(file string, in io.Reader, rules *exposure.RuleSet) (*RunFile, error) {
	run := &RunFile{File: file, rules: rules, services: newServices()}
	if err := run.read(in); err != nil {
		return nil, ReadError(file, err)
	}
	if !run.Summary.Complete {
		return nil, fault.Usagef("let the scan finish, and then write the baseline", "reading run %q: it is not complete", file)
	}
	return run, nil
}

// ReadError returns the error for a saved run that could not be read. Errors in
// the file already have their position.
func ReadError(file string, err error) error {
	if errors.As(err, new(userfile.Errors)) {
		return fault.As(fault.Usage, err)
	}
	return fault.As(fault.Usage, fmt.Errorf("reading run %q: %w", file, err))
}

// RulesOfFindings yields the rule ids of findings.
func RulesOfFindings(findings []result.Finding) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range findings {
			if !yield(findings[i].Rule) {
				return
			}
		}
	}
}

// RulesOfBaseline yields the rule ids of a baseline.
func RulesOfBaseline(b *drift.Baseline) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range b.Entries {
			if !yield(b.Entries[i].Rule) {
				return
			}
		}
	}
}
