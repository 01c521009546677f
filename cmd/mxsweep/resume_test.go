package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// sameRun A B checks that two reports have the same content, except for times,
// attempts and command lines.
func sameRun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: samerun A B")
	}
	var lines [2][]string
	for i, name := range args {
		var v any
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &v))
		text, err := json.MarshalIndent(timeless(v), "", " ")
		ts.Check(err)
		lines[i] = strings.Split(string(text), "\n")
	}
	for n := range min(len(lines[0]), len(lines[1])) {
		if lines[0][n] != lines[1][n] {
			ts.Fatalf("%s has %q where %s has %q, after %q", args[0], lines[0][n], args[1], lines[1][n], lines[0][max(n-5, 0):n])
		}
	}
	if len(lines[0]) != len(lines[1]) {
		ts.Fatalf("one of %s and %s goes on", args[0], args[1])
	}
}

// timeless removes what differs between runs with the same results.
func timeless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range []string{"run_id", "args", "attempts", "time", "timestamp", "rtt_ms", "start_time", "end_time", "first_seen", "last_seen", "first_ms", "took_ms", "elapsed_ms"} {
			delete(v, key)
		}
		for key := range maps.Keys(v) {
			v[key] = timeless(v[key])
		}
	case []any:
		v = slices.DeleteFunc(v, func(e any) bool {
			m, ok := e.(map[string]any)
			text, _ := m["message"].(string)
			return ok && strings.HasPrefix(text, "The run resumed one")
		})
		for i := range v {
			v[i] = timeless(v[i])
		}
		return v
	}
	return v
}
