package signatures

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/internal/jsonfault/faulttest"
	"github.com/mxsweep/mxsweep/internal/userfile"
)

// TestProblemsAreBounded checks that for a file full of errors the first ones are
// reported, with the number of the others.
func TestProblemsAreBounded(t *testing.T) {
	var twice, unknown strings.Builder
	for i := range 5000 {
		twice.WriteString("version: a\n")
		fmt.Fprintf(&unknown, "k%d: a\n", i)
	}
	for beside, text := range map[string]string{"9978": twice.String(), "9980": unknown.String()} { // of two files
		_, err := Load(probesOnly, Source{"my", fstest.MapFS{"a.yaml": {Data: []byte(text)}, "b.yaml": {Data: []byte(text)}}})
		var problems Problems
		if !errors.As(err, &problems) || len(problems) != userfile.MaxErrors+1 {
			t.Fatalf("%d problems, want %d and one that counts the others", len(problems), userfile.MaxErrors)
		}
		if last := problems[userfile.MaxErrors]; last.Problem != "and "+beside+" more mistakes" || last.ErrorHint() == "" {
			t.Errorf("the last problem is %v, want it to count %s", last, beside)
		}
	}
}

// TestProblemsHaveHints breaks every value of files of each kind: each error has
// its position and a hint, and no words from the program's source.
func TestProblemsHaveHints(t *testing.T) {
	base := Source{"base", fstest.MapFS{"probes.yaml": {Data: []byte(
		`probes: [{id: greeting, why: w, read: {until: greeting, wait: 1s}, safety: passive}]`)}}} // the built-in files take time
	for file, text := range map[string]string{
		"a.yaml": `{"signatures": [{"id": "a", "product": "A", "protocol": "smtp", "role": "mta", "confidence": 9, "source": "t",
			"cpe": "cpe:2.3:a:a:a:*:*:*:*:*:*:*:*", "behind": ["greeting"], "alternatives": [],
			"when": [{"greeting": "^220 mx A"}, {"any": [{"probe": "greeting", "bytes": {"min": 1, "max": 99}, "took": {"min": "0s"}, "not": true}]}],
			"extract": [{"probe": "greeting", "ended": ["reply"], "tls": false}],
			"examples": [{"seen": {"greeting": {"reply": "220 mx A 1.2", "ended": "reply", "took": "1s"}}, "want": {}}]}]}`,
		"probes.yaml": `{"version": "1", "probes": [{"id": "p", "why": "w", "send": "NOOP", "read": {"until": "line", "wait": "1s"},
			"safety": "safe", "connection": "own", "layer": "any", "ports": [25], "quiet": "800ms", "after": [{"greeting": "^220"}]}]}`,
		"observations.yaml": `{"observations": [{"id": "o", "shows": "s", "protocol": ["smtp"], "versioned": false, "when": [{"greeting": "^220"}]}]}`,
		"proxies.yaml": `{"proxies": [{"id": "x", "product": "X", "shows": "s", "confidence": 6, "own": false, "behind": ["Dovecot"], "alternatives": [],
			"when": [{"probe": "greeting", "tail": ["taken"]}], "source": "t", "examples": [{"seen": {"greeting": {"tail": "taken"}}}]}]}`,
		"stacks.yaml": `{"stacks": [{"name": "s", "ports": [25, 26], "least": 2}]}`,
	} {
		var whole any
		if err := json.Unmarshal([]byte(text), &whole); err != nil {
			t.Fatal(err)
		}
		for place, broken := range faulttest.Broken(t, []byte(text)) { // JSON is YAML
			set, err := Load(base, Source{"my", fstest.MapFS{file: {Data: broken}}})
			problems, _ := err.(Problems)
			if err != nil && problems == nil {
				t.Fatalf("%s%s: %v (%T)", file, place, err, err)
			}
			if set != nil {
				problems = set.Check()
			}
			for _, p := range problems {
				if p.Line == 0 || p.Source == "" || p.ErrorHint() == "" || faulttest.GoWords(p.Error()) != "" {
					t.Errorf("%s%s: %v, hint %q", file, place, p, p.ErrorHint())
				}
			}
		}
	}
}
