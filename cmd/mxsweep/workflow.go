package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// Under GitHub Actions (GITHUB_ACTIONS is "true") a run is also told to the
// workflow: annotations on standard error, where they cannot spoil a report on
// standard output (the runner reads commands from both), a summary appended to
// the file that GITHUB_STEP_SUMMARY names, and outputs to that of
// GITHUB_OUTPUT. They are outputs like any other: one that fails is exit code 3
// and harms no other.

// openWorkflow adds the outputs that a workflow of GitHub reads, if this is one.
func (o *outputs) openWorkflow(s *session, opts func(outputSpec) report.Options) error {
	if s.env("GITHUB_ACTIONS") != "true" {
		return nil
	}
	err := errors.Join(o.openSummary(s, opts), o.openStepOutputs(s))
	if o.shows("github") {
		return err
	}
	spec := outputSpec{"github", ""}
	w, failed := report.New(spec.format, s.stderr, opts(spec))
	o.all = append(o.all, &output{spec: spec, w: w})
	return errors.Join(err, failed)
}

// openSummary adds the summary of the step. What the step wrote before is
// counted: GitHub drops a summary that is too long as a whole.
func (o *outputs) openSummary(s *session, opts func(outputSpec) report.Options) error {
	spec := outputSpec{"markdown", s.env("GITHUB_STEP_SUMMARY")}
	if spec.file == "" {
		return nil
	}
	f, err := openAppended(spec.file)
	if err != nil {
		return fault.As(fault.Failed, fmt.Errorf("opening the step summary %s: %w", spec.name(), fault.WithoutPath(err)))
	}
	options := opts(spec)
	options.MaxBytes = report.MaxMarkdown
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		options.MaxBytes -= int(min(info.Size(), report.MaxMarkdown))
	}
	if options.MaxBytes < report.MinMarkdown {
		fmt.Fprintf(s.stderr, "mxsweep: no step summary: %s is full\n", spec.name())
		return f.Commit()
	}
	w, err := report.New(spec.format, f, options)
	o.all = append(o.all, &output{spec: spec, w: w, file: f})
	return err
}

// openStepOutputs adds the outputs of the step.
func (o *outputs) openStepOutputs(s *session) error {
	spec := outputSpec{"outputs", s.env("GITHUB_OUTPUT")}
	if spec.file == "" {
		return nil
	}
	f, err := openAppended(spec.file)
	if err != nil {
		return fault.As(fault.Failed, fmt.Errorf("opening the step outputs %s: %w", spec.name(), fault.WithoutPath(err)))
	}
	o.all = append(o.all, &output{spec: spec, w: stepOutputs{f}, file: f})
	return nil
}

// stepOutputs is a [report.Writer] for the outputs of a step.
type stepOutputs struct{ w io.Writer }

// Start implements [report.Writer].
func (stepOutputs) Start(result.Tool, result.Run) error { return nil }

// Port implements [report.Writer].
func (stepOutputs) Port(result.Port) error { return nil }

// Finding implements [report.Writer].
func (stepOutputs) Finding(result.Finding) error { return nil }

// Notice implements [report.Writer].
func (stepOutputs) Notice(result.Notice) error { return nil }

// End implements [report.Writer].
func (o stepOutputs) End(_ result.Run, s result.Summary) error {
	_, err := io.WriteString(o.w, report.GitHubOutputs(s))
	return err
}

// An appendedFile is a file that others write to as well.
type appendedFile struct{ *os.File }

func openAppended(name string) (appendedFile, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	return appendedFile{f}, err
}

// Commit implements [destination].
func (a appendedFile) Commit() error { return a.Close() }

// Discard leaves what others wrote; an error would be of no use to anybody.
func (a appendedFile) Discard() { _ = a.Close() }
