package html

import (
	"cmp"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// htmlEvidence is the evidence of a port and of a finding on it; either may be
// nil.
type htmlEvidence struct {
	port    *result.Port
	finding *result.Finding
}

// An htmlDialogue is evidence prepared for display.
type htmlDialogue struct {
	Evidence []result.Evidence
	Banner   string
	Facts    []htmlFact
}

// HasDialogue reports whether there is a dialogue to show.
func (h htmlEvidence) HasDialogue() bool {
	d := h.dialogue()
	return len(d.Evidence) > 0 || d.Banner != ""
}

// Markup returns the evidence as HTML. It does not use the template because
// evidence is most of a large page, and a template takes several times as long.
// The template calls it for one finding after the other, because all evidence
// together takes more memory than the page. Every text is escaped by esc.
func (h htmlEvidence) Markup() template.HTML {
	var b strings.Builder
	e := h.dialogue()
	esc := func(s string) { b.WriteString(template.HTMLEscapeString(s)) }
	if len(e.Evidence) > 0 {
		b.WriteString(`<table class="said"><thead><tr><th>Probe</th><th>Sent</th><th>Received</th><th>Shows</th></tr></thead><tbody>`)
		for i := range e.Evidence {
			b.WriteString("\n<tr><td>")
			esc(e.Evidence[i].Probe)
			if e.Evidence[i].Sent == "" {
				b.WriteString(`</td><td><span class="soft">nothing</span></td><td><pre>`)
			} else {
				b.WriteString("</td><td><code>")
				esc(e.Evidence[i].Sent)
				b.WriteString("</code></td><td><pre>")
			}
			esc(e.Evidence[i].Observed)
			b.WriteString("</pre></td><td>")
			esc(e.Evidence[i].Shows)
			b.WriteString("</td></tr>")
		}
		b.WriteString("\n</tbody></table>")
	}
	if e.Banner != "" {
		b.WriteString("<h4>Greeting</h4><pre>")
		esc(e.Banner)
		b.WriteString("</pre>")
	}
	writeFacts(&b, e.Facts)
	return template.HTML(b.String())
}

// writeFacts writes a list of labels and texts.
func writeFacts(b *strings.Builder, facts []htmlFact) {
	if len(facts) == 0 {
		return
	}
	b.WriteString("<dl>")
	for _, f := range facts {
		b.WriteString("<dt>")
		b.WriteString(template.HTMLEscapeString(f.Label))
		b.WriteString("</dt><dd")
		if f.Mono {
			b.WriteString(` class="mono"`)
		}
		b.WriteString(">")
		b.WriteString(template.HTMLEscapeString(f.Text))
		b.WriteString("</dd>")
	}
	b.WriteString("</dl>")
}

// dialogue prepares the evidence for display.
func (h htmlEvidence) dialogue() htmlDialogue {
	var w htmlDialogue
	if h.port != nil {
		w = dialogueOf(h.port)
	}
	if f := h.finding; f != nil {
		w.Facts = append(w.Facts, withText([]htmlFact{
			{Label: "Confidence", Text: strconv.Itoa(f.Confidence) + " of 10"},
			{Label: anchorLabel(f), Text: view.Where(f.Anchor), Mono: true},
			{Label: "Policy", Text: view.Where(f.PolicyAnchor), Mono: true},
			{Label: "First seen", Text: f.FirstSeen.String()},
			{Label: "Last seen", Text: f.LastSeen.String()},
			{Label: "Finding", Text: f.ID, Mono: true},
		})...)
	}
	return w
}

// anchorLabel says what the anchor of a finding is.
func anchorLabel(f *result.Finding) string {
	if f.OpenedBy != nil {
		return "Opened by"
	}
	return "In scope because of"
}

func dialogueOf(p *result.Port) htmlDialogue {
	var w htmlDialogue
	if p.Banner != nil {
		w.Banner = dialogue(p.Banner.Text)
	}
	if s := p.Service; s != nil {
		for _, e := range s.Evidence {
			e.Observed = dialogue(e.Observed)
			w.Evidence = append(w.Evidence, e)
		}
		w.Facts = append(w.Facts, withText([]htmlFact{
			{Label: "Observed", Text: strings.Join(s.Observations, ", ")},
			{Label: "Signature", Text: s.MatchedRule},
			{Label: "CPE", Text: strings.Join(s.CPEs, " "), Mono: true},
			{Label: "Same greeting on", Text: portList(s.SameAs)},
		})...)
	}
	if t := p.TLS; t != nil {
		w.Facts = append(w.Facts, htmlFact{Label: "TLS", Text: tlsText(t)})
	}
	for _, e := range p.Trail {
		w.Evidence = append(w.Evidence, result.Evidence{
			Probe: e.Probe, Sent: e.Sent, Observed: cmp.Or(dialogue(e.Greeting+e.Reply), "("+e.End+")"), Shows: "ended: " + e.End,
		})
	}
	w.Facts = append(w.Facts, withText([]htmlFact{{Label: "Answered", Text: answered(p)}})...)
	return w
}

// dialogue puts each line of a reply on a line of its own. The escapes stay,
// because line ends distinguish daemons.
func dialogue(s string) string {
	return strings.TrimSuffix(strings.ReplaceAll(s, `\r\n`, `\r\n`+"\n"), "\n")
}

func portList(ports []uint16) string {
	words := make([]string, len(ports))
	for i, p := range ports {
		words[i] = strconv.Itoa(int(p))
	}
	return strings.Join(words, ", ")
}

func tlsText(t *result.TLS) string {
	words := []string{}
	for _, s := range []string{t.Version, t.Cipher, t.Subject} {
		if s != "" {
			words = append(words, s)
		}
	}
	if t.Issuer != "" {
		words = append(words, "issued by "+t.Issuer)
	}
	if !t.NotAfter.IsZero() {
		words = append(words, "valid until "+t.NotAfter.UTC().Format("2006-01-02"))
	}
	return strings.Join(words, ", ")
}

func answered(p *result.Port) string {
	s := p.Timestamp.String()
	if p.Reason != "" {
		s += ", " + string(p.Reason)
	}
	if p.RTT > 0 {
		s += fmt.Sprintf(", after %g ms", p.RTT)
	}
	return s
}
