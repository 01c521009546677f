package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinksHaveTargets checks that every link of the documents to a file of the
// project, and to a heading in it, has a target.
func TestLinksHaveTargets(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	eachFile(t, func(name string) {
		if path.Ext(name) != ".md" || strings.Contains(name, "testdata/") || strings.Contains(name, "node_modules/") {
			return
		}
		for _, m := range link.FindAllStringSubmatch(readDocument(t, filepath.Join(root, name)), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, heading, _ := strings.Cut(m[1], "#")
			to := path.Join(path.Dir(name), file)
			if file == "" {
				to = name
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: the link %s: %v", name, m[1], err)
			} else if heading != "" && !hasHeading(readDocument(t, filepath.Join(root, to)), heading) {
				t.Errorf("%s: the link %s: no such heading", name, m[1])
			}
		}
	})
}

// punctuation is what an anchor omits of a heading.
var punctuation = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)

// hasHeading reports whether a document has the heading of an anchor, which is
// in lower case, without punctuation, and with hyphens for blanks.
func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		_, heading, found := strings.Cut(line, "# ")
		if !found || !strings.HasPrefix(line, "#") {
			continue
		}
		heading = punctuation.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
		if strings.ReplaceAll(heading, " ", "-") == anchor {
			return true
		}
	}
	return strings.Contains(text, `id="`+anchor+`"`)
}

// TestContributorsFindWhereItIsDecided checks the table of decisions against the
// code: each file exists, and one of those in a row has each name.
func TestContributorsFindWhereItIsDecided(t *testing.T) {
	_, section, found := strings.Cut(readDocument(t, filepath.Join(root, "CONTRIBUTING.md")), "## Where is it decided")
	if !found {
		t.Fatal("no section tells where things are decided")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	code := regexp.MustCompile("`([^`]+)`")
	rows := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[2], "`") {
			continue
		}
		rows++
		source := ""
		for _, m := range code.FindAllStringSubmatch(cells[2], -1) {
			source += readDocument(t, filepath.Join(root, m[1]))
		}
		for _, m := range code.FindAllStringSubmatch(cells[3], -1) {
			if !regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + m[1] + `[\[(]`).MatchString(source) {
				t.Errorf("%s: no function %s there", strings.TrimSpace(cells[1]), m[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d questions are answered, want 10", rows)
	}
}

// TestMapNamesEveryPackage checks that the map has all packages.
func TestMapNamesEveryPackage(t *testing.T) {
	_, section, _ := strings.Cut(readDocument(t, filepath.Join(root, "CONTRIBUTING.md")), "## Map")
	section, _, _ = strings.Cut(section, "\n## ")
	named := map[string]bool{}
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
				named[m[1]] = true
				if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
					t.Errorf("the map in CONTRIBUTING.md: %v", err)
				}
			}
		}
	}
	for _, f := range sources(t) {
		// Packages of tests below internal packages need not be listed.
		if !named[f.dir] && (!strings.HasPrefix(f.dir, "internal/") || !named[path.Dir(f.dir)]) {
			t.Errorf("the map in CONTRIBUTING.md lacks %s", f.dir)
			named[f.dir] = true
		}
	}
}
