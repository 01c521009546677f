package exposure

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/fix"
)

// Manual gives the rules and notices as one page of Markdown: an overview,
// then each rule with why it matters, how to fix it and where to read on.
func (s *RuleSet) Manual() string {
	var b strings.Builder
	b.WriteString("# Rules\n\n")
	b.WriteString("Made from the files in `exposure/rules` and the notices of package exposure;\n")
	b.WriteString("`go test ./exposure -run Manual -update` regenerates it. `mxsweep rules ID` shows\n")
	b.WriteString("one rule; accepted risks in the policy file refer to rules by their ids.\n\n")
	b.WriteString("| id | severity | score | what it says |\n| --- | --- | --- | --- |\n")
	for _, r := range s.rules {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %.1f | %s |\n", r.ID, strings.ToLower(r.ID), r.Severity, r.Score, r.Title)
	}
	for _, r := range s.rules {
		r.manual(&b)
	}
	b.WriteString("\n# Notices\n\nA notice is about the run itself.\n\n")
	b.WriteString("| code | level | what it says | what to do |\n| --- | --- | --- | --- |\n")
	for _, k := range noticeKinds {
		fmt.Fprintf(&b, "| %s | %s | %s %s | %s |\n", k.Code, k.Level, k.Title, k.Why, k.Help)
	}
	return b.String()
}

// manual writes the section of one rule.
func (r *Rule) manual(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n**%s** (%s, %.1f)\n\n", r.ID, r.Title, r.Severity, r.Score)
	fmt.Fprintf(b, "`%s`, reviewed on %s.\n\n", r.CVSS, r.Reviewed)
	if r.OffBand != "" {
		fmt.Fprintf(b, "Why %s: %s\n\n", r.Severity, r.OffBand)
	}
	help := strings.ReplaceAll(r.Help, "### ", "#### ")
	b.WriteString(strings.TrimSpace(help))
	b.WriteString("\n\n#### References\n")
	for _, uri := range r.References {
		fmt.Fprintf(b, "- <%s>\n", uri)
	}
	for _, cwe := range r.CWE {
		fmt.Fprintf(b, "- [CWE-%d](https://cwe.mitre.org/data/definitions/%d.html)\n", cwe, cwe)
	}
}

// FixMatrix is a table of all rules and fixes in Markdown, and of what each
// pair rests on: the daemon that obeyed it, or the manual and why it was not run.
func (s *RuleSet) FixMatrix() string {
	var rows strings.Builder
	var proven, same, read int
	for _, r := range s.rules {
		for _, f := range r.Fixes.Known() {
			basis := provenFor(f, r.ID)
			switch {
			case basis != "":
				proven++
			case len(f.Proofs) > 0:
				same++
				basis = "the same edit: " + provenFor(f, f.Proofs[0].Rule) + " for " + f.Proofs[0].Rule
			default:
				read++
				basis = fmt.Sprintf("from the manual: [%s](%s); not tested: %s", f.Source.Title, f.Source.URL, f.WhyNot)
			}
			fmt.Fprintf(&rows, "| [%s](rules.md#%s) | %s | `%s` | %s |\n", r.ID, strings.ToLower(r.ID), f.Name(), f.ID, basis)
		}
	}
	return fmt.Sprintf(`# Fixes and their basis

Made from the files in `+"`exposure/fix/data`"+`; `+"`make fixes`"+` tests them again
and regenerates it. A fix is proven if it worked on the real daemon: the daemon ran
with the configuration of its package and the smallest edit that exposes it, a sweep
found it, the fix was applied exactly as it is printed, and a second sweep found
neither the daemon nor any change of another port. If the daemon is in the path of
mail, a test message still arrived, once. A fix that was not tested says why (`+"`exposure/fix/data/reasons.yaml`"+`).

%d are proven, %d are the same edit as one that is proven for another rule, %d are from the manual.

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
