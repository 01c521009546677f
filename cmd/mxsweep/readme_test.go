package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mxsweep/report"
)

// documents are the texts whose commands must work.
var documents = []string{"README.md", "CONTRIBUTING.md", "docs/*.md"}

func readDocument(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDocumentedCommandsParse holds every command in a code block of the
// documents against the real verbs and flags.
func TestDocumentedCommandsParse(t *testing.T) {
	block := regexp.MustCompile("(?s)```sh\n(.*?)```")
	count := 0
	for _, pattern := range documents {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, b := range block.FindAllStringSubmatch(readDocument(t, file), -1) {
				for line := range strings.Lines(b[1]) {
					line, _, _ = strings.Cut(line, " #")
					fields := strings.Fields(line)
					if len(fields) == 0 || fields[0] != "mxsweep" {
						continue
					}
					count++
					cmd, rest, err := newRoot(&session{}).Find(fields[1:])
					if err != nil || !cmd.HasParent() {
						t.Errorf("%s: %q: no such verb", file, line)
						continue
					}
					if err := cmd.ParseFlags(rest); err != nil {
						t.Errorf("%s: %q: %v", file, line, err)
					}
				}
			}
		}
	}
	if count < 8 {
		t.Errorf("only %d commands found in %v", count, documents)
	}
}

// shownLines is how much of a run the README shows.
const shownLines = 34

// TestReadmeShowsWhatTheDemoPrints keeps the first thing that a reader sees
// true. With -update it rewrites the README.
func TestReadmeShowsWhatTheDemoPrints(t *testing.T) {
	for _, port := range []string{"10024", "10026", "10027", "10028", "10031", "10040", "10083", "10143"} {
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Skipf("port %s of the demo is taken on this machine: %v", port, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	env := func(key string) string { return map[string]string{"COLUMNS": "80"}[key] }
	if code := run(t.Context(), []string{"demo", "-q"}, nil, &out, &errs, env); code != 0 || errs.Len() > 0 {
		t.Fatalf("the demo ended with %d: %s", code, errs.String())
	}
	lines := strings.Split(out.String(), "\n")
	shown := strings.Join(lines[:min(shownLines, len(lines))], "\n") + "\n...\n"
	file := filepath.Join(root, "README.md")
	text := readDocument(t, file)
	block := regexp.MustCompile("(?s)(```text\n).*?(```)")
	at := block.FindStringSubmatchIndex(text)
	if at == nil {
		t.Fatal("the README shows no run")
	}
	if unstamped(text[at[3]:at[4]]) == unstamped(shown) {
		return
	}
	if !*update {
		t.Fatalf("the README shows another run; go test -run Readme -update ./cmd/mxsweep rewrites it. Now:\n%s", shown)
	}
	if err := os.WriteFile(file, []byte(text[:at[3]]+shown+text[at[4]:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

// unstamped leaves out the paragraph that says when a run took place.
func unstamped(text string) string {
	return regexp.MustCompile(`(?s)  run       .*?\n\n`).ReplaceAllString(text, "\n")
}

// TestReadmeListsEveryFormat keeps the table of formats true.
func TestReadmeListsEveryFormat(t *testing.T) {
	text := readDocument(t, filepath.Join(root, "README.md"))
	for _, f := range report.Formats() {
		row := fmt.Sprintf("| `%s` | %s |\n", f, report.Describe(f))
		if !strings.Contains(text, row) {
			t.Errorf("the README lacks %s", row)
		}
	}
}
