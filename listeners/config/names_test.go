package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// looks are texts that files of kinds have which their names do not tell.
var looks = map[string]string{
	"Docker Compose": "services: {}\n", "Dovecot part": "inet_listener x {\n", "Podman quadlet": "[Container]\n", "Podman quadlet drop-in": "[Container]\n",
}

// docRow is a row of the table of kinds in docs/config.md, docName a name in it.
var (
	docRow  = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|$`)
	docName = regexp.MustCompile("`([^`]*[./][^`]*)`")
)

// TestNamesAreDocumented: docs/config.md lists each kind of file, with names of which it is the kind.
func TestNamesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(doc), "| kind | names |\n")
	if !ok {
		t.Fatal("no table of kinds")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	documented := map[string]string{}
	for _, m := range docRow.FindAllStringSubmatch(table, -1) {
		documented[m[1]] = m[2]
	}
	for i := range kinds {
		k := &kinds[i]
		names := docName.FindAllStringSubmatch(documented[k.name], -1)
		if names == nil && k.name != "Kubernetes" {
			t.Errorf("docs/config.md has no names of %q", k.name)
		}
		delete(documented, k.name)
		for _, m := range names {
			name := strings.ReplaceAll(m[1], "*", "x")
			if strings.HasPrefix(m[1], ".") { // an ending
				continue
			}
			same := func(o kind) bool { return o.name == k.name }
			is := func(o kind) bool {
				return o.daemon() == k.daemon() && o.is("etc/"+name, func() string { return looks[k.name] })
			}
			if first := slices.IndexFunc(kinds, is); first != slices.IndexFunc(kinds, same) {
				t.Errorf("%s is not of the kind %q", m[1], k.name)
			}
		}
	}
	for name := range documented {
		if name != "---" {
			t.Errorf("docs/config.md has the kind %q, which does not exist", name)
		}
	}
}
