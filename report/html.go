package report

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

var (
	//go:embed html/report.tmpl
	htmlTemplate string
	//go:embed html/style.css
	htmlStyle string
	//go:embed html/script.js
	htmlScript string
)

// htmlWriter writes one file that needs nothing else: it loads nothing, it
// reads the same without its script, and its policy lets no other script,
// style or request in.
type htmlWriter struct {
	collector
	w       io.Writer
	options Options
}

func newHTML(w io.Writer, o Options) Writer { return &htmlWriter{w: w, options: o} }

// End implements [Writer].
func (h *htmlWriter) End(r result.Run, s result.Summary) error {
	h.finish(r)
	t, err := template.New("report").Parse(htmlTemplate)
	if err != nil {
		return fmt.Errorf("parsing the page: %w", err)
	}
	only := h.options.Only
	page := newHTMLPage(newView(&h.collector, s, showing{only: only}), &h.collector, h.options)
	var live []result.Finding
	for _, f := range h.shown(only) {
		live = append(live, *f)
	}
	page.Plan = NewPlan(live)
	w := bufio.NewWriterSize(h.w, 64<<10)
	if err := t.Execute(w, page); err != nil {
		return err
	}
	return w.Flush()
}

// csp is the policy of the page: nothing but its own style and script, which
// are named by their hash, and the empty icon.
func csp() string {
	return "default-src 'none'; img-src data:; style-src 'sha256-" + hashSource(htmlStyle) +
		"'; script-src 'sha256-" + hashSource(htmlScript) + "'; base-uri 'none'; form-action 'none'"
}

func hashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// An htmlPage is what the template shows.
type htmlPage struct {
	CSP               string
	Style             template.CSS // our own, known when the program was built
	Script            template.JS  // likewise
	Tool              result.Tool
	Run               result.Run
	Sum               result.Summary
	Partial           bool   // what is not found may still be there
	Large             bool   // so many findings that the browser had better draw on demand
	Classes           string // of the body
	Title             string
	Classification    string
	About             []htmlFact // of the title page
	Scope             string
	Gate              string
	Headline, Verdict string
	Extent            string
	Gain              string // the heading over what an intruder gains
	Tiles             []htmlCount
	Drifts            []htmlCount
	Facts             []htmlFact
	Plan              Plan
	Rules             []htmlRule
	Matrix            htmlMatrix
	Settled           []htmlSettled
	Remarks           []htmlRemark
	Hosts             []htmlHost
	Changes           []htmlChange
	Quiet             []htmlQuiet
	Unlisted          bool // hosts of which the run tells no port are not among Quiet
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

type htmlRemark struct{ Level, Text string }

// htmlBlock is a fix: one line with code in it, or several lines as they are.
type htmlBlock struct {
	Spans []span
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
	return &htmlBlock{Spans: spans(s)}
}

func newHTMLPage(v *view, c *collector, o Options) *htmlPage {
	s := v.sum
	p := &htmlPage{
		CSP: csp(), Style: template.CSS(htmlStyle), Script: template.JS(htmlScript),
		Tool: v.tool, Run: v.run, Sum: s, Partial: s.Partial(), Large: len(c.findings) > 500,
		Scope:    v.subject(),
		Gate:     strings.ToUpper(string(s.Gate)),
		Headline: v.headline(),
		Verdict:  sentence(v.verdict()),
		Extent:   v.extent(),
		Gain:     gainHeading(v.run.Vantage),
		Scores:   scores(),
		Glossary: glossary[:],
		Method:   v.method(),
		Details:  v.runDetails(),
	}
	for _, severity := range result.Severities() {
		p.Tiles = append(p.Tiles, htmlCount{severity.String(), *s.BySeverity.Of(severity)})
	}
	p.title(o.Title)
	p.Classes = o.classes(p.Large)
	p.Facts = []htmlFact{
		{Label: "Seen", Text: v.coverage()},
		{Label: "When", Text: period(v.run.StartTime, v.run.EndTime)},
		{Label: "Seen from", Text: vantageText(v.run.Vantage) + v.loopback()},
	}
	if v.run.Authorization != "" {
		p.Facts = append(p.Facts, htmlFact{Label: "Authorized by", Text: v.run.Authorization})
	}
	if d := v.drift(); d != "" && v.run.Baseline != nil {
		p.Facts = append(p.Facts, htmlFact{Label: "Since the baseline", Text: d})
	}
	if r := v.restriction(); r != "" {
		p.Facts = append(p.Facts, htmlFact{Label: "Shown", Text: r})
	}
	for _, r := range v.unseen() {
		p.Remarks = append(p.Remarks, htmlRemark{string(r.level), r.text})
	}
	b := htmlBuilder{v: v, c: c, ports: c.byPlace(), fixes: make(map[string]*htmlBlock), bare: o.Evidence == EvidenceNone}
	p.Changes = b.changes()
	p.Quiet, p.Unlisted = b.quietHosts()
	p.Rules, p.Drifts = b.rules(), b.drifts()
	p.Matrix = b.matrix()
	p.Settled = b.settled()
	p.Hosts = b.hosts()
	return p
}
