package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A module is a dependency in the module cache of this machine.
type module struct {
	Path, Dir string
}

// TestThirdPartyIsComplete compares THIRD_PARTY.md with the modules of go.mod and
// their licenses. With -update it rewrites the file.
func TestThirdPartyIsComplete(t *testing.T) {
	linked := map[string]bool{}
	for _, system := range []string{"linux", "darwin", "windows", "freebsd"} {
		for _, m := range goList(t, system, "-deps", "-json=Module", "./cmd/mxsweep") {
			linked[m.Path] = true
		}
	}
	all := goList(t, "linux", append([]string{"-m", "-json=Path,Dir"}, goRequires(t)...)...)
	file := filepath.Join(root, "THIRD_PARTY.md")
	got, err := os.ReadFile(file)
	want := thirdParty(t, all, linked, string(got))
	if err == nil && string(got) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is not what go.mod says (%v); go test -run ThirdParty ./cmd/mxsweep -update writes it anew", file, err)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestThirdPartyNamesEveryModule needs only the two files.
func TestThirdPartyNamesEveryModule(t *testing.T) {
	text := readDocument(t, filepath.Join(root, "THIRD_PARTY.md"))
	for _, m := range goRequires(t) {
		if !strings.Contains(text, "| "+m+" |") {
			t.Errorf("THIRD_PARTY.md lacks %s", m)
		}
	}
}

// goRequires returns the modules that go.mod requires, sorted.
func goRequires(t *testing.T) (required []string) {
	t.Helper()
	for line := range strings.Lines(readDocument(t, filepath.Join(root, "go.mod"))) {
		if f := strings.Fields(line); len(f) >= 2 && strings.HasPrefix(line, "\t") && strings.HasPrefix(f[1], "v") {
			required = append(required, f[0])
		}
	}
	if len(required) < 10 {
		t.Fatalf("go.mod requires only %v", required)
	}
	slices.Sort(required)
	return required
}

// goList runs "go list" for a system and returns the modules that it names. It
// fetches nothing: a module for another system may not be on this machine.
func goList(t *testing.T, system string, args ...string) []module {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0", "GOPROXY=off")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && strings.Contains(string(exit.Stderr), "disabled by GOPROXY") {
			t.Skipf("not all modules are on this machine, go mod download fetches them: %s", exit.Stderr)
		}
		if exit != nil {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Skipf("no go command to ask: %v", err)
	}
	var list []module
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var entry struct {
			module
			Main   bool
			Module *struct {
				module
				Main bool
			}
		}
		if err := d.Decode(&entry); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if m := entry.Module; m != nil {
			entry.module, entry.Main = m.module, m.Main
		}
		if entry.Path != "" && !entry.Main {
			list = append(list, entry.module)
		}
	}
	return list
}

const thirdPartyHead = `# Third-party licenses

The binary of mxsweep holds the code of the modules in the first table. Their
licenses ask that their texts come with it. Versions are in go.mod.

Written by "go test -run ThirdParty ./cmd/mxsweep -update".

`

// thirdParty returns THIRD_PARTY.md: the modules with their licenses, and each
// text once. For modules that no build or test needs, so that they are not in the
// cache, it keeps the text of the file.
func thirdParty(t *testing.T, all []module, linked map[string]bool, said string) string {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("no go command to ask: %v", err)
	}
	var in, out, texts strings.Builder
	owners := map[string][]string{}
	var order []string
	std := module{"Go standard library", strings.TrimSpace(string(goroot))}
	if _, err := os.Stat(filepath.Join(std.Dir, "LICENSE")); err != nil {
		t.Skipf("the Go of this machine came without its license: %v", err)
	}
	for _, m := range append([]module{std}, all...) {
		if m.Dir == "" && !linked[m.Path] {
			_, rest, found := strings.Cut(said, "| "+m.Path+" | ")
			if !found {
				t.Fatalf("%s was not fetched; run go mod download first", m.Path)
			}
			name, _, _ := strings.Cut(rest, " |")
			fmt.Fprintf(&out, "| %s | %s |\n", m.Path, name)
			continue
		}
		text := licenseTexts(t, m)
		row := fmt.Sprintf("| %s | %s |\n", m.Path, licenseName(t, m.Path, text))
		if !linked[m.Path] && m != std {
			out.WriteString(row)
			continue
		}
		in.WriteString(row)
		if owners[text] == nil {
			order = append(order, text)
		}
		owners[text] = append(owners[text], m.Path)
	}
	for _, text := range order {
		fmt.Fprintf(&texts, "\n### %s\n\n```text\n%s```\n", strings.Join(owners[text], ", "), text)
	}
	const table = "| module | license |\n| --- | --- |\n"
	return thirdPartyHead + "## In the binary\n\n" + table + in.String() +
		"\n## In tests and tools only\n\n" + table + out.String() +
		"\n## Texts\n" + texts.String()
}

// licenseTexts returns the license of a module and its notices, which Apache-2.0,
// Section 4(d), requires.
func licenseTexts(t *testing.T, m module) string {
	t.Helper()
	var text string
	for _, pattern := range []string{"LICENSE*", "COPYING*", "NOTICE*"} {
		files, err := filepath.Glob(filepath.Join(m.Dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if text != "" {
				text += "\n"
			}
			text += strings.TrimSpace(strings.ReplaceAll(readDocument(t, file), "\r\n", "\n")) + "\n"
		}
	}
	if text == "" {
		t.Fatalf("no license in %s", m.Dir)
	}
	return text
}

// licenseName recognizes a license by characteristic words.
func licenseName(t *testing.T, path, text string) string {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	var names []string
	for _, l := range []struct{ name, words string }{
		{"Apache-2.0", "Apache License"},
		{"MIT", "Permission is hereby granted, free of charge"},
		{"BSD-3-Clause", "may be used to endorse or promote products derived"},
	} {
		if strings.Contains(text, l.words) {
			names = append(names, l.name)
		}
	}
	if names == nil && strings.Contains(text, "Redistributions in binary form must reproduce") {
		names = []string{"BSD-2-Clause"}
	}
	if names == nil {
		t.Fatalf("the license of %s is not one of those known here: look whether it can be used", path)
	}
	return strings.Join(names, " and ")
}
