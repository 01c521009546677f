package report

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
)

// TestRecipes runs each jq recipe of the manual on both forms of a run: the
// output is not empty, and the same for both.
func TestRecipes(t *testing.T) {
	manual, err := os.ReadFile(filepath.Join("..", "docs", "reports.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := bytes.Cut(manual, []byte("\n## Recipes for jq\n"))
	recipes := regexp.MustCompile(`(?m)^jq .* run\.json$`).FindAllString(string(text), -1)
	if len(recipes) < 9 {
		t.Fatalf("only %d recipes found", len(recipes))
	}
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("sh is not installed")
	}
	answers := func(form string) (list []string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "run.json"), convert(t, "run.json", form, format.Options{}), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, recipe := range recipes {
			c := exec.Command(shell, "-c", recipe)
			c.Dir = dir
			out, err := c.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1 && strings.Contains(recipe, " -e ")) { // the run fails
				t.Errorf("%s: %v\n%s", recipe, err, out)
			}
			if len(bytes.TrimSpace(out)) == 0 {
				t.Errorf("%s: tells nothing", recipe)
			}
			lines := strings.Split(string(out), "\n")
			slices.Sort(lines) // the line form has the order of the run
			list = append(list, strings.Join(lines, "\n"))
		}
		return list
	}
	document, lines := answers("json"), answers("jsonl")
	for i, recipe := range recipes {
		if document[i] != lines[i] {
			t.Errorf("%s:\n of the document %s\n of the lines %s", recipe, document[i], lines[i])
		}
	}
}
