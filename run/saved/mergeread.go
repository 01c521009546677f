package saved

import (
	"errors"
	"os"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// Read reads all runs, including those that were cut short, and the baseline if
// baseline is not "". It returns all errors.
func (m *Merger) Read(files []string, baseline string) error {
	m.once = true
	var errs []error
	read := map[string]*RunFile{} // nil if it could not be read
	for _, file := range files {
		r, again := read[file]
		if !again {
			var err error
			r, err = readWholeRun(file, m.Rules)
			errs = append(errs, err)
			read[file] = r
		}
		if r != nil {
			m.Runs = append(m.Runs, r) // [Merger.Check] refuses duplicates
		}
	}
	if baseline != "" {
		var err error
		m.Baseline, _, err = ReadBaseline(baseline, m.Rules)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// readWholeRun reads everything in a saved run, even if it was cut short.
func readWholeRun(file string, rules *exposure.RuleSet) (*RunFile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fault.Usagef(`RUN must be written by "mxsweep scan -o json=FILE" or "-o jsonl=FILE"`, "opening run %q: %w", file, fault.WithoutPath(err))
	}
	defer f.Close()
	run := &RunFile{File: file, rules: rules, services: newServices(), whole: true}
	if err := run.read(f); err != nil {
		return nil, ReadError(file, err)
	}
	return run, nil
}

// Write writes the merged run as a report of a tool that was called with args.
func (m *Merger) Write(tool result.Tool, args []string, w format.Writer, c *Merged) {
	run := m.run(args)
	for _, r := range m.Runs {
		r.ports, r.services = nil, nil // c has everything that is reported
	}
	// The writer keeps its errors and returns them when it is closed.
	tool.RulesVersion, tool.ProbesVersion = m.Rules.Version, m.Runs[0].tool.ProbesVersion
	_ = w.Start(tool, run)
	for i, p := range c.ports {
		_ = w.Port(*p)
		c.ports[i] = nil // the writers that need it have copies
	}
	for i := range c.Findings {
		f := report.Clean(c.Findings[i].Finding(), "")
		f.Verdict = report.GateVerdict(&m.Gate, &c.Findings[i])
		c.summary.Count(f)
		_ = w.Finding(f)
	}
	for _, n := range c.Decision.Notices {
		_ = w.Notice(report.Clean(n, ""))
	}
	_ = w.End(run, c.summary)
}
