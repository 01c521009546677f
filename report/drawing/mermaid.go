package drawing

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// Mermaid returns a path as a flowchart of Mermaid, without the code fence, for who is
// outside. An internal port that is open has a thick border, and an arrow from outside leads to
// each port that is open. It ends with a line end.
func Mermaid(p *result.Path, outside string) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	fmt.Fprintf(&b, "  outside([\"%s\"])\n", mermaidText(outside))
	var thick []string
	for i := range p.Steps {
		s := &p.Steps[i]
		r := row{step: s}
		label := mermaidText(r.name())
		for _, more := range []string{r.about(), r.mark()} {
			if more != "" {
				label += "<br/>" + mermaidText(more)
			}
		}
		shape := [2]string{"[", "]"}
		if s.Kind != result.StepPort {
			shape = [2]string{"[(", ")]"}
		}
		fmt.Fprintf(&b, "  s%d%s\"%s\"%s\n", i, shape[0], label, shape[1])
		if exposed(s) {
			thick = append(thick, fmt.Sprintf("s%d", i))
		}
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Open {
			fmt.Fprintf(&b, "  outside --> s%d\n", i)
		}
	}
	for i := range p.Edges {
		b.WriteString(mermaidEdge(&p.Edges[i]))
	}
	if len(thick) > 0 {
		b.WriteString("  classDef open stroke:#cf222e,stroke-width:3px\n")
		fmt.Fprintf(&b, "  class %s open\n", strings.Join(thick, ","))
	}
	return b.String()
}

// mermaidEdge returns the line of an edge, dotted if the edge is not certain.
func mermaidEdge(e *result.PathEdge) string {
	r := row{edge: e}
	arrow := "-->"
	if e.Asks || e.Basis == result.BasisTable || e.Basis == result.BasisDialogue {
		arrow = "-.->"
	}
	if basis := r.basis(whole); basis != "" {
		arrow += "|\"" + mermaidText(basis) + "\"|"
	}
	return fmt.Sprintf("  s%d %s s%d\n", e.From, arrow, e.To)
}

// maxLabel is how long a text of a label is, in characters.
const maxLabel = 60

// mermaidText returns a text for a quoted label: what is not a letter, a digit, a blank or one
// of a few marks becomes its entity code ("Entity codes to escape characters" in Mermaid's
// documentation of flowcharts), so that no text ends its label, its line or the code fence.
func mermaidText(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > maxLabel {
			b.WriteString("...")
			break
		}
		switch {
		case r < ' ', r == 0x7f:
			b.WriteByte(' ')
		case r < 0x80 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(" .,:-/", r)):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
