package exposure

import (
	"fmt"
	"strings"
)

// Manual returns the rules and notices as one page of Markdown: an overview, then
// for each rule why it matters, how to fix it and further reading.
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
	help := strings.ReplaceAll(r.help(), "### ", "#### ")
	b.WriteString(strings.TrimSpace(help))
	b.WriteString("\n\n#### References\n")
	for _, uri := range r.References {
		fmt.Fprintf(b, "- <%s>\n", uri)
	}
	for _, cwe := range r.CWE {
		fmt.Fprintf(b, "- [CWE-%d](https://cwe.mitre.org/data/definitions/%d.html)\n", cwe, cwe)
	}
}
