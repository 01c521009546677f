package terminal

import (
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/drawing"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// maxTrees is how many mail paths are drawn, unless the report is verbose.
const maxTrees = 5

// paths draws how mail flows through the hosts with findings.
func (t *textWriter) paths(v *view.View) {
	list := v.Paths()
	if len(list) == 0 {
		return
	}
	shown := list
	if !t.verbose {
		shown = list[:min(len(list), maxTrees)]
	}
	t.blank()
	t.line(t.paint(bold, "Mail path"))
	var legend []result.Path
	for _, p := range shown {
		t.Para("  ", 2, 2, drawing.Title(p))
		for _, l := range drawing.Text(p, drawing.Outside(v.Run.Vantage)) {
			t.tree(l)
		}
		legend = append(legend, *p)
	}
	for _, sentence := range drawing.Legend(legend) {
		t.Para("  ", 2, 4, sentence)
	}
	if more := len(list) - len(shown); more > 0 {
		t.line("  and " + wording.Plural(more, "more host") + " (-v draws all)")
	}
}

// tree writes a line of a tree.
func (t *textWriter) tree(l drawing.Line) {
	lead, hang := "    "+l.Lead, "    "+l.Hang
	width := max(t.Width-words.Width(lead), minWidth/2)
	for i, text := range words.Wrap(l.Text, width, max(t.Width-words.Width(hang), minWidth/2)) {
		if i > 0 {
			lead = hang
		}
		t.line(lead + text)
	}
}
