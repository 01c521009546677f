package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report"
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

// TestDocumentedCommandsParse checks every command in a code block of the
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

// firstHidden is the start of the first edit that the README does not show. The
// number of lines before it varies with the wrapping of the run's duration.
const firstHidden = "\n  4. "

// TestReadmeShowsWhatTheDemoPrints checks that the demo's output in the README is
// current: the start, and the mail path. With -update it rewrites the README.
func TestReadmeShowsWhatTheDemoPrints(t *testing.T) {
	whole := escapes.ReplaceAllString(demoReport(t), "")
	shown, _, found := strings.Cut(whole, firstHidden)
	if !found {
		t.Fatalf("the demo plans fewer edits than the README leaves out:\n%s", shown)
	}
	showsBlock(t, 0, shown+"\n...\n")
	_, path, found := strings.Cut(whole, "\nMail path\n")
	if !found {
		t.Fatalf("the demo draws no mail path:\n%s", whole)
	}
	path, _, _ = strings.Cut(path, "\n\n")
	showsBlock(t, 1, "Mail path\n"+path+"\n")
}

// showsBlock checks the text of the nth block of text in the README, and rewrites it with
// -update.
func showsBlock(t *testing.T, n int, shown string) {
	t.Helper()
	file := filepath.Join(root, "README.md")
	text := readDocument(t, file)
	blocks := regexp.MustCompile("(?s)(```text\n).*?(```)").FindAllStringSubmatchIndex(text, -1)
	if len(blocks) <= n {
		t.Fatalf("the README has only %d blocks of text", len(blocks))
	}
	at := blocks[n]
	if unstamped(text[at[3]:at[4]]) == unstamped(shown) {
		return
	}
	if !*update {
		t.Fatalf("the README shows another run; go test ./cmd/mxsweep -run Readme -update rewrites it. Now:\n%s", shown)
	}
	if err := os.WriteFile(file, []byte(text[:at[3]]+shown+text[at[4]:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

// demoReport returns the report of the demo, with colors, as on a terminal of 80
// columns. It is made once.
func demoReport(t *testing.T) string {
	t.Helper()
	needDemoPorts(t)
	out, err := shownDemo()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// needDemoPorts skips a test if the demo cannot have its usual ports.
func needDemoPorts(t *testing.T) {
	t.Helper()
	for _, port := range []string{"10024", "10026", "10027", "10028", "10031", "10040", "10083", "10143"} {
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Skipf("port %s of the demo is taken on this machine: %v", port, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

var shownDemo = sync.OnceValues(func() (string, error) {
	var out, errs bytes.Buffer
	env := func(key string) string { return map[string]string{"COLUMNS": "80"}[key] }
	if code := program(context.Background(), []string{"demo", "-q", "--color", "always"}, nil, &out, &errs, env); code != 0 || errs.Len() > 0 {
		return "", fmt.Errorf("the demo ended with %d: %s", code, errs.String())
	}
	return out.String(), nil
})

// escapes are the sequences that color a report.
var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// unstamped removes the paragraph with the time of the run.
func unstamped(text string) string {
	return regexp.MustCompile(`(?s)  (\x1b\[2m)?run     (\x1b\[0m)?  .*?\n\n`).ReplaceAllString(text, "\n")
}

// TestReportsListEveryFormat checks the table of formats.
func TestReportsListEveryFormat(t *testing.T) {
	text := readDocument(t, filepath.Join(root, "docs", "reports.md"))
	for _, f := range report.Formats() {
		row := fmt.Sprintf("| `%s` | %s |\n", f, report.Describe(f))
		if !strings.Contains(text, row) {
			t.Errorf("docs/reports.md lacks %s", row)
		}
	}
	if want := "limit `" + strings.ReplaceAll(strings.ReplaceAll(wording.List(report.Restricted()), ", ", "`, `"), " and ", "` and `") + "` to"; !strings.Contains(text, want) {
		t.Errorf("docs/reports.md lacks %q", want)
	}
}
