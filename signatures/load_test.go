package signatures

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

// TestDefault is the test of the data: everything loads and every example
// holds.
func TestDefault(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set.Check() {
		t.Error(p)
	}
	if set.ProbesVersion == "" || set.RulesVersion == "" {
		t.Errorf("versions are %q and %q, want both", set.ProbesVersion, set.RulesVersion)
	}
}

const good = `
signatures:
  - id: a
    product: A
    protocol: smtp
    role: mta
    confidence: 9
    source: test
    when:
      - {greeting: '^220 (?P<hostname>\S+) A (?P<version>\S+)\r\n'}
    examples:
      - seen: {greeting: "220 mx A 1.2\r\n"}
        want: {hostname: mx, version: "1.2"}
`

// TestLoadErrors holds each mistake against what is said about it.
func TestLoadErrors(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":       {"product: A", "produkt: A", `my/a.yaml:4:5: unknown key "produkt"`},
		"no example":        {"    examples:\n      - seen: {greeting: \"220 mx A 1.2\\r\\n\"}\n        want: {hostname: mx, version: \"1.2\"}\n", "", `my/a.yaml:3:5: signature "a": no example`},
		"unknown probe":     {"{greeting: '^220 (?P<hostname>\\S+) A (?P<version>\\S+)\\r\\n'}", "{probe: nope, reply: x}", `my/a.yaml:10:9: signature "a": there is no probe "nope"`},
		"lookahead":         {"'^220 ", "'(?!x)^220 ", "reading the pattern"},
		"unnamed group":     {"'^220 ", "'^(220) ", "group 1 of the pattern has no name"},
		"unknown group":     {"(?P<hostname>", "(?P<host>", `unknown group "host"`},
		"role":              {"role: mta", "role: boss", `unknown word "boss"`},
		"confidence":        {"confidence: 9", "confidence: 11", "from 1 to 10"},
		"twice":             {"protocol: smtp", "protocol: smtp\n    protocol: smtp", "given twice"},
		"alias":             {"source: test", "source: &x test\n    cpe: *x", "expecting a single value"},
		"not YAML":          {"signatures:", "signatures: [", "reading YAML"},
		"condition empty":   {"{greeting: '^220 (?P<hostname>\\S+) A (?P<version>\\S+)\\r\\n'}", "{probe: greeting}", "asks for nothing"},
		"greeting and more": {"{greeting:", "{probe: greeting, greeting:", "greeting and probe or reply"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("the mistake is not in the text")
			}
			fsys := fstest.MapFS{"a.yaml": {Data: []byte(text)}}
			_, err := Load(Builtin(), Source{"my", fsys})
			var problems Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q in it", err, c.want)
			}
		})
	}
}

// TestCheck holds examples that do not fit against what is said about them.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"good":          {"source: test", "source: tests", ""},
		"no match":      {"220 mx A", "220 mx B", "does not meet the condition at my/a.yaml:10:9"},
		"wrong value":   {"hostname: mx,", "hostname: my,", `yields hostname "mx", not "my"`},
		"value missing": {"hostname: mx,", "", `yields hostname "mx", not ""`},
		"shadowed":      {"signatures:", "signatures:\n  - {id: b, protocol: smtp, role: mta, confidence: 9, source: t, when: [{greeting: mx}], examples: [{seen: {greeting: mx}}]}", `also matches "b"`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			problems, err := CheckDir(Source{"my", fstest.MapFS{"a.yaml": {Data: []byte(text)}}})
			if err != nil {
				t.Fatal(err)
			}
			got := problems.Error()
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("problems are %q, want %q", got, c.want)
			}
		})
	}
}
