package terminal

import (
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
)

// manyFindings is the minimum number of findings for a table of the rules at the
// start: with fewer, the report itself is short enough.
const manyFindings = 50

// summary writes one line for each rule, if there are many findings.
func (t *textWriter) summary(v *view.View) {
	shown := t.Shown(t.only)
	if len(shown) < manyFindings {
		return
	}
	t.blank()
	t.line(t.paint(bold, words.PadTo("Severity", 10)+words.PadTo("Rule", 9)+words.PadTo("Findings", 10)+words.PadTo("Hosts", 7)+"Problem"))
	for _, c := range v.RuleCounts(shown) {
		lead := t.paint(severityColor(c.Severity), words.PadTo(strings.ToUpper(c.Severity.String()), 10)) +
			words.PadTo(c.Rule.ID, 9) + words.PadTo(strconv.Itoa(c.Findings), 10) + words.PadTo(strconv.Itoa(len(c.Hosts)), 7)
		t.Para(lead, 36, 36, c.Rule.Title)
	}
}
