package exposure

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/fix"
)

// FixMatrix is a table of all rules and fixes in Markdown, and of what each
// pair rests on: the daemon that obeyed it, or the manual and why it was not run.
func (s *RuleSet) FixMatrix() string {
	var rows strings.Builder
	var proven, same, read int
	for _, r := range s.rules {
		for _, f := range r.Fix.Fixes() {
			basis := provenFor(f, r.ID)
			switch {
			case basis != "":
				proven++
			case len(f.Proofs) > 0:
				same++
				basis = "the same edit: " + provenFor(f, f.Proofs[0].Rule) + " for " + f.Proofs[0].Rule
			default:
				read++
				basis = fmt.Sprintf("from the manual: [%s](%s); not run: %s", f.Source.Title, f.Source.URL, f.WhyNot)
			}
			fmt.Fprintf(&rows, "| [%s](rules.md#%s) | %s | `%s` | %s |\n", r.ID, strings.ToLower(r.ID), f.Name(), f.ID, basis)
		}
	}
	return fmt.Sprintf(`# Fixes and what they rest on

Made from the files in `+"`exposure/fix/data`"+`; `+"`make fixes`"+` proves and writes it anew.
Proven is a fix that the real daemon obeyed: it ran with the configuration of
its package and the smallest edit that exposes it, a sweep found it, the edit
was made as it is printed, checked and made to take effect, and a second sweep
found neither the daemon nor any change of another port. Where the daemon is in
the path of mail, a message still arrived, once. What was not run says why
(`+"`exposure/fix/data/reasons.yaml`"+`).

%d proven, %d the same edit as one that is proven for another rule, %d from the manual.

| rule | software | fix | basis |
| --- | --- | --- | --- |
%s`, proven, same, read, rows.String())
}

// provenFor says on what a fix was proven for a rule, "" if it was not.
func provenFor(f *fix.Fix, rule string) string {
	var list []string
	for _, p := range f.Proofs {
		if p.Rule != rule {
			continue
		}
		text := fmt.Sprintf("proven on %s %s (%s), port %d", p.Product, p.Version, p.Platform, p.Port)
		if p.Mail {
			text += ", mail arrives"
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}
