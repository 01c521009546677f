package html

import (
	"fmt"
	"html/template"

	"github.com/mxsweep/mxsweep/report/drawing"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// maxDrawn is the maximum number of mail paths that are drawn, those of the hosts with the
// most urgent findings first.
const maxDrawn = 50

// An htmlPath is the drawing of one mail path, and the same as text.
type htmlPath struct {
	Title string
	SVG   template.HTML // trusted: package drawing escapes each text in it
	Lines []string

	Unprinted bool
}

// The limits of what is printed, unless all evidence is: how many drawings, and how many rows
// one has. The page has the rest.
const (
	maxPrinted = 4
	maxTall    = 14
)

// Unprinted says how many drawings are left out in print, "" if none.
func (p *htmlPage) Unprinted() string {
	n := 0
	for i := range p.Paths {
		if p.Paths[i].Unprinted {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return words.IsAre(n, "drawing")
}

// paths returns the drawings, the sentences that explain them, and how many paths are left
// out.
func paths(v *view.View) (list []htmlPath, legend []string, left int) {
	all := v.Paths()
	left = max(len(all)-maxDrawn, 0)
	outside := drawing.Outside(v.Run.Vantage)
	var drawn []result.Path
	printed := 0
	for i, p := range all[:len(all)-left] {
		h := htmlPath{Title: drawing.Title(p), SVG: template.HTML(drawing.SVG(p, outside, fmt.Sprintf("path%d", i)))}
		for _, l := range drawing.Text(p, outside) {
			h.Lines = append(h.Lines, l.Lead+l.Text)
		}
		if h.Unprinted = printed == maxPrinted || len(h.Lines) > maxTall; !h.Unprinted {
			printed++
		}
		list = append(list, h)
		drawn = append(drawn, *p)
	}
	return list, drawing.Legend(drawn), left
}
