package main

import (
	"io"

	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/output"
)

// Under GitHub Actions (GITHUB_ACTIONS is "true") a run also has outputs for the
// workflow: annotations on standard error, where they cannot damage a report on
// standard output (the runner reads commands from both), a summary appended to the
// file of GITHUB_STEP_SUMMARY, and outputs in that of GITHUB_OUTPUT. They behave like
// any other output: one that fails is exit code 3 and does not affect the others.

// workflowSpecs returns the outputs for a workflow of GitHub, next to specs; none
// outside of a workflow.
func (s *session) workflowSpecs(specs []output.Spec, opts func(*output.Spec) format.Options) []output.Spec {
	if s.env("GITHUB_ACTIONS") != "true" {
		return nil
	}
	var more []output.Spec
	add := func(spec output.Spec) {
		spec.Options = opts(&spec)
		more = append(more, spec)
	}
	if file := s.env("GITHUB_STEP_SUMMARY"); file != "" {
		add(output.Spec{Format: "markdown", File: file, Shared: true, What: "step summary", Variable: "GITHUB_STEP_SUMMARY"})
	}
	if file := s.env("GITHUB_OUTPUT"); file != "" {
		add(output.Spec{Format: "outputs", File: file, Shared: true, What: "step outputs", Variable: "GITHUB_OUTPUT",
			New: func(w io.Writer) format.Writer { return stepOutputs{w} }})
	}
	if !shows(specs, "github") {
		add(output.Spec{Format: "github", Writer: s.stderr, Title: standardError})
	}
	return more
}

// stepOutputs is a [format.Writer] for the outputs of a step.
type stepOutputs struct{ w io.Writer }

// Start implements [format.Writer].
func (stepOutputs) Start(result.Tool, result.Run) error { return nil }

// Port implements [format.Writer].
func (stepOutputs) Port(result.Port) error { return nil }

// Finding implements [format.Writer].
func (stepOutputs) Finding(result.Finding) error { return nil }

// Notice implements [format.Writer].
func (stepOutputs) Notice(result.Notice) error { return nil }

// End implements [format.Writer].
func (o stepOutputs) End(_ result.Run, s result.Summary) error {
	_, err := io.WriteString(o.w, report.GitHubOutputs(s))
	return err
}
