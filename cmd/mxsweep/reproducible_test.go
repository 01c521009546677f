package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/gate"
)

// TestBuildsAreReproducible builds the command in two folders: a build that
// verifies a release must have the same bytes.
func TestBuildsAreReproducible(t *testing.T) {
	gate.Ask(t, "nothing is built twice")
	var built [2][]byte
	for i, name := range []string{"one", "another-folder"} {
		dir := filepath.Join(t.TempDir(), name)
		copySources(t, dir)
		binary := filepath.Join(dir, "mxsweep.out")
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary, "./cmd/mxsweep")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(dir)) {
			t.Errorf("the binary names the folder in which it was built, %s", dir)
		}
		built[i] = data
	}
	if !bytes.Equal(built[0], built[1]) {
		t.Error("builds in two folders differ")
	}
}

// copySources copies what a build needs.
func copySources(t *testing.T, dir string) {
	t.Helper()
	eachFile(t, func(name string) {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "tools/") {
			return
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			t.Fatal(err)
		}
	})
}
