package exposure

import (
	"fmt"
	"slices"
	"strings"
)

// A RuleKind sorts the rules by what they look at.
type RuleKind string

// The kinds of rules.
const (
	// KindListener rules are about a daemon that can be reached at all. At
	// most the heaviest reason is told for one port: a rule names the ones
	// that it makes redundant.
	KindListener RuleKind = "listener"
	// KindTrust rules are about how the dialogue is protected and whom the
	// daemon trusts. No expectation of the policy covers them.
	KindTrust RuleKind = "trust"
	// KindDisclosure rules are about what a daemon tells of itself.
	KindDisclosure RuleKind = "disclosure"
	// KindPolicy rules rest on what the policy file says.
	KindPolicy RuleKind = "policy"
)

// A Rule says when a service is exposed, why that is wrong and how to mend it.
type Rule struct {
	ID   string // "MXSnnnn"; an id never changes its meaning
	Name string // PascalCase, for SARIF
	Kind RuleKind

	Title    string // one line, without a full stop
	Severity Severity
	Score    float64 // 0 to 10, within the band of Severity

	// When holds the conditions under which the rule holds; one is enough.
	When []Condition

	// Fallback rules hold only where no other listener rule does.
	Fallback bool

	// OptIn rules rest on what only intrusive probes show: without them a
	// finding that is gone proves nothing.
	OptIn bool

	// Replaces lists ids of rules that say less about the same fault; where
	// this rule holds they are left out.
	Replaces []string

	Why string // what a stranger gains, in full sentences
	Fix Fix

	References []string // URIs
	CWE        []int
	Tags       []string
}

// A Fix says how to mend a fault. In its texts "{port}" stands for the port.
type Fix struct {
	Default  string
	Products []ProductFix // the very config line of each daemon
}

// A ProductFix is the fix for one daemon.
type ProductFix struct {
	Product string // words that the product's name contains
	Text    string
}

// For gives the fix for a product, the default for one that is not listed.
func (f Fix) For(product string, port uint16) string {
	best := -1
	for i, p := range f.Products {
		if hasProduct(product, p.Product) && (best < 0 || len(p.Product) > len(f.Products[best].Product)) {
			best = i
		}
	}
	text := f.Default
	if best >= 0 {
		text = f.Products[best].Text
	}
	return fillPort(text, fmt.Sprint(port))
}

// fillPort puts the port where a fix leaves room for it.
func fillPort(text, port string) string {
	return strings.ReplaceAll(text, "{port}", port)
}

// HelpText is the help of the rule in plain sentences.
func (r *Rule) HelpText() string {
	return fillPort(r.Fix.Default, "PORT") + " Accept the risk in mxsweep.yaml with a reason and an expiry date if the exposure is intended."
}

// HelpMarkdown is the help of the rule in Markdown: why, the fix for each
// daemon, and how to accept the risk.
func (r *Rule) HelpMarkdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### Why it matters\n%s\n\n### Fix\n%s\n", r.Why, fillPort(r.Fix.Default, "PORT"))
	if len(r.Fix.Products) > 0 {
		b.WriteString("\n| Software | Setting |\n| --- | --- |\n")
		for _, p := range r.Fix.Products {
			fmt.Fprintf(&b, "| %s | %s |\n", p.Product, strings.ReplaceAll(fillPort(p.Text, "PORT"), "|", `\|`))
		}
	}
	fmt.Fprintf(&b, "\n### Accept the risk\nAdd an entry for `%s` with `reason`, `owner` and `expires` under `accept:` in `mxsweep.yaml`.\n", r.ID)
	return b.String()
}

// A RuleSet holds rules, sorted by id. Load or Builtin make one.
type RuleSet struct {
	Version string
	rules   []*Rule
	byID    map[string]*Rule
}

// All gives the rules in the order of their ids. The slice is the caller's.
func (s *RuleSet) All() []*Rule { return slices.Clone(s.rules) }

// Lookup finds a rule by id; nil if there is none.
func (s *RuleSet) Lookup(id string) *Rule { return s.byID[id] }
