package report

import (
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// manyFindings is how many findings a text report has that begins with a table
// of its rules: below, the report itself is short enough.
const manyFindings = 50

// A ruleCount is how often a rule is broken.
type ruleCount struct {
	rule     *result.Rule
	severity result.Severity
	findings int
	hosts    map[string]bool
}

// ruleCounts counts the live findings that are shown by rule, in the order in
// which reports list them.
func (v *view) ruleCounts(shown []*result.Finding) []*ruleCount {
	var list []*ruleCount
	at := make(map[string]*ruleCount)
	for _, f := range shown {
		c := at[f.Rule]
		if c == nil {
			c = &ruleCount{rule: v.rule(f), severity: f.Severity, hosts: make(map[string]bool)}
			at[f.Rule] = c
			list = append(list, c)
		}
		c.findings++
		c.hosts[f.IP] = true
	}
	return list
}

// summary writes, before many findings, one line for each rule.
func (t *textWriter) summary(v *view) {
	shown := t.shown(t.only)
	if len(shown) < manyFindings {
		return
	}
	t.blank()
	t.line(t.paint(bold, padTo("Severity", 10)+padTo("Rule", 9)+padTo("Findings", 10)+padTo("Hosts", 7)+"What is wrong"))
	for _, c := range v.ruleCounts(shown) {
		lead := t.paint(severityColor(c.severity), padTo(strings.ToUpper(c.severity.String()), 10)) +
			padTo(c.rule.ID, 9) + padTo(itoa(c.findings), 10) + padTo(itoa(len(c.hosts)), 7)
		t.para(lead, 36, 36, c.rule.Title)
	}
}
