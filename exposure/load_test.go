package exposure

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

const goodRule = `rules:
  - id: MXS1001
    name: ContentFilter
    kind: listener
    title: A title
    severity: high
    score: 8.2
    when: [{role: [content-filter]}]
    why: Because.
    fix: {default: Bind it.}
    references: [https://example.org/]
    cwe: [668]
    tags: [mail]
`

func loadRules(text string) (*RuleSet, error) {
	return LoadRules(fstest.MapFS{"r.yaml": {Data: []byte(text)}}, ".")
}

func TestLoadRulesErrors(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"good", "", "", ""},
		{"unknown key", "title:", "titel:", `r.yaml:5:5: unknown key "titel" in a rule`},
		{"key twice", "why: Because.", "kind: policy", `r.yaml:9:5: key "kind" appears again, first in line 4`},
		{"bad id", "MXS1001", "MXS9001", `rule id "MXS9001" is not valid`},
		{"score out of band", "8.2", "9.2", `score 9.2 of rule "MXS1001" does not fit its severity`},
		{"score no number", "8.2", ".nan", "want a number"},
		{"severity", "high", "severe", `r.yaml:6:15: severity is "severe"`},
		{"never holds", "[{role: [content-filter]}]", "[]", `rule "MXS1001" never holds`},
		{"condition key", "role:", "rolle:", `r.yaml:8:13: unknown key "rolle" in a condition`},
		{"no fix", "{default: Bind it.}", "{}", `fix lacks the key "default"`},
		{"reference", "https://example.org/", "example", `reference "example" is not a web address`},
		{"replaces", "    cwe: [668]", "    cwe: [668]\n    replaces: [MXS1009]", `replaces "MXS1009", which is not another rule`},
		{"syntax", "fix: {default", "fix: {default: {", "r.yaml:9:5:"},
		{"alias", "why: Because.", "why: *x", "unknown anchor"},
	} {
		_, err := loadRules(strings.Replace(goodRule, tt.old, tt.new, 1))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestUserErrorExcerpt(t *testing.T) {
	_, err := loadRules(strings.Replace(goodRule, "title:", "titel:", 1))
	var e *UserError
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	const want = "    5 |     titel: A title\n      |     ^"
	if e.Excerpt() != want || e.Hint() != `did you mean "title"?` {
		t.Errorf("got %q with hint %q", e.Excerpt(), e.Hint())
	}
}

func FuzzLoadRules(f *testing.F) {
	f.Add([]byte(goodRule))
	f.Add([]byte("rules: [{when: [{ports: [0]}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := loadRules(string(data))
		if (set == nil) == (err == nil) {
			t.Fatal("want either rules or an error")
		}
	})
}
