package report

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/drawing"
	"github.com/mxsweep/mxsweep/report/escape"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// The limits of the size of markdown, in bytes.
const (
	MinMarkdown   = 16 << 10 // less is too little for a report
	UsualMarkdown = 65_536   // the limit of a comment on a GitHub pull request
	MaxMarkdown   = 1 << 20  // the limit of the summary of a GitHub step
)

// markdownWriter writes a summary for a workflow step, a merge request or a
// ticket: the most urgent findings first, as many as fit.
type markdownWriter struct {
	view.Collector
	w    io.Writer
	max  int
	only string
}

func newMarkdown(w io.Writer, o format.Options) format.Writer {
	limit := UsualMarkdown
	if o.MaxBytes > 0 {
		limit = min(o.MaxBytes, MaxMarkdown)
	}
	return &markdownWriter{w: w, max: limit, only: o.Only}
}

// leftOut is the space reserved for saying that something was omitted, in bytes.
const leftOut = 512

// End implements [format.Writer].
func (m *markdownWriter) End(r result.Run, s result.Summary) error {
	m.Finish(r)
	v := view.New(&m.Collector, s, view.Showing{Only: m.only})
	b := &budget{left: m.max - leftOut}
	m.head(b, v)
	m.caveats(b, v)
	left := m.table(b, v)
	left += m.edits(b)
	left += m.joined(b, v)
	left += m.paths(b, v)
	left += m.details(b, v)
	left += m.resolved(b, v)
	left += m.open(b, v)
	b.left += leftOut
	if left > 0 {
		b.add(fmt.Sprintf("\n%s omitted: this report has at most %d characters. The json and html reports contain everything.\n",
			wording.Plural(left, "more item"), m.max))
	}
	_, err := io.WriteString(m.w, b.text.String())
	return err
}

// A budget accepts text as long as there is space.
type budget struct {
	text strings.Builder
	left int // in bytes
}

func (b *budget) add(s string) bool {
	if len(s) > b.left {
		return false
	}
	b.left -= len(s)
	b.text.WriteString(s)
	return true
}

// section adds head, rows and tail: as many of n rows as fit before the tail. It
// returns how many did not fit.
func (b *budget) section(head, tail string, n int, row func(int) string) int {
	if n == 0 || len(head)+len(tail) > b.left {
		return n
	}
	b.add(head)
	b.left -= len(tail)
	i := 0
	for i < n && b.add(row(i)) {
		i++
	}
	b.left += len(tail)
	b.add(tail)
	return n - i
}

// gateMark returns the symbol shown with the result of the gate.
func gateMark(gate result.GateResult) string {
	switch gate {
	case result.GatePass:
		return "✅ Pass"
	case result.GateIncomplete:
		return "⚠️ Incomplete"
	case result.GateFail:
		return "❌ Fail"
	}
	return "❌ Error"
}

func (m *markdownWriter) head(b *budget, v *view.View) {
	fmt.Fprintf(&b.text, "## %s: %s\n\n", gateMark(v.Sum.Gate), escape.Markdown(v.Verdict()))
	b.text.WriteString("| Critical | High | Medium | Low | Info |\n| ---: | ---: | ---: | ---: | ---: |\n|")
	for _, s := range result.Severities() {
		fmt.Fprintf(&b.text, " %d |", *v.Sum.BySeverity.Of(s))
	}
	b.text.WriteString("\n\n")
	if d := v.Drift(); d != "" {
		fmt.Fprintf(&b.text, "- **Drift:** %s\n", d)
	}
	fmt.Fprintf(&b.text, "- **Coverage:** %s\n", escape.Markdown(v.Coverage()))
	fmt.Fprintf(&b.text, "- **Run:** %s\n", escape.Markdown(v.Provenance()))
	if a := v.Run.Authorization; a != "" {
		fmt.Fprintf(&b.text, "- **Authorization:** %s\n", escape.Markdown(a))
	}
	if v.Run.Baseline != nil {
		fmt.Fprintf(&b.text, "- **Baseline:** %s\n", escape.Markdown(v.Baseline()))
	}
	if r := v.Restriction(); r != "" {
		fmt.Fprintf(&b.text, "- **Shown:** %s\n", r)
	}
	b.left -= b.text.Len()
}

// caveats writes what was not seen before what was, in at most a quarter of the
// space, to leave the rest for the findings.
func (m *markdownWriter) caveats(b *budget, v *view.View) {
	list := v.Unseen()
	rest := b.left - m.max/4
	b.left -= rest
	left := b.section("\n### Coverage and notices\n\n", "", len(list), func(i int) string {
		return fmt.Sprintf("- **%s** %s\n", list[i].Level, escape.Markdown(list[i].Text))
	})
	b.left += rest
	if left > 0 {
		b.add(fmt.Sprintf("- and %s in the json report\n", wording.Plural(left, "more notice")))
	}
}

// briefFix is how much of a fix a row of the table shows, in bytes.
const briefFix = 300

// table writes the table of active findings and returns how many did not fit.
func (m *markdownWriter) table(b *budget, v *view.View) int {
	live := m.Shown(m.only)
	ports := m.ByPlace()
	const head = "\n### Findings\n\n| Severity | Where | What answers | Finding | Drift | Fix |\n| --- | --- | --- | --- | --- | --- |\n"
	return b.section(head, "", len(live), func(i int) string {
		f := live[i]
		at := view.FindingPlace(f)
		where := escape.Code(at)
		switch {
		case f.Listener != nil && f.Anchor != nil:
			where += fmt.Sprintf("<br>line %d", f.Anchor.Line)
		case f.Host != "" && f.Listener == nil:
			where += "<br>" + escape.Markdown(view.ShownNames(f.Host, f.Aliases))
		}
		if f.OpenedBy != nil && f.Anchor != nil {
			where += "<br>" + escape.Code(view.Where(f.Anchor))
		}
		if by := view.NamedBy(f); by != "" {
			where += "<br>" + escape.Markdown(by)
		}
		what := "not seen"
		if p := ports[at]; p != nil && p.State == result.StateOpen {
			what = (&view.PortEntry{Port: p}).Describe()
		} else if f.State != "" || f.OfRecords() {
			what = (&view.PortEntry{Findings: []*result.Finding{f}}).Describe()
		}
		fix := ""
		if lines := v.Fix(f); len(lines) > 0 {
			fix = escape.Inline(words.Shorten(lines[0], briefFix))
		}
		title := escape.Markdown(f.Title)
		if entry := v.Entry(f); entry != "" {
			title += "<br>" + escape.Markdown(entry)
		}
		return fmt.Sprintf("| %s | %s | %s | %s %s | %s | %s |\n", escape.SeverityMark(f.Severity), where,
			escape.Markdown(what), f.Rule, title, f.Drift, fix)
	})
}

// edits writes the edits of files as suggestions, which code hosts apply to the lines that
// a comment is about, and returns how many did not fit.
func (m *markdownWriter) edits(b *budget) int {
	type edit struct {
		file string
		result.Replacement
	}
	var list []edit
	closed := map[edit][]string{} // the rules of the findings that an edit closes
	for _, f := range m.Shown(m.only) {
		l := f.Line()
		if l == nil || l.Edit == nil || f.Anchor == nil {
			continue
		}
		e := edit{f.Anchor.File, *l.Edit}
		if closed[e] == nil {
			list = append(list, e)
		}
		if !slices.Contains(closed[e], f.Rule) {
			closed[e] = append(closed[e], f.Rule)
		}
	}
	return b.section("\n### Edits\n", "", len(list), func(i int) string {
		e := list[i]
		what := fmt.Sprintf("\n%s line %d closes %s:", escape.Code(e.file), e.StartLine, strings.Join(closed[e], ", "))
		if e.Lines == "" { // a suggestion would have to show a secret
			return what + " " + escape.Inline(e.Says()) + ".\n"
		}
		return what + "\n\n" + escape.Fenced("suggestion", strings.ReplaceAll(e.Lines, "\r\n", "\n")) + "\n"
	})
}

// joined writes what a scan and a machine, or its files, show together.
func (m *markdownWriter) joined(b *budget, v *view.View) int {
	list, unknown := v.Joined()
	tail := ""
	if rest := view.UnknownJoined(unknown, list); rest != "" {
		tail = "\n" + escape.Markdown(rest) + ".\n"
	}
	return b.section("\n### Inside and outside\n\n| State | Port | What is known |\n| --- | --- | --- |\n", tail, len(list), func(i int) string {
		j := list[i]
		return fmt.Sprintf("| %s | %s | %s |\n", j.State, escape.Code(view.Place(j.IP, j.Port)), escape.Markdown(view.JoinedText(j)))
	})
}

// maxCharts is the maximum number of mail paths that are drawn: a page with many charts is
// slow to render.
const maxCharts = 5

// paths draws how mail flows through the hosts with the most urgent findings.
func (m *markdownWriter) paths(b *budget, v *view.View) int {
	list := v.Paths()
	outside := drawing.Outside(v.Run.Vantage)
	drawn := list[:min(len(list), maxCharts)]
	tail := ""
	if more := len(list) - len(drawn); more > 0 {
		tail = fmt.Sprintf("\n%s not drawn; the html report draws the first 50.\n", words.IsAre(more, "more host"))
	}
	return b.section("\n### Mail path\n", tail, len(drawn), func(i int) string {
		return fmt.Sprintf("\n%s:\n\n```mermaid\n%s```\n", escape.Markdown(drawing.Title(drawn[i])), drawing.Mermaid(drawn[i], outside))
	})
}

// details explains each rule once, in a collapsed section.
func (m *markdownWriter) details(b *budget, v *view.View) int {
	left := 0
	seen := make(map[string]bool)
	for _, f := range m.Shown(m.only) {
		if seen[f.Rule] {
			continue
		}
		seen[f.Rule] = true
		r := v.Rule(f)
		var t strings.Builder
		fmt.Fprintf(&t, "\n<details><summary>%s %s (%s)</summary>\n\n", r.ID, html.EscapeString(r.Title), r.Severity) // no Markdown in an HTML block
		if r.Help != "" {
			t.WriteString(m.help(f.Rule, r.Help))
		} else {
			fmt.Fprintf(&t, "%s\n\n%s\n", escape.Block(r.Why), escape.Block(r.Fix))
		}
		t.WriteString("\n</details>\n")
		if !b.add(t.String()) {
			left++
		}
	}
	return left
}

// maxPortsNamed is the maximum number of ports in a help text.
const maxPortsNamed = 8

// help returns the help of a rule for the ports of the findings that are shown:
// one port is inserted, several are listed after it.
func (m *markdownWriter) help(rule, help string) string {
	if !strings.Contains(help, fix.AnyPort) {
		return help + "\n"
	}
	var ports []uint16
	for _, f := range m.Shown(m.only) {
		if f.Rule == rule && f.Port != 0 && !slices.Contains(ports, f.Port) {
			ports = append(ports, f.Port)
		}
	}
	slices.Sort(ports)
	list := make([]string, 0, len(ports))
	for _, p := range ports[:min(len(ports), maxPortsNamed)] {
		list = append(list, fmt.Sprint(p))
	}
	switch more := len(ports) - len(list); {
	case len(list) == 0:
		return help + "\n"
	case len(list) == 1:
		return strings.ReplaceAll(help, fix.AnyPort, list[0]) + "\n"
	case more > 0:
		return fmt.Sprintf("%s\n\n%s is %s or one of %d more.\n", help, fix.AnyPort, strings.Join(list, ", "), more)
	}
	return fmt.Sprintf("%s\n\n%s is %s.\n", help, fix.AnyPort, wording.Either(list))
}

func (m *markdownWriter) resolved(b *budget, v *view.View) int {
	return b.section("\n<details><summary>Accepted, expected and fixed</summary>\n\n", endDetails, len(v.Resolved), func(i int) string {
		f := v.Resolved[i]
		return fmt.Sprintf("- %s %s %s: %s\n", escape.Code(view.FindingPlace(f)), f.Rule, escape.Markdown(f.Title), escape.Markdown(view.ResolvedWhy(f)))
	})
}

// boundTo returns address and port of a listener of a file, "" for a port that was scanned.
func boundTo(p *result.Port) string {
	if p.Listener == nil {
		return ""
	}
	return view.Place(p.IP, p.Port)
}

const endDetails = "\n</details>\n"

// open lists all open ports, in a collapsed section.
func (m *markdownWriter) open(b *budget, v *view.View) int {
	var rows []string
	for _, h := range v.Hosts {
		for i := range h.Ports {
			if p := &h.Ports[i]; p.Port != nil {
				rows = append(rows, fmt.Sprintf("| %s | %s | %s |\n", escape.Code(p.Place), escape.Markdown(cmp.Or(h.Name, boundTo(p.Port))), escape.Markdown(p.Describe())))
			}
		}
	}
	head := "\n<details><summary>Open ports</summary>\n\n| Port | Host | What answers |\n| --- | --- | --- |\n"
	if view.OfFiles(&v.Run) {
		head = "\n<details><summary>Listeners</summary>\n\n| Listener | Bound to | What it is |\n| --- | --- | --- |\n"
	}
	return b.section(head, endDetails, len(rows), func(i int) string { return rows[i] })
}
