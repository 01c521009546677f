package html

import (
	"html/template"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// Markup returns one port that breaks a rule, as HTML. Like evidence it does not
// use the template, because a large page consists mostly of places.
func (p htmlPlace) Markup() template.HTML {
	var b htmlText
	b.raw(`<div class="place drift-`).text(p.Drift).raw(`" id="`).text(p.ID).raw(`" data-drift="`).text(p.Drift).raw("\">\n")
	b.raw(`<h4><span class="mono">`).text(p.At).raw(`</span>`)
	if p.Name != "" {
		b.raw(` <span>`).text(p.Name).raw(`</span>`)
	}
	for _, tag := range []string{p.Drift, p.Verdict} {
		if tag != "" && tag != string(result.DriftNone) {
			b.raw(` <span class="tag">`).text(tag).raw(`</span>`)
		}
	}
	b.raw("</h4>\n<p>").text(p.Says).raw("</p>")
	if p.By != "" {
		b.raw(`<p class="soft">Named by `).text(p.By).raw(`</p>`)
	}
	if p.Enters != "" {
		b.raw(`<p class="soft">`).text(p.Enters).raw(`</p>`)
	}
	if p.Fix != nil {
		b.raw(`<div class="fix"><h5>How to fix</h5>`)
		p.Fix.write(&b)
		b.raw(`</div>`)
	}
	if p.bare {
		b.raw("\n</div>")
		return template.HTML(b.String())
	}
	b.raw("\n<details><summary>Evidence</summary><div>")
	if len(p.Seen) > 0 {
		b.raw(`<ul>`)
		for _, seen := range p.Seen {
			b.raw(`<li>`).text(seen).raw(`</li>`)
		}
		b.raw(`</ul>`)
	}
	b.raw(string(p.htmlEvidence.Markup())).raw("\n</div></details>\n</div>")
	return template.HTML(b.String())
}

// write writes the block as the template of the same name does.
func (k *htmlBlock) write(b *htmlText) {
	if k.Lines != "" {
		b.raw(`<pre>`).text(k.Lines).raw(`</pre>`)
		return
	}
	b.raw(`<p>`)
	for _, s := range k.Spans {
		if s.Code {
			b.raw(`<code>`).text(s.Text).raw(`</code>`)
		} else {
			b.text(s.Text)
		}
	}
	b.raw(`</p>`)
}

// An htmlText is HTML under construction.
type htmlText struct{ strings.Builder }

// raw appends trusted HTML: constants, or what this package escaped.
func (b *htmlText) raw(s string) *htmlText {
	b.WriteString(s)
	return b
}

// text appends text, escaped.
func (b *htmlText) text(s string) *htmlText {
	b.WriteString(template.HTMLEscapeString(s))
	return b
}
