package exposure

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestManual holds docs/rules.md and docs/fixes.md against the rules.
func TestManual(t *testing.T) {
	holdDocument(t, "../docs/rules.md", testRules(t).Manual())
	holdDocument(t, "../docs/fixes.md", testRules(t).FixMatrix())
}

// holdDocument wants a file to have a text, or writes it with -update.
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
		t.Errorf("%s is not what the rules say; write it anew with -update", file)
	}
}
