package importer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/signatures"
)

// written loads what an import writes, whose examples must hold.
func written(t *testing.T, im *Import, base signatures.Source) *signatures.Set {
	t.Helper()
	text, err := im.YAML("test")
	if err != nil {
		t.Fatal(err)
	}
	set, err := signatures.Load(base, signatures.Source{Name: "import", FS: fstest.MapFS{"a.yaml": {Data: text}}})
	if err != nil {
		t.Fatalf("%v\nof\n%s", err, text)
	}
	if len(set.Imported) != im.Len() {
		t.Errorf("%d signatures were written, and %d loaded", im.Len(), len(set.Imported))
	}
	for _, p := range set.Check() {
		t.Errorf("%v\nof\n%s", p, text)
	}
	return set
}

// named is what the imported signatures make of a dialogue: the id, confidence,
// role, product and CPE of the first one that matches, and what it captures.
func named(set *signatures.Set, replies ...string) string {
	seen := new(signatures.Transcript)
	for i := 0; i+1 < len(replies); i += 2 {
		seen.Exchanges = append(seen.Exchanges, signatures.Exchange{Probe: replies[i], Reply: []byte(replies[i+1]), End: signatures.EndReply})
	}
	for _, s := range set.Imported {
		if s.Match(seen) != signatures.True {
			continue
		}
		values := s.Values(seen)
		line := fmt.Sprintf("%s %d %s/%s %s", s.ID, s.Confidence, s.Protocol, s.Role, cmp.Or(s.CPEFor(values["version"]), "-"))
		line += " " + s.Product
		for _, name := range slices.Sorted(maps.Keys(values)) {
			line += ", " + name + " " + values[name]
		}
		return line
	}
	return ""
}

// skips are what an import tells of what it skipped.
func skips(im *Import) (lines []string) {
	for _, s := range im.Skipped() {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%v: %s: %s", s.Pos, s.Reason, s.Detail), ": "))
	}
	return lines
}

func TestCPE23(t *testing.T) {
	for _, test := range []struct{ uri, want string }{
		{"cpe:/a:example:maild:1.2", "cpe:2.3:a:example:maild:1.2:*:*:*:*:*:*:*"},
		{"cpe:/a:example:maild:{version}", "cpe:2.3:a:example:maild:{version}:*:*:*:*:*:*:*"},
		{"cpe:/a:example:maild:v{version}", `cpe:2.3:a:example:maild:v\{version\}:*:*:*:*:*:*:*`},
		{"cpe:/a:example:maild", "cpe:2.3:a:example:maild:*:*:*:*:*:*:*:*"},
		{"cpe:/o:example:system:::edition:en", "cpe:2.3:o:example:system:*:*:edition:en:*:*:*:*"},
		{"cpe:/h:example:box:-", "cpe:2.3:h:example:box:-:*:*:*:*:*:*:*"},
		{"cpe:/a:example:maild:1%3a2%2f", `cpe:2.3:a:example:maild:1\:2\/:*:*:*:*:*:*:*`},
		{"cpe:/a:example:maild:%zz", `cpe:2.3:a:example:maild:\%zz:*:*:*:*:*:*:*`},
		{"cpe:2.3:a:example:maild:1.2:*:*:*:*:*:*:*", ""},
		{"cpe:/x:example:maild", ""},
		{"cpe:/a:example", ""},
		{"cpe:/a:b:c:d:e:f:g:h", ""},
		{"", ""},
	} {
		if got := cpe23(test.uri); got != test.want {
			t.Errorf("cpe23(%q) = %q, want %q", test.uri, got, test.want)
		}
	}
}
