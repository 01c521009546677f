package signatures

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/internal/fault"
)

const imported = `
imported: recog
signatures:
  - {id: untested, product: X, protocol: smtp, role: mta, confidence: 4, source: test, when: [{greeting: 'X$'}]}
  - id: tested
    product: Y
    protocol: smtp
    role: mta
    confidence: 5
    source: test
    when: [{greeting: '^220 (?P<version>\d+) Postfix'}]
    constants: {version: "9", os_type: Plan 9}
    examples:
      - seen: {greeting: "220 1 Postfix\r\n"}
        want: {version: "1", os_type: Plan 9}
`

func loadImported(base Source, text string) (*Set, error) {
	return Load(base, Source{"my", fstest.MapFS{"a.yaml": {Data: []byte(text)}}})
}

// TestImported checks that imported signatures are kept apart and have fewer
// requirements.
func TestImported(t *testing.T) {
	set, err := loadImported(Builtin(), imported)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set.Check() {
		t.Error(fault.Explain(p))
	}
	if len(set.Imported) != 2 || set.Imported[0].ID != "tested" || set.Imported[0].Imported != "recog" {
		t.Fatalf("imported are %+v, want the surest first", set.Imported)
	}
	for _, s := range set.Signatures {
		if s.Imported != "" {
			t.Errorf("%s stands with the others", s.ID)
		}
	}
}

func TestImportedErrors(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"confidence: 4", "confidence: 5", `my/a.yaml:4:5: signature "untested": confidence 5 of an imported signature`},
		{"confidence: 5", "confidence: 6", `my/a.yaml:5:5: signature "tested": confidence 6 of an imported signature`},
		{"product: X, ", "", `signature "untested": an imported signature only names a product`},
		{"product: X", "product: X, alternatives: [Z]", `signature "untested": an imported signature only names a product`},
		{"imported: recog", "imported: shodan", `my/a.yaml:2:11: unknown imported "shodan"`},
		{"imported: recog", "", `signature "untested": no example`},
		{"os_type: Plan 9}", "os: Plan 9}", `unknown key "os"`},
	} {
		_, err := loadImported(probesOnly, strings.Replace(imported, c.old, c.new, 1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("with %q: error %v, want %q", c.new, err, c.want)
		}
	}
	set, err := loadImported(probesOnly, strings.Replace(imported, `{version: "1", `, `{version: "2", `, 1))
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Check().Error(); !strings.Contains(got, `the example yields version "1", not "2"`) {
		t.Errorf("Check says %q", got)
	}
}
