package terminal

import (
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// joined writes what a scan and a machine, or its files, show together: a row for each
// address and port, with its state.
func (t *textWriter) joined(v *view.View) {
	shown, unknown := v.Joined()
	if len(shown)+len(unknown) == 0 {
		return
	}
	t.blank()
	t.line(t.paint(bold, "Inside and outside"))
	rest := view.UnknownJoined(unknown, shown)
	if t.verbose {
		shown, rest = append(shown, unknown...), ""
	}
	state, place := 0, 0
	for _, j := range shown {
		state, place = max(state, words.Width(string(j.State))), max(place, words.Width(view.Place(j.IP, j.Port)))
	}
	for _, j := range shown {
		word := words.PadTo(string(j.State), state)
		lead := "  " + word + "  " + words.PadTo(view.Place(j.IP, j.Port), min(place, widestSocket)) + "  "
		t.Para("  "+t.paint(joinColor(j.State), word)+lead[2+len(word):], words.Width(lead), state+6, view.JoinedText(j))
	}
	if rest != "" {
		t.Para("  ", 2, 4, rest)
	}
}

// joinColor is the color of a state.
func joinColor(s result.JoinState) string {
	switch s {
	case result.JoinReachable, result.JoinElsewhere:
		return yellow
	case result.JoinFiltered:
		return cyan
	}
	return dim
}
