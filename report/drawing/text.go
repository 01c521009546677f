package drawing

import (
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// A Line is a line of a tree: what is before its text, which later lines of a wrapped text
// continue, and the text.
type Line struct{ Lead, Hang, Text string }

// Text returns a path as a tree of ASCII lines, for who is outside.
func Text(p *result.Path, outside string) []Line {
	lines := []Line{{Text: outside}}
	rows := rowsOf(p)
	var bars []string // one for each depth
	for i := range rows {
		r := &rows[i]
		bars = append(bars[:min(r.depth, len(bars))], "|   ")
		if r.last {
			bars[r.depth] = "    "
		}
		text := r.name()
		if about := r.about(); about != "" {
			text += ", " + about
		}
		if mark := r.mark(); mark != "" {
			text += " [" + mark + "]"
		}
		if basis := r.basis(whole); basis != "" {
			text += " (" + basis + ")"
		}
		lines = append(lines, Line{
			Lead: strings.Join(bars[:r.depth], "") + connector(r), Hang: strings.Join(bars[:r.depth+1], ""), Text: text,
		})
	}
	if more := left(p); more != "" {
		lines = append(lines, Line{Text: more})
	}
	return lines
}

// connector returns the line that leads to a row.
func connector(r *row) string {
	corner := "+"
	if r.last {
		corner = "`"
	}
	switch {
	case r.edge == nil && r.step.Kind == result.StepPort && !r.step.Open:
		return corner + "   " // nobody outside reaches it
	case r.edge == nil:
		return corner + "-> "
	case r.edge.Asks:
		return corner + "-? "
	case r.edge.Basis == result.BasisTable, r.edge.Basis == result.BasisDialogue:
		return corner + ".. "
	}
	return corner + "-- "
}
