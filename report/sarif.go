package report

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
	"github.com/mxsweep/mxsweep/result"
)

// SARIFOptions steer the SARIF format.
type SARIFOptions struct {
	// Profile is "ci" (the default), which leaves out what is accepted,
	// expected or fixed because GitHub ignores suppressions, or "full", which
	// keeps all of it with suppressions and baseline state.
	Profile string

	// Category tells several uploads for one commit apart. If empty,
	// "mxsweep/SCOPE/VANTAGE", with the shard behind it where there is one.
	Category string

	// Anchor is the file, relative to the root of the checkout, that results
	// point at where no line of a file put the host in scope (targets given
	// on the command line). If empty, "mxsweep.yaml". GitHub takes no result
	// without a file, but does not ask that the file exists.
	Anchor string

	// Revision is what was checked out where the files are that results point
	// at. The zero Revision is not told.
	Revision Revision
}

// A Revision is a state of a repository. Without a URI it is none.
type Revision struct {
	URI    string // without user and password
	Commit string // "" if not known
	Branch string // "" if not known
}

// The profiles of SARIF.
const (
	ProfileCI   = "ci"
	ProfileFull = "full"
)

// What GitHub shows of the 25,000 results that it takes, and the most bytes,
// tags and bytes of a description that it takes.
const (
	sarifMaxResults = 5000
	sarifMaxBytes   = 10_000_000
	sarifMaxTags    = 20
	sarifMaxText    = 1000
)

type sarifWriter struct {
	collector
	w io.Writer
	o SARIFOptions
}

func newSARIF(w io.Writer, o Options) Writer {
	s := &sarifWriter{w: w, o: o.SARIF}
	s.o.Profile = cmp.Or(s.o.Profile, ProfileCI)
	s.o.Anchor = cmp.Or(s.o.Anchor, fallbackAnchor)
	return s
}

// End implements [Writer].
func (s *sarifWriter) End(r result.Run, sum result.Summary) error {
	s.finish(r)
	b := newSARIFBuilder(&s.collector, s.o)
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

// A sarifBuilder numbers what results refer to by index.
type sarifBuilder struct {
	c        *collector
	o        SARIFOptions
	findings []*result.Finding // that become results
	ports    map[string]*result.Port
	rules    []result.Rule  // used by results, by id
	ruleAt   map[string]int // into rules
	taxa     []int          // CWE numbers, sorted
	files    []string
	fileAt   map[string]int
	left     string // what was rolled up, for a notice
}

func newSARIFBuilder(c *collector, o SARIFOptions) *sarifBuilder {
	b := &sarifBuilder{
		c: c, o: o,
		ports:  c.byPlace(),
		ruleAt: make(map[string]int),
		fileAt: make(map[string]int),
	}
	for i := range c.findings {
		if f := &c.findings[i]; o.Profile == ProfileFull || f.Active() {
			b.findings = append(b.findings, f)
		}
	}
	b.collectRules()
	return b
}

// collectRules gathers the rules of the findings and the weaknesses that
// those name.
func (b *sarifBuilder) collectRules() {
	known := make(map[string]result.Rule)
	for _, r := range b.c.run.Rules {
		known[r.ID] = r
	}
	for _, f := range b.findings {
		if _, ok := b.ruleAt[f.Rule]; ok {
			continue
		}
		r, ok := known[f.Rule]
		if !ok {
			r = ruleOf(f)
		}
		b.ruleAt[f.Rule] = 0
		b.rules = append(b.rules, r)
		b.taxa = append(b.taxa, r.CWE...)
	}
	slices.SortFunc(b.rules, func(x, y result.Rule) int { return strings.Compare(x.ID, y.ID) })
	for i, r := range b.rules {
		b.ruleAt[r.ID] = i
	}
	slices.Sort(b.taxa)
	b.taxa = slices.Compact(b.taxa)
}

// run is the SARIF run around the results.
func (b *sarifBuilder) run(sum result.Summary, results []json.RawMessage) sarifRun {
	invocation, descriptors := b.invocation(sum)
	driver := sarifComponent{
		Name:            "mxsweep",
		FullName:        "mxsweep mail-infrastructure exposure scanner",
		SemanticVersion: semantic(b.c.tool.Version),
		Version:         b.c.tool.Version,
		Rules:           make([]sarifRule, 0, len(b.rules)),
		Notifications:   descriptors,
	}
	if b.c.tool.RulesVersion != "" || b.c.tool.ProbesVersion != "" {
		driver.Properties = &sarifComponentP{b.c.tool.RulesVersion, b.c.tool.ProbesVersion}
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
	if strings.Contains(strings.Join(b.c.run.Args, " "), redact.Mark) {
		run.RedactionTokens = []string{redact.Mark}
	}
	if r := b.o.Revision; r.URI != "" {
		run.Provenance = []sarifRevision{{Sanitise(r.URI, maxField), Sanitise(r.Commit, maxField), Sanitise(r.Branch, maxField), sarifBase{"SRCROOT"}}}
	}
	if len(b.taxa) > 0 {
		run.Tool.Driver.Taxonomies = []sarifToolRef{{Name: "CWE", Index: 0}}
		run.Taxonomies = []sarifComponent{b.taxonomy()}
	}
	for _, f := range b.files {
		role := "analysisTarget"
		if strings.HasSuffix(f, ".yaml") || strings.HasSuffix(f, ".yml") {
			role = "userSpecifiedConfiguration"
		}
		run.Artifacts = append(run.Artifacts, sarifArtifact{
			Location: sarifArtifactLocation{URI: uriPath(f), BaseID: "SRCROOT"}, Roles: []string{role},
		})
	}
	return run
}

// automation names the run: all before the last slash is what GitHub calls
// the category.
func (b *sarifBuilder) automation() sarifAutomation {
	category := cmp.Or(b.o.Category, category(&b.c.run))
	return sarifAutomation{
		ID:   strings.TrimRight(category, "/") + "/" + b.c.run.StartTime.String(),
		GUID: b.c.run.ID,
	}
}

// category tells the runs apart whose alerts must not close each other's: by
// scope and, where not all of it was swept, targets, by vantage and shard.
func category(r *result.Run) string {
	name := cmp.Or(r.Scope.Name, "run")
	if t := r.Scope.TargetsSHA256; t != "" {
		name += "-" + t[:min(8, len(t))]
	}
	parts := []string{"mxsweep", name}
	if r.Vantage != "" {
		parts = append(parts, strings.ReplaceAll(r.Vantage, "/", "-"))
	}
	if index, count, ok := strings.Cut(r.Shard, "/"); ok {
		parts = append(parts, "shard-"+index+"-of-"+count)
	}
	return strings.Join(parts, "/")
}

// semantic is v if it is a version of semver.org, else "".
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
