package main

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestToolsHaveTheirOwnModules checks that each module of tools pins programs, is
// updated by dependabot, and is built by a script; the scanner depends on none of
// them.
func TestToolsHaveTheirOwnModules(t *testing.T) {
	tool := regexp.MustCompile(`(?m)^(?:tool |\t)([^\s/]+\.[a-z]+/\S+)$`)
	dependabot := readDocument(t, filepath.Join(root, ".github", "dependabot.yml"))
	own := readDocument(t, filepath.Join(root, "go.mod"))
	scripts := readDocument(t, filepath.Join(root, "scripts", "check")) + readDocument(t, filepath.Join(root, "scripts", "release-check"))
	modules := 0
	eachFile(t, func(name string) {
		dir, file := path.Split(name)
		if file != "go.mod" || !strings.HasPrefix(dir, "tools/") {
			return
		}
		modules++
		dir = path.Clean(dir)
		programs := tool.FindAllStringSubmatch(readDocument(t, filepath.Join(root, name)), -1)
		if len(programs) == 0 {
			t.Errorf("%s names no tool", name)
		}
		for _, m := range programs {
			if strings.Contains(own, m[1]) {
				t.Errorf("go.mod names %s, which %s pins", m[1], name)
			}
		}
		if !strings.Contains(dependabot, "/"+dir) {
			t.Errorf("dependabot does not look after %s", dir)
		}
		if !strings.Contains(scripts, "scripts/tool "+path.Base(dir)) {
			t.Errorf("no script builds %s", dir)
		}
	})
	if modules == 0 {
		t.Error("no module below tools")
	}
}
