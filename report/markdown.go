package report

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// maxMarkdown is the most bytes that are written: GitHub refuses a step
// summary of more than 1 MiB.
const maxMarkdown = 1 << 20

// markdownWriter writes a summary for a step of a workflow, a merge request
// or a ticket: the heaviest findings first, as many as fit.
type markdownWriter struct {
	collector
	w    io.Writer
	max  int
	only string
}

func newMarkdown(w io.Writer, o Options) Writer {
	limit := maxMarkdown
	if o.MaxBytes > 0 {
		limit = min(limit, o.MaxBytes)
	}
	return &markdownWriter{w: w, max: limit - 4096, only: o.Only}
}

// End implements [Writer].
func (m *markdownWriter) End(r Run, s Summary) error {
	m.finish(r)
	v := newView(&m.collector, s, showing{only: m.only})
	b := &budget{left: m.max}
	m.head(b, v)
	m.remarks(b, v)
	b.left -= 512 // room for what says that something is left out
	left := m.table(b, v)
	left += m.details(b, v)
	left += m.settled(b, v)
	left += m.open(b, v)
	b.left += 512
	if left > 0 {
		b.add(fmt.Sprintf("\n%s left out: a step summary holds at most 1 MiB. The json and html reports hold everything.\n", plural(left, "entry")))
	}
	_, err := io.WriteString(m.w, b.text.String())
	return err
}

// A budget takes text as long as there is room.
type budget struct {
	text strings.Builder
	left int
}

func (b *budget) add(s string) bool {
	if len(s) > b.left {
		return false
	}
	b.left -= len(s)
	b.text.WriteString(s)
	return true
}

// gateMark goes with the word of the gate.
func gateMark(gate string) string {
	switch gate {
	case GatePass:
		return "✅ Pass"
	case GateIncomplete:
		return "⚠️ Incomplete"
	case GateFail:
		return "❌ Fail"
	}
	return "❌ Error"
}

func (m *markdownWriter) head(b *budget, v *view) {
	fmt.Fprintf(&b.text, "## %s: %s\n\n", gateMark(v.sum.Gate), escapeMarkdown(v.verdict()))
	b.text.WriteString("| Critical | High | Medium | Low | Info |\n| ---: | ---: | ---: | ---: | ---: |\n|")
	for _, s := range severities {
		fmt.Fprintf(&b.text, " %d |", *v.sum.BySeverity.of(s))
	}
	b.text.WriteString("\n\n")
	if d := v.drift(); d != "" {
		fmt.Fprintf(&b.text, "- **Drift:** %s\n", d)
	}
	fmt.Fprintf(&b.text, "- **Seen:** %s\n", escapeMarkdown(v.coverage()))
	fmt.Fprintf(&b.text, "- **Run:** %s\n", escapeMarkdown(v.provenance()))
	if a := v.run.Authorization; a != "" {
		fmt.Fprintf(&b.text, "- **Authorization:** %s\n", escapeMarkdown(a))
	}
	if v.run.Baseline != nil {
		fmt.Fprintf(&b.text, "- **Baseline:** %s\n", escapeMarkdown(v.baseline()))
	}
	if r := v.restriction(); r != "" {
		fmt.Fprintf(&b.text, "- **Shown:** %s\n", r)
	}
	b.left -= b.text.Len()
}

// remarks says what was not seen before it says what was.
func (m *markdownWriter) remarks(b *budget, v *view) {
	for i, r := range v.unseen() {
		if i == 0 {
			b.add("\n### Not seen, and notices\n\n")
		}
		if i == 50 {
			b.add("- further notices are in the json report\n")
			return
		}
		b.add(fmt.Sprintf("- **%s** %s\n", r.level, escapeMarkdown(r.text)))
	}
}

// severityMark goes with the word of the severity.
func severityMark(s string) string {
	switch s {
	case "critical":
		return "🟥 critical"
	case "high":
		return "🟧 high"
	case "medium":
		return "🟨 medium"
	case "low":
		return "🟦 low"
	}
	return "⬜ info"
}

// table writes the table of live findings and returns how many found no
// room.
func (m *markdownWriter) table(b *budget, v *view) int {
	live := m.shown(m.only)
	if len(live) == 0 {
		return 0
	}
	if !b.add("\n### Findings\n\n| Severity | Where | What answers | Finding | Drift | Fix |\n| --- | --- | --- | --- | --- | --- |\n") {
		return len(live)
	}
	ports := m.byPlace()
	for i, f := range live {
		at := place(f.IP, f.Port)
		where := codeMarkdown(at)
		if f.Host != "" {
			where += "<br>" + escapeMarkdown(shownNames(f.Host, f.Aliases))
		}
		what := "not seen"
		if p := ports[at]; p != nil && p.State == stateOpen {
			what = (&portView{port: p}).says()
		}
		fix := ""
		if lines := v.fix(f, false); len(lines) > 0 {
			fix = inlineMarkdown(lines[0])
		}
		row := fmt.Sprintf("| %s | %s | %s | %s %s | %s | %s |\n", severityMark(f.Severity), where,
			escapeMarkdown(what), f.Rule, escapeMarkdown(f.Title), f.Drift, fix)
		if !b.add(row) {
			return len(live) - i
		}
	}
	return 0
}

// details explains each rule once, folded.
func (m *markdownWriter) details(b *budget, v *view) int {
	left := 0
	seen := make(map[string]bool)
	for _, f := range m.shown(m.only) {
		if seen[f.Rule] {
			continue
		}
		seen[f.Rule] = true
		r := v.rule(f)
		var t strings.Builder
		fmt.Fprintf(&t, "\n<details><summary>%s %s (%s)</summary>\n\n", r.ID, html.EscapeString(r.Title), r.Severity) // no Markdown in a block of HTML
		if r.Help != "" {
			t.WriteString(r.Help + "\n")
		} else {
			fmt.Fprintf(&t, "%s\n\n%s\n", markdownBlock(r.Why), markdownBlock(r.Fix))
		}
		t.WriteString("\n</details>\n")
		if !b.add(t.String()) {
			left++
		}
	}
	return left
}

func (m *markdownWriter) settled(b *budget, v *view) int {
	if len(v.settled) == 0 {
		return 0
	}
	b.add("\n<details><summary>Accepted, expected and fixed</summary>\n\n")
	left := 0
	for _, f := range v.settled {
		if !b.add(fmt.Sprintf("- %s %s %s: %s\n", codeMarkdown(place(f.IP, f.Port)), f.Rule, escapeMarkdown(f.Title), escapeMarkdown(settledWhy(f)))) {
			left++
		}
	}
	b.add("\n</details>\n")
	return left
}

// open lists every open port, folded.
func (m *markdownWriter) open(b *budget, v *view) int {
	if len(v.hosts) == 0 {
		return 0
	}
	const tail = "\n</details>\n"
	if !b.add("\n<details><summary>Open ports</summary>\n\n| Port | Host | What answers |\n| --- | --- | --- |\n") {
		return 0
	}
	b.left -= len(tail)
	left := 0
	for _, h := range v.hosts {
		for i := range h.ports {
			p := &h.ports[i]
			if p.port == nil {
				continue
			}
			if !b.add(fmt.Sprintf("| %s | %s | %s |\n", codeMarkdown(place(h.ip, p.num)), escapeMarkdown(h.name), escapeMarkdown(p.says()))) {
				left++
			}
		}
	}
	b.left += len(tail)
	b.add(tail)
	return left
}
