package exposure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/result"
)

// A RuleKind groups the rules by what they check.
type RuleKind string

// The kinds of rules.
const (
	// KindListener rules are about a daemon that is reachable at all. For one
	// port only the most severe one is reported: a rule lists the ones it
	// replaces.
	KindListener RuleKind = "listener"
	// KindTrust rules are about how the dialogue is protected and which clients
	// the daemon trusts. Expected services of the policy do not cover them.
	KindTrust RuleKind = "trust"
	// KindDisclosure rules are about what a daemon discloses about itself.
	KindDisclosure RuleKind = "disclosure"
	// KindPolicy rules enforce the policy file.
	KindPolicy RuleKind = "policy"
	// KindJoined rules are about what a scan and the machine, or its files, show together.
	KindJoined RuleKind = "joined"
	// KindDomain rules are about what the records of a domain and a scan show together.
	// Expected services of the policy do not cover them.
	KindDomain RuleKind = "domain"
)

// A Rule says when a service is exposed, why that is wrong and how to fix it.
// RuleInfo is the part that reports show, but for Help, which Info makes.
type Rule struct {
	result.RuleInfo

	Kind RuleKind

	// OffBand explains why the score is outside the band of the severity; "" if
	// it is inside.
	OffBand string

	// When lists the conditions; one is enough.
	When []Condition

	// Fallback rules apply only if no other listener rule does.
	Fallback bool

	// OptIn rules rest on what only intrusive probes show: without those, a
	// missing finding proves nothing.
	OptIn bool

	// Replaces lists ids of less specific rules about the same fault; they are
	// not reported if this rule is broken.
	Replaces []string

	// Fixes are the fixes for known daemons, from which Fix and Help are made.
	Fixes Fixes
}

// Fixes describe how to close a finding. In their texts "{port}" is replaced by
// the port.
type Fixes struct {
	Default string // for a daemon without a fix of its own

	// IDs are the ids of the fixes for known daemons; nil if there is only
	// Default.
	IDs []string

	// Also is a sentence appended to each of them, "" for none.
	Also string
}

// Known returns the fixes with the ids in IDs.
func (f *Fixes) Known() []*fix.Fix {
	var list []*fix.Fix
	for _, id := range f.IDs {
		if known := fix.Builtin().Lookup(id); known != nil {
			list = append(list, known)
		}
	}
	return list
}

// Advice describes how to close one finding.
type Advice struct {
	Text  string   // the edit and its commands, or the default
	Fixes []string // ids of the fixes in Text; nil if it is the default
}

// maxAlternatives is the maximum number of alternative products whose fixes are
// all listed; more would help nobody.
const maxAlternatives = 4

// For returns the advice for a product, found at an address and port from a
// vantage point. An empty version means that it is not known. If product is "",
// the fixes for all alternatives are listed.
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

// fillPort replaces the placeholder for the port; 0 means any port.
func fillPort(text string, port uint16) string {
	word := fix.AnyPort
	if port != 0 {
		word = fmt.Sprint(port)
	}
	return strings.ReplaceAll(text, "{port}", word)
}

// explain fills in Fix, the text made from the fixes that is for any daemon.
func (r *Rule) explain() {
	r.Fix = fillPort(strings.ReplaceAll(r.Fixes.Default, "port {port}", "the port"), 0)
}

// Info returns what reports show of the rule, with Help, which has all of its fixes. These
// are read at the first call.
func (r *Rule) Info() result.RuleInfo {
	info := r.RuleInfo
	info.Help = r.help()
	return info
}

// help returns the help of the rule in Markdown: why it matters, the fix for each
// daemon, and how to accept the risk.
func (r *Rule) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### Why it matters\n%s\n\n### Fix\n%s\n", r.Why, fillPort(r.Fixes.Default, 0))
	if len(r.Fixes.IDs) > 0 {
		b.WriteString("\n| Software | Edit | Takes effect with | Basis |\n| --- | --- | --- | --- |\n")
		for _, f := range r.Fixes.Known() {
			row := []string{f.Name(), f.Outline(fix.Values{}), "", f.Basis()}
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

// A RuleSet holds rules, sorted by id. It does not change after loading. Builtin
// returns one.
type RuleSet struct {
	Version string
	rules   []*Rule
	byID    map[string]*Rule
}

// All returns the rules in the order of their ids. The slice is the caller's.
func (s *RuleSet) All() []*Rule { return slices.Clone(s.rules) }

// Infos returns what reports show of the rules that keep accepts by their id, in the order
// of their ids; nil accepts all.
func (s *RuleSet) Infos(keep func(id string) bool) []result.RuleInfo {
	var list []result.RuleInfo
	for _, r := range s.rules {
		if keep == nil || keep(r.ID) {
			list = append(list, r.Info())
		}
	}
	return list
}

// Lookup returns the rule with an id; nil if there is none.
func (s *RuleSet) Lookup(id string) *Rule { return s.byID[id] }

// IDs returns the ids of all rules, in order.
func (s *RuleSet) IDs() []string {
	ids := make([]string, len(s.rules))
	for i, r := range s.rules {
		ids[i] = r.ID
	}
	return ids
}
