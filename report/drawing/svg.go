package drawing

import (
	"fmt"
	"html"
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// The measures of a drawing, in CSS pixels: it fits a phone.
const (
	svgWidth  = 372
	boxHeight = 40
	rowHeight = 52
	indent    = 22
	rail      = 8  // where the line from outside runs
	firstBox  = 34 // where the boxes of the first depth begin
	textSize  = 7.3
	smallSize = 6.3
)

// SVG returns a path as an SVG element for who is outside, without style: the classes are
// those of the page. The element has a title and a description; id, of letters and digits,
// begins the ids of both.
func SVG(p *result.Path, outside, id string) string {
	rows := rowsOf(p)
	var b strings.Builder
	height := (len(rows)+1)*rowHeight + 4
	fmt.Fprintf(&b, `<svg class="mailpath" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="%s-title %s-text">`, svgWidth, height, svgWidth, height, id, id)
	fmt.Fprintf(&b, `<title id="%s-title">Mail path of %s</title><desc id="%s-text">`, id, esc(Title(p)), id)
	for _, l := range Text(p, outside) {
		b.WriteString(esc(strings.TrimSpace(l.Text)) + "; ")
	}
	b.WriteString("</desc>")
	writeRail(&b, rows)
	for i := range rows {
		writeEdge(&b, rows, i)
	}
	box(&b, 2, 2, boxWidth(outside), "outside", outside, "")
	for i := range rows {
		r := &rows[i]
		x := firstBox + r.depth*indent
		class := "step"
		switch {
		case r.step.Kind != result.StepPort:
			class = "end"
		case exposed(r.step):
			class = "exposed"
		}
		box(&b, x, top(i), svgWidth-2-x, class, r.name(), r.small())
	}
	b.WriteString("</svg>")
	return b.String()
}

// esc escapes a text for HTML.
func esc(s string) string { return html.EscapeString(s) }

// top returns the y of the box of a row.
func top(i int) int { return 2 + (i+1)*rowHeight }

// small returns the second line of a box.
func (r *row) small() string {
	var parts []string
	for _, part := range []string{r.mark(), r.about(), r.basis(path.Base)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

// boxWidth returns the width of a box with one line of text.
func boxWidth(text string) int {
	return min(svgWidth-4, int(float64(words.Width(text))*(textSize+1))+20)
}

// box writes a box with one or two lines of text, cut to its width.
func box(b *strings.Builder, x, y, width int, class, name, more string) {
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="5"/>`, class, x, y, width, boxHeight)
	line := y + 17
	if more == "" {
		line = y + 25
	}
	fmt.Fprintf(b, `<text class="name" x="%d" y="%d">%s</text>`, x+9, line, esc(fit(name, width, textSize+1)))
	if more != "" {
		fmt.Fprintf(b, `<text class="more" x="%d" y="%d">%s</text>`, x+9, y+33, esc(fit(more, width, smallSize)))
	}
}

// fit cuts a text to a width in pixels, by the usual width of a character.
func fit(s string, width int, char float64) string {
	most := max(int(float64(width-16)/char), 1)
	if words.Width(s) <= most {
		return s
	}
	n := 0
	for i, r := range s {
		if n += words.Width(string(r)); n > most-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// writeRail writes the line from outside, and an arrow from it to each open port.
func writeRail(b *strings.Builder, rows []row) {
	last := -1
	for i := range rows {
		if rows[i].step.Open && !rows[i].again {
			last = i
		}
	}
	if last < 0 {
		return
	}
	fmt.Fprintf(b, `<path class="rail" d="M%d %dV%d"/>`, rail, 2+boxHeight, top(last)+boxHeight/2)
	for i := range rows {
		r := &rows[i]
		if !r.step.Open || r.again {
			continue
		}
		class := "rail"
		if exposed(r.step) {
			class = "rail inside"
		}
		arrow(b, class, rail, top(i)+boxHeight/2, firstBox+r.depth*indent)
	}
}

// writeEdge writes the line from the box above a row to its own.
func writeEdge(b *strings.Builder, rows []row, i int) {
	r := &rows[i]
	if r.edge == nil || r.above < 0 {
		return
	}
	from := &rows[r.above]
	x, y := firstBox+from.depth*indent+indent/2, top(i)+boxHeight*3/4
	class := "edge"
	if r.edge.Asks || r.edge.Basis == result.BasisTable || r.edge.Basis == result.BasisDialogue {
		class = "edge unsure"
	}
	fmt.Fprintf(b, `<path class="%s" d="M%d %dV%d"/>`, class, x, top(r.above)+boxHeight, y)
	arrow(b, class, x, y, max(firstBox+r.depth*indent, x+8))
}

// arrow writes a level line that ends in an arrow head at x2.
func arrow(b *strings.Builder, class string, x1, y, x2 int) {
	fmt.Fprintf(b, `<path class="%s" d="M%d %dH%d"/><path class="%s head" d="M%d %dl-7 -4v8z"/>`, class, x1, y, x2-6, class, x2, y)
}
