package exposure

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/userfile"
)

const goodRule = `rules:
  - id: MXS1001
    name: ContentFilter
    kind: listener
    title: A title
    severity: high
    cvss: CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:L/SA:N
    reviewed: 2026-11-28
    when: [{role: [content-filter]}]
    why: Because.
    fix: {default: Bind it.}
    references: [https://example.org/]
    cwe: [668]
    tags: [mail]
`

func loadRules(text string) (*RuleSet, error) {
	return readRules(fstest.MapFS{"r.yaml": {Data: []byte(text)}}, ".", fix.Builtin())
}

func TestReadRulesErrors(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"good", "", "", ""},
		{"unknown key", "title:", "titel:", `r.yaml:5:5: unknown key "titel" in a rule`},
		{"key twice", "why: Because.", "kind: policy", `r.yaml:10:5: key "kind" appears again, first in line 4`},
		{"bad id", "MXS1001", "MXS9001", `rule id "MXS9001" is not valid`},
		{"score out of band", "VC:N", "VC:H", `score 9.1 of rule "MXS1001" does not fit its severity`},
		{"score out of band with a reason", "VC:N/VI:H/VA:N/SC:N/SI:L/SA:N", "VC:H/VI:H/VA:N/SC:N/SI:L/SA:N\n    off_band: It is.", ""},
		{"reason without need", "    reviewed", "    off_band: It is.\n    reviewed", `score 8.2 of rule "MXS1001" fits its severity`},
		{"no vector", "CVSS:4.0/AV:N", "CVSS:3.1/AV:N", "r.yaml:7:11: cvss is"},
		{"metric missing", "/SA:N", "", "expected a CVSS 4.0 vector"},
		{"no review", "    reviewed: 2026-11-28\n", "", `a rule lacks the key "reviewed"`},
		{"review no date", "2026-11-28", "2026-13-28", `r.yaml:8:15: reviewed is "2026-13-28", expected a date`},
		{"review after the rules", "2026-11-28", "2099-01-01", `reviewed is "2099-01-01", after the rules of `},
		{"severity", "high", "severe", `r.yaml:6:15: unknown severity "severe"`},
		{"never holds", "[{role: [content-filter]}]", "[]", `rule "MXS1001" never matches`},
		{"condition key", "role:", "rolle:", `r.yaml:9:13: unknown key "rolle" in a condition`},
		{"no fix", "{default: Bind it.}", "{}", `fix lacks the key "default"`},
		{"reference", "https://example.org/", "example", `reference "example" is not a web address`},
		{"replaces", "    cwe: [668]", "    cwe: [668]\n    replaces: [MXS1009]", `replaces "MXS1009", which is not another rule`},
		{"syntax", "fix: {default", "fix: {default: {", `r.yaml:11:10: the "{" is not closed`},
		{"alias", "why: Because.", "why: *x", "r.yaml:10:10: the alias *x refers to nothing"},
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

// TestRulesNameFixes checks that the fixes of the built-in rules exist, which no
// run checks.
func TestRulesNameFixes(t *testing.T) {
	set, err := readRules(builtinRules, "rules", fix.Builtin())
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	for _, r := range set.All() {
		if len(r.Fixes.Known()) != len(r.Fixes.IDs) {
			t.Errorf("%s: not all fixes of %v are there", r.ID, r.Fixes.IDs)
		}
	}
	_, err = loadRules(strings.Replace(goodRule, "Bind it.", "Bind it., use: [no-such-fix]", 1))
	if err == nil || !strings.Contains(err.Error(), `unknown fix "no-such-fix"`) {
		t.Errorf("a fix that is not there: %v", err)
	}
}

func TestUserErrorExcerpt(t *testing.T) {
	_, err := loadRules(strings.Replace(goodRule, "title:", "titel:", 1))
	var e *userfile.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	const want = "    5 |     titel: A title\n      |     ^"
	if e.Excerpt() != want || e.ErrorHint() != `did you mean "title"?` {
		t.Errorf("got %q with hint %q", e.Excerpt(), e.ErrorHint())
	}
}

func FuzzReadRules(f *testing.F) {
	f.Add([]byte(goodRule))
	f.Add([]byte("rules: [{when: [{ports: [0]}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := loadRules(string(data))
		if (set == nil) == (err == nil) {
			t.Fatal("want either rules or an error")
		}
	})
}

// TestScores compares computed scores with the examples that FIRST publishes
// (first.org/cvss/v4.0/examples), and each built-in rule's score with the band of
// its severity.
func TestScores(t *testing.T) {
	for vector, want := range map[string]float64{
		"AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H": 10.0, // CVE-2021-44228
		"AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N": 8.7,  // CVE-2014-0160
		"AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 7.7,  // CVE-2020-3549
		"AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": 7.3,  // CVE-2022-41741
	} {
		rules, err := loadRules(strings.NewReplacer("AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:L/SA:N", vector,
			"severity: high", "severity: "+map[bool]string{true: "critical", false: "high"}[want >= 9]).Replace(goodRule))
		if err != nil {
			t.Fatal(err)
		}
		if r := rules.Lookup("MXS1001"); r.Score != want || r.CVSS != "CVSS:4.0/"+vector {
			t.Errorf("%s scores %.1f as %s, want %.1f", vector, r.Score, r.CVSS, want)
		}
	}
	for _, r := range testRules(t).All() {
		if r.Severity.Has(r.Score) == (r.OffBand != "") {
			t.Errorf("%s: %s scores %.1f, and the reason is %q", r.ID, r.Severity, r.Score, r.OffBand)
		}
	}
}
