// Package html writes a run as one HTML page without external resources.
package html

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/report/escape"
	"github.com/mxsweep/mxsweep/report/fixplan"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

var (
	//go:embed report.tmpl
	htmlTemplate string
	//go:embed style.css
	htmlStyle string
	//go:embed script.js
	htmlScript string
)

// htmlWriter writes one self-contained file: it loads nothing, shows the same
// without its script, and its Content-Security-Policy allows no other script,
// style or request.
type htmlWriter struct {
	view.Collector
	w       io.Writer
	options format.Options
}

// New returns a Writer that writes a run to w as an HTML page.
func New(w io.Writer, o format.Options) format.Writer { return &htmlWriter{w: w, options: o} }

// End implements [format.Writer].
func (h *htmlWriter) End(r result.Run, s result.Summary) error {
	h.Finish(r)
	t, err := template.New("report").Parse(htmlTemplate)
	if err != nil {
		return fmt.Errorf("parsing the page: %w", err)
	}
	only := h.options.Only
	page := newHTMLPage(view.New(&h.Collector, s, view.Showing{Only: only}), &h.Collector, h.options)
	var live []result.Finding
	for _, f := range h.Shown(only) {
		live = append(live, *f)
	}
	page.Plan = fixplan.New(live)
	w := bufio.NewWriterSize(h.w, 64<<10)
	if err := t.Execute(w, page); err != nil {
		return err
	}
	return w.Flush()
}

// csp returns the Content-Security-Policy of the page: only its own style and
// script, identified by hash, and the empty icon.
func csp() string {
	return "default-src 'none'; img-src data:; style-src 'sha256-" + HashSource(htmlStyle) +
		"'; script-src 'sha256-" + HashSource(htmlScript) + "'; base-uri 'none'; form-action 'none'"
}

// HashSource returns the Content-Security-Policy source that allows s, an inline
// script or style.
func HashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// An htmlPage is the data of the template.
type htmlPage struct {
	CSP               string
	Style             template.CSS // trusted: embedded when the program was built
	Script            template.JS  // likewise
	Tool              result.Tool
	Run               result.Run
	Sum               result.Summary
	Partial           bool   // exposed services may be missing in the findings
	Large             bool   // so many findings that the browser should render on demand
	Classes           string // of the body
	Title             string
	Classification    string
	About             []htmlFact // for the title page
	Scope             string
	Gate              string
	Headline, Verdict string
	Extent            string
	Gain              string // heading of what an intruder gains
	Tiles             []htmlCount
	Drifts            []htmlCount
	Facts             []htmlFact
	Plan              fixplan.Plan
	Rules             []htmlRule
	Matrix            htmlMatrix
	Joined            []htmlJoined
	JoinedUnknown     string
	Paths             []htmlPath
	PathLegend        []string
	PathsLeft         int
	Resolved          []htmlResolved
	Remarks           []htmlCaveat
	Hosts             []htmlHost
	Changes           []htmlChange
	Quiet             []htmlQuiet
	Unlisted          bool // some hosts without ports in the report are not in Quiet
	Scores            []htmlScore
	Glossary          []htmlTerm
	Method            []string
	Details           []htmlFact
}

type htmlCount struct {
	Name  string
	Count int
}

type htmlFact struct {
	Label, Text string
	Mono        bool
}

type htmlCaveat struct{ Level, Text string }

// htmlBlock is a fix: one line with code in it, or several literal lines.
type htmlBlock struct {
	Spans []escape.Span
	Lines string
}

func newHTMLBlock(s string) *htmlBlock {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return nil
	case strings.Contains(s, "\n"):
		return &htmlBlock{Lines: s}
	}
	return &htmlBlock{Spans: escape.Spans(s)}
}

func newHTMLPage(v *view.View, c *view.Collector, o format.Options) *htmlPage {
	s := v.Sum
	p := &htmlPage{
		CSP: csp(), Style: template.CSS(htmlStyle), Script: template.JS(htmlScript),
		Tool: v.Tool, Run: v.Run, Sum: s, Partial: s.Partial(), Large: len(c.Findings) > 500,
		Scope:    v.Subject(),
		Gate:     strings.ToUpper(string(s.Gate)),
		Headline: v.Headline(),
		Verdict:  words.Sentence(v.Verdict()),
		Extent:   v.Extent(),
		Gain:     gainHeading(v.Run.Vantage),
		Scores:   scores(),
		Glossary: glossary[:],
		Method:   method(v),
		Details:  runDetails(v),
	}
	for _, severity := range result.Severities() {
		p.Tiles = append(p.Tiles, htmlCount{severity.String(), *s.BySeverity.Of(severity)})
	}
	p.title(o.Title)
	p.Classes = classes(o, p.Large)
	p.Facts = []htmlFact{
		{Label: "Seen", Text: v.Coverage()},
		{Label: "When", Text: words.Period(v.Run.StartTime, v.Run.EndTime)},
		{Label: "Seen from", Text: vantageText(v.Run.Vantage) + v.Loopback()},
	}
	if v.Run.Authorization != "" {
		p.Facts = append(p.Facts, htmlFact{Label: "Authorized by", Text: v.Run.Authorization})
	}
	if d := v.Drift(); d != "" && v.Run.Baseline != nil {
		p.Facts = append(p.Facts, htmlFact{Label: "Since the baseline", Text: d})
	}
	if r := v.Restriction(); r != "" {
		p.Facts = append(p.Facts, htmlFact{Label: "Shown", Text: r})
	}
	for _, r := range v.Unseen() {
		p.Remarks = append(p.Remarks, htmlCaveat{string(r.Level), r.Text})
	}
	b := htmlBuilder{v: v, c: c, ports: c.ByPlace(), fixes: make(map[string]*htmlBlock), bare: o.Evidence == format.EvidenceNone}
	p.Changes = b.changes()
	p.Quiet, p.Unlisted = b.quietHosts()
	p.Rules, p.Drifts = b.rules(), b.drifts()
	p.Matrix = b.matrix()
	p.Paths, p.PathLegend, p.PathsLeft = paths(v)
	p.Joined, p.JoinedUnknown = joined(v)
	p.Resolved = b.resolved()
	p.Hosts = b.hosts()
	return p
}
