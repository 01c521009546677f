package terminal

import (
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
)

// quiet lists the ports of a host without a finding.
func (t *textWriter) quiet(h *view.HostEntry) {
	lines := h.QuietLines(!t.verbose)
	wide := 9
	for i := range lines {
		wide = max(wide, len(lines[i].Number()))
	}
	for i := range lines {
		lead := "  " + words.PadTo(lines[i].Number(), wide) + "  "
		t.Para(lead, words.Width(lead), words.Width(lead), lines[i].Text())
		t.naming(lines[i].Ports[0]) // verbose lines have one port each
	}
}
