package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestShellScripts checks every shell script: bash can parse it, a comment at its
// top says what it does, and shellcheck, if installed, finds nothing.
func TestShellScripts(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	checker, _ := exec.LookPath("shellcheck")
	shebang := regexp.MustCompile(`\A#!(/usr/bin/env bash|/bin/(ba)?sh)\n# \S`)
	seen := 0
	eachFile(t, func(name string) {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(data), "\n")
		if !strings.HasPrefix(first, "#!") || !strings.HasSuffix(first, "sh") || strings.Contains(name, "testdata/") {
			return
		}
		seen++
		if !shebang.Match(data) {
			t.Errorf("%s does not begin with a shebang and a comment that says what it does", name)
		}
		file := filepath.Join(root, name)
		if out, err := exec.Command(bash, "-n", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if checker == "" {
			return
		}
		// SC2016: code for another shell. SC1091: files that are not here.
		if out, err := exec.Command(checker, "--severity=warning", "--exclude=SC2016,SC1091", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	})
	if seen < 10 {
		t.Errorf("only %d scripts", seen)
	}
}

// TestMakeListsItsTargets: "make" lists every target.
func TestMakeListsItsTargets(t *testing.T) {
	text := readDocument(t, filepath.Join(root, "Makefile"))
	phony := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindStringSubmatch(text)
	if phony == nil {
		t.Fatal("the Makefile has no .PHONY")
	}
	for _, target := range strings.Fields(phony[1]) {
		if target != "help" && target != "clean" && !strings.Contains(text, `@echo "make `+target+` `) {
			t.Errorf("make does not tell of its target %s", target)
		}
	}
}
