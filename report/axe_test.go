package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
)

// axeFile is where scripts/readers installs axe-core.
const axeFile = "../dist/readers/node_modules/axe-core/axe.min.js"

// TestAxeInBrowser checks the page with the rules of axe-core (WCAG 2.2,
// including best practices), in light and dark, on a screen and on a phone.
func TestAxeInBrowser(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil {
		t.Skipf("axe-core is not installed (scripts/readers): %v", err)
	}
	b := openBrowser(t)
	file := filepath.Join(t.TempDir(), "report.html")
	o := format.Options{Title: format.TitlePage{Title: "Audit", Client: "Example", Classification: "confidential"}}
	if err := os.WriteFile(file, convert(t, "run.json", "html", o), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{1280, 400} {
		for _, scheme := range []string{"light", "dark"} {
			b.show(width, scheme, "screen")
			b.load(file)
			b.eval(string(axe)+"; true", nil)
			var r struct {
				Passes     int
				Violations []string
			}
			b.eval(`axe.run().then(r => ({passes: r.passes.length, violations: r.violations.flatMap(v =>
				v.nodes.map(n => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary))}))`, &r)
			if r.Passes < 10 {
				t.Errorf("%d wide, %s: axe checked %d rules only", width, scheme, r.Passes)
			}
			for _, v := range r.Violations {
				t.Errorf("%d wide, %s: %s", width, scheme, v)
			}
		}
	}
}
