package report

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
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
	w io.Writer
}

func newHTML(w io.Writer, _ Options) Writer { return &htmlWriter{w: w} }

// End implements [Writer].
func (h *htmlWriter) End(r Run, s Summary) error {
	h.finish(r)
	t, err := template.New("report").Parse(htmlTemplate)
	if err != nil {
		return fmt.Errorf("parsing the page: %w", err)
	}
	w := bufio.NewWriterSize(h.w, 64<<10)
	if err := t.Execute(w, newHTMLPage(&h.collector, s)); err != nil {
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
	Tool              Tool
	Run               Run
	Sum               Summary
	Large             bool // so many findings that the browser had better draw on demand
	Scope             string
	Gate              string
	Headline, Verdict string
	Extent            string
	Gain              string // the heading over what an intruder gains
	Tiles             []htmlCount
	Drifts            []htmlCount
	Facts             []htmlFact
	Rules             []htmlRule
	Matrix            htmlMatrix
	Settled           []htmlSettled
	Remarks           []htmlRemark
	Hosts             []htmlHost
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

func newHTMLPage(c *collector, s Summary) *htmlPage {
	v := newView(c, s)
	p := &htmlPage{
		CSP: csp(), Style: template.CSS(htmlStyle), Script: template.JS(htmlScript),
		Tool: v.tool, Run: v.run, Sum: s, Large: len(c.findings) > 500,
		Scope:    cmp.Or(v.run.Scope.Name, "the targets"),
		Gate:     strings.ToUpper(s.Gate),
		Headline: v.headline(),
		Verdict:  sentence(v.verdict()),
		Extent:   v.extent(),
		Gain:     gainHeading(v.run.Vantage),
		Method:   v.method(),
		Details:  v.runDetails(),
	}
	for _, name := range severities {
		p.Tiles = append(p.Tiles, htmlCount{name, *s.BySeverity.of(name)})
	}
	p.Facts = []htmlFact{
		{Label: "Seen", Text: v.coverage()},
		{Label: "When", Text: period(v.run.StartTime, v.run.EndTime)},
		{Label: "Seen from", Text: vantageText(v.run.Vantage)},
	}
	if v.run.Authorization != "" {
		p.Facts = append(p.Facts, htmlFact{Label: "Authorized by", Text: v.run.Authorization})
	}
	if d := v.drift(); d != "" && v.run.Baseline != nil {
		p.Facts = append(p.Facts, htmlFact{Label: "Since the baseline", Text: d})
	}
	for _, r := range v.unseen() {
		p.Remarks = append(p.Remarks, htmlRemark{r.level, r.text})
	}
	b := htmlBuilder{v: v, c: c, ports: c.byPlace()}
	p.Rules, p.Drifts = b.rules(), b.drifts()
	p.Matrix = b.matrix()
	p.Settled = b.settled()
	p.Hosts = b.hosts()
	return p
}

// subject names what was looked at.
func (v *view) subject() string {
	switch name := v.run.Scope.Name; {
	case name != "" && name != "command-line":
		return name
	case len(v.hosts) == 1:
		return cmp.Or(v.hosts[0].name, v.hosts[0].ip)
	case v.run.Scope.Addresses == 1:
		return "1 address"
	}
	return fmt.Sprintf("%d addresses", v.run.Scope.Addresses)
}

// headline says in plain words what came out.
func (v *view) headline() string {
	hosts := 0
	for i := range v.hosts {
		if v.hosts[i].worst > 0 {
			hosts++
		}
	}
	var words []string
	for _, s := range severities[:3] {
		if n := *v.sum.BySeverity.of(s); n > 0 {
			words = append(words, itoa(n)+" "+s)
		}
	}
	blind := ""
	if v.sum.Gate == GateIncomplete || v.sum.Gate == GateError {
		blind = " The run did not see all that it should have."
	}
	who := "Strangers reach"
	if v.run.Vantage != "internet" {
		who = "Others reach"
	}
	switch {
	case len(words) > 0:
		return fmt.Sprintf("%s mail services that should not be within their reach: %s, on %s.%s",
			who, strings.Join(words, ", "), plural(hosts, "host"), blind)
	case v.sum.BySeverity.Total() > 0:
		return "Nothing of weight is exposed; a few lighter findings are worth a look." + blind
	case blind != "":
		return "Nothing was found exposed, but that does not say much." + blind
	}
	return "Nothing was found exposed that should not be."
}

// extent says how far the findings reach.
func (v *view) extent() string {
	hosts, ports, open := 0, 0, 0
	for i := range v.hosts {
		if v.hosts[i].worst > 0 {
			hosts++
		}
		for j := range v.hosts[i].ports {
			if len(v.hosts[i].ports[j].findings) > 0 {
				ports++
			}
			if v.hosts[i].ports[j].port != nil {
				open++
			}
		}
	}
	if ports == 0 {
		return fmt.Sprintf("%s open; none has a finding that stands.", plural(open, "port is"))
	}
	return fmt.Sprintf("%s on %s %s a finding; %s open in all.",
		plural(ports, "port"), plural(hosts, "host"), map[bool]string{true: "has", false: "have"}[ports == 1], isAre(open))
}

// isAre is "1 port is" or "5 ports are".
func isAre(n int) string {
	if n == 1 {
		return "1 port is"
	}
	return itoa(n) + " ports are"
}

// gainHeading depends on who stands where the scanner stood.
func gainHeading(vantage string) string {
	switch vantage {
	case "internet":
		return "What a stranger could do"
	case "host":
		return "What a user of this machine could do"
	}
	return "What anybody there could do"
}

func vantageText(vantage string) string {
	switch vantage {
	case "internet":
		return "internet: the scanner stood where any stranger could stand"
	case "lan":
		return "lan: the scanner stood in the local network"
	case "host":
		return "host: the scanner ran on the host itself, so \"open\" means listening, not exposed"
	}
	return vantage
}

// method says how the run looked, in sentences.
func (v *view) method() []string {
	how := "Each address and port was asked with a full TCP connection"
	if v.run.Mode == "syn" {
		how = "Each address and port was asked with single SYN segments, and what answered was asked again with a full TCP connection"
	}
	how += ", at most a few at once for each host. Closed, filtered and unknown are told apart; a port is never called closed because this machine could not ask."
	talk := "What answers was found out by short dialogues on connections of their own, not by port number and not by banner alone, because proxies repeat the banner of the server behind them. Confidence goes from 0 to 10; 9 and 10 rest on behaviour that only this daemon shows."
	safe := "No mail was handed over and no password was tried. The probes leave no message, no queue file and no database row at the target."
	for _, a := range v.run.Args {
		if a == "--intrusive" || strings.HasPrefix(a, "--intrusive=") && a != "--intrusive=false" {
			safe = "Intrusive probes were allowed: they may leave a log line, a queue file for a moment or a database row at the target. No mail was handed over and no password was tried."
		}
	}
	grade := "Severity comes from the rule that is broken; a port number alone is never more than low. Findings that the policy accepts or expects are listed apart and do not count."
	return []string{how, talk, safe, grade}
}

// runDetails is what makes the run repeatable.
func (v *view) runDetails() []htmlFact {
	list := []htmlFact{
		{Label: "Ports", Text: v.run.Scope.Ports, Mono: true},
		{Label: "Addresses", Text: addresses(v.run.Scope)},
		{Label: "Scope files", Text: strings.Join(v.run.Scope.Files, ", "), Mono: true},
		{Label: "Scope hash", Text: v.run.Scope.SHA256, Mono: true},
		{Label: "Gate", Text: v.sum.FailOn, Mono: true},
		{Label: "Command", Text: commandLine(v.run.Args), Mono: true},
		{Label: "Engine", Text: v.run.Mode},
		{Label: "Rules", Text: v.tool.RulesVersion},
		{Label: "Probes", Text: v.tool.ProbesVersion},
		{Label: "Run", Text: v.run.ID, Mono: true},
	}
	if v.run.Baseline != nil {
		list = append(list, htmlFact{Label: "Baseline", Text: v.baseline()})
	}
	return withText(list)
}

func addresses(s Scope) string {
	t := fmt.Sprint(s.Addresses)
	if s.Excluded > 0 {
		t += fmt.Sprintf(", %d excluded", s.Excluded)
	}
	return t
}

// withText leaves out facts without a text.
func withText(list []htmlFact) []htmlFact {
	kept := list[:0]
	for _, f := range list {
		if f.Text != "" {
			kept = append(kept, f)
		}
	}
	return kept
}
