package result

// A RuleInfo explains the findings of one rule: what a report shows of the rule.
// The rule with its conditions is in package exposure.
type RuleInfo struct {
	ID         string   `json:"id"`             // "MXSnnnn"
	Name       string   `json:"name,omitempty"` // in PascalCase, for tools
	Title      string   `json:"title"`
	Severity   Severity `json:"severity"`
	Score      float64  `json:"score"`              // 0 to 10
	CVSS       string   `json:"cvss,omitempty"`     // the CVSS 4.0 vector of which Score is the score
	Reviewed   string   `json:"reviewed,omitempty"` // YYYY-MM-DD
	Why        string   `json:"why,omitempty" clean:"block"`
	Fix        string   `json:"fix,omitempty" clean:"block"`  // for any daemon
	Help       string   `json:"help,omitempty" clean:"block"` // markdown: the fix for each daemon
	References []string `json:"references,omitempty"`
	CWE        []int    `json:"cwe,omitempty"`
	Tags       []string `json:"tags,omitempty"`
}
