package view

import (
	"github.com/mxsweep/mxsweep/result"
)

// A ruleCount says how often a rule is broken.
type ruleCount struct {
	Rule     *result.RuleInfo
	Severity result.Severity
	Findings int
	Hosts    map[hostKey]bool
}

// RuleCounts counts the live findings that are shown, by rule, in the order of
// reports.
func (v *View) RuleCounts(shown []*result.Finding) []*ruleCount {
	var list []*ruleCount
	at := make(map[string]*ruleCount)
	for _, f := range shown {
		c := at[f.Rule]
		if c == nil {
			c = &ruleCount{Rule: v.Rule(f), Severity: f.Severity, Hosts: make(map[hostKey]bool)}
			at[f.Rule] = c
			list = append(list, c)
		}
		c.Findings++
		c.Hosts[keyOf(f.IP, f.Host, f.Listener)] = true
	}
	return list
}
