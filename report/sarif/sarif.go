// Package sarif writes a run as SARIF 2.1.0, for code scanning.
package sarif

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// GitHub's limits: the number of results that it shows (it accepts 25,000), the
// size of a file, the number of tags, and the size of a description, in bytes.
const (
	MaxResults   = 5000
	MaxBytes     = 10_000_000
	sarifMaxTags = 20
	sarifMaxText = 1000
)

type sarifWriter struct {
	view.Collector
	w io.Writer
	o format.SARIFOptions
}

// New returns a Writer that writes a run to w as SARIF.
func New(w io.Writer, o format.Options) format.Writer {
	s := &sarifWriter{w: w, o: o.SARIF}
	s.o.Profile = cmp.Or(s.o.Profile, format.ProfileCI)
	s.o.Anchor = cmp.Or(s.o.Anchor, view.FallbackAnchor)
	return s
}

// End implements [format.Writer].
func (s *sarifWriter) End(r result.Run, sum result.Summary) error {
	s.Finish(r)
	b := newSARIFBuilder(&s.Collector, s.o)
	results, err := b.results()
	if err != nil {
		return err
	}
	log := sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{b.run(sum, results)},
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(log); err != nil {
		return fmt.Errorf("encoding SARIF: %w", err)
	}
	out := bufio.NewWriter(s.w)
	out.Write(buf.Bytes())
	return out.Flush()
}

// A sarifBuilder builds a SARIF run, and assigns the indexes to which results
// refer.
type sarifBuilder struct {
	c        *view.Collector
	o        format.SARIFOptions
	findings []*result.Finding // findings that are shown
	ports    map[string]*result.Port
	rules    []result.RuleInfo // rules that results refer to, by id
	ruleAt   map[string]int    // index in rules
	taxa     []int             // CWE numbers, sorted
	files    []string
	fileAt   map[string]int
	left     string // what was grouped, for a notice
}

func newSARIFBuilder(c *view.Collector, o format.SARIFOptions) *sarifBuilder {
	b := &sarifBuilder{
		c: c, o: o,
		ports:  c.ByPlace(),
		ruleAt: make(map[string]int),
		fileAt: make(map[string]int),
	}
	for i := range c.Findings {
		if f := &c.Findings[i]; o.Profile == format.ProfileFull || f.Active() {
			b.findings = append(b.findings, f)
		}
	}
	b.collectRules()
	return b
}

// collectRules collects the rules of the findings and their weaknesses.
func (b *sarifBuilder) collectRules() {
	known := make(map[string]result.RuleInfo)
	for _, r := range b.c.Run.Rules {
		known[r.ID] = r
	}
	for _, f := range b.findings {
		if _, ok := b.ruleAt[f.Rule]; ok {
			continue
		}
		r, ok := known[f.Rule]
		if !ok {
			r = view.RuleOf(f)
		}
		b.ruleAt[f.Rule] = 0
		b.rules = append(b.rules, r)
		b.taxa = append(b.taxa, r.CWE...)
	}
	slices.SortFunc(b.rules, func(x, y result.RuleInfo) int { return strings.Compare(x.ID, y.ID) })
	for i, r := range b.rules {
		b.ruleAt[r.ID] = i
	}
	slices.Sort(b.taxa)
	b.taxa = slices.Compact(b.taxa)
}

// run returns the SARIF run with the results.
func (b *sarifBuilder) run(sum result.Summary, results []json.RawMessage) sarifRun {
	invocation, descriptors := b.invocation(sum)
	driver := sarifComponent{
		Name:            "mxsweep",
		FullName:        "mxsweep mail-infrastructure exposure scanner",
		SemanticVersion: semantic(b.c.Tool.Version),
		Version:         b.c.Tool.Version,
		Rules:           make([]sarifRule, 0, len(b.rules)),
		Notifications:   descriptors,
	}
	if b.c.Tool.RulesVersion != "" || b.c.Tool.ProbesVersion != "" {
		driver.Properties = &sarifComponentP{b.c.Tool.RulesVersion, b.c.Tool.ProbesVersion}
	}
	for i := range b.rules {
		driver.Rules = append(driver.Rules, b.rule(&b.rules[i]))
	}
	run := sarifRun{
		Tool:              sarifTool{Driver: driver},
		AutomationDetails: b.automation(),
		BaseIDs:           map[string]sarifArtifactBase{"SRCROOT": {Description: sarifText{Text: "Root of the audited repository checkout."}}},
		Invocations:       []sarifInvocation{invocation},
		ColumnKind:        "utf16CodeUnits",
		Results:           results,
	}
	if strings.Contains(strings.Join(b.c.Run.Args, " "), redact.Mark) {
		run.RedactionTokens = []string{redact.Mark}
	}
	if r := b.o.Revision; r.URI != "" {
		run.Provenance = []sarifRevision{{sanitize.Text(r.URI, sanitize.MaxField), sanitize.Text(r.Commit, sanitize.MaxField), sanitize.Text(r.Branch, sanitize.MaxField), sarifBase{"SRCROOT"}}}
	}
	if len(b.taxa) > 0 {
		run.Tool.Driver.Taxonomies = []sarifToolRef{{Name: "CWE", Index: 0}}
		run.Taxonomies = []sarifComponent{b.taxonomy()}
	}
	for _, f := range b.files {
		role := "analysisTarget"
		if !view.OfFiles(&b.c.Run) && (strings.HasSuffix(f, ".yaml") || strings.HasSuffix(f, ".yml")) {
			role = "userSpecifiedConfiguration"
		}
		run.Artifacts = append(run.Artifacts, sarifArtifact{
			Location: sarifArtifactLocation{URI: uriPath(f), BaseID: "SRCROOT"}, Roles: []string{role},
		})
	}
	return run
}

// automation identifies the run: GitHub's category is everything before the last
// slash.
func (b *sarifBuilder) automation() sarifAutomation {
	category := cmp.Or(b.o.Category, view.Category(&b.c.Run))
	return sarifAutomation{
		ID:   strings.TrimRight(category, "/") + "/" + b.c.Run.StartTime.String(),
		GUID: b.c.Run.ID,
	}
}

// semantic returns v if it is a version according to semver.org, otherwise "".
func semantic(v string) string {
	v = strings.TrimPrefix(v, "v")
	core, _, _ := strings.Cut(v, "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.Split(core, ".")
	if len(parts) != 3 {
		return ""
	}
	for _, p := range parts {
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return ""
		}
	}
	return v
}
