package exposure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/result"
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

// A Rule says when a service is exposed, why that is wrong and how to fix it. What a
// report tells of it is in RuleInfo.
type Rule struct {
	result.RuleInfo

	Kind RuleKind

	// OffBand explains why the score is outside of the band of the severity; ""
	// where it is inside.
	OffBand string

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

	// Fixes are those of the daemons that are known, of which Fix and Help tell.
	Fixes Fixes
}

// Fixes say how to close a finding. In their texts "{port}" stands for the port.
type Fixes struct {
	Default string // for a daemon that no fix is for

	// IDs name the fixes of the daemons that are known; nil where Default is all
	// there is.
	IDs []string

	// Also is a sentence that holds besides each of them, "" if none does.
	Also string
}

// Known are those that IDs name.
func (f *Fixes) Known() []*fix.Fix {
	var list []*fix.Fix
	for _, id := range f.IDs {
		if known := fix.Builtin().Lookup(id); known != nil {
			list = append(list, known)
		}
	}
	return list
}

// Advice is what closes one finding.
type Advice struct {
	Text  string   // the edit and its commands, or the default
	Fixes []string // ids of the fixes in Text; nil where it is the default
}

// maxAlternatives is how many products that are not told apart get their fixes
// side by side; more of them help nobody.
const maxAlternatives = 4

// For gives the advice for a product whose version is "" if it is not known,
// found at an address and port from a vantage point. Without a product the fixes
// of all its alternatives are given.
func (f *Fixes) For(product, version string, alternatives []string, at netip.AddrPort, vantage string) Advice {
	v := fix.Values{Address: at.Addr(), Port: at.Port(), Vantage: vantage}
	known := f.Known()
	chosen := fix.Choose(known, product, version, HasProduct)
	if product == "" && len(alternatives) <= maxAlternatives {
		for _, a := range alternatives {
			for _, c := range fix.Choose(known, a, "", HasProduct) {
				if !slices.Contains(chosen, c) {
					chosen = append(chosen, c)
				}
			}
		}
	}
	if len(chosen) == 0 {
		return Advice{Text: fillPort(f.Default, v.Port)}
	}
	a := Advice{Text: fix.Text(chosen, v)}
	if f.Also != "" {
		a.Text += "\n" + fillPort(f.Also, v.Port)
	}
	for _, c := range chosen {
		a.Fixes = append(a.Fixes, c.ID)
	}
	return a
}

// fillPort puts the port where a text leaves room for it; 0 is any port.
func fillPort(text string, port uint16) string {
	word := fix.AnyPort
	if port != 0 {
		word = fmt.Sprint(port)
	}
	return strings.ReplaceAll(text, "{port}", word)
}

// explain fills in what is told of the fixes: that for any daemon, and all of them in
// the help of the rule.
func (r *Rule) explain() {
	r.Fix = fillPort(strings.ReplaceAll(r.Fixes.Default, "port {port}", "the port"), 0)
	r.Help = r.help()
}

// help is the help of the rule in Markdown: why, the fix for each daemon, and how to
// accept the risk.
func (r *Rule) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### Why it matters\n%s\n\n### Fix\n%s\n", r.Why, fillPort(r.Fixes.Default, 0))
	if len(r.Fixes.IDs) > 0 {
		b.WriteString("\n| Software | Edit | Takes effect with | Basis |\n| --- | --- | --- | --- |\n")
		for _, f := range r.Fixes.Known() {
			row := []string{f.Name(), f.Summary(fix.Values{}), "", f.Basis()}
			if f.Apply != "" {
				row[2] = "`" + f.Apply + "`"
			}
			for i, cell := range row {
				row[i] = strings.ReplaceAll(cell, "|", `\|`)
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
	}
	if also := fix.Elsewhere(r.Fixes.Known(), fix.Values{}); also != nil {
		fmt.Fprintf(&b, "\n%s.\n", strings.Join(also, ". "))
	}
	if r.Fixes.Also != "" {
		fmt.Fprintf(&b, "\n%s\n", fillPort(r.Fixes.Also, 0))
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

// Infos gives what reports tell of the rules, in the order of their ids.
func (s *RuleSet) Infos() []result.RuleInfo {
	list := make([]result.RuleInfo, len(s.rules))
	for i, r := range s.rules {
		list[i] = r.RuleInfo
	}
	return list
}

// Lookup finds a rule by id; nil if there is none.
func (s *RuleSet) Lookup(id string) *Rule { return s.byID[id] }

// IDs gives the ids of all rules, in order.
func (s *RuleSet) IDs() []string {
	ids := make([]string, len(s.rules))
	for i, r := range s.rules {
		ids[i] = r.ID
	}
	return ids
}
