package exposure

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/fix"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestManual compares docs/rules.md and docs/fixes.md with the rules.
func TestManual(t *testing.T) {
	holdDocument(t, "../docs/rules.md", testRules(t).Manual())
	holdDocument(t, "../docs/fixes.md", fixMatrix(testRules(t)))
}

// holdDocument checks that a file has the text, or writes it with -update.
func holdDocument(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll("../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the rules say; write it again with go test -run '^TestManual$' ./exposure -update", file)
	}
}

// fixMatrix is a table of all rules and fixes in Markdown, and of what each
// pair rests on: the daemon that obeyed it, or the manual and why it was not run.
func fixMatrix(s *RuleSet) string {
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
