// Package faulttest breaks JSON documents at every value, for tests of error
// messages about invalid files.
package faulttest

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"testing"
)

// wrong are values of which most are invalid at any one place.
var wrong = []any{nil, true, -1, 1.5, 1e30, "", "\u00fc x", []any{}, []any{"x", 1}, map[string]any{}, map[string]any{"x": 1}}

// Broken yields copies of a JSON document, each with another value in place of
// one of its values, and a description of the change. In arrays it changes only
// the first element.
func Broken(t testing.TB, document []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var root any
		if err := json.Unmarshal(document, &root); err != nil {
			t.Fatalf("breaking a document that is no JSON: %v", err)
		}
		each("", root, func(v any) { root = v }, func(place string) bool {
			data, err := json.Marshal(root)
			return err == nil && yield(place, data)
		})
	}
}

// each replaces v, and each value in it, by every wrong value. set replaces v.
func each(place string, v any, set func(any), broken func(place string) bool) bool {
	for _, w := range wrong {
		set(w)
		if !broken(fmt.Sprintf("%s = %v", place, w)) {
			return false
		}
	}
	set(v)
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if !each(place+"."+key, v[key], func(w any) { v[key] = w }, broken) {
				return false
			}
		}
	case []any:
		if len(v) > 0 {
			return each(place+"[0]", v[0], func(w any) { v[0] = w }, broken)
		}
	}
	return true
}

var goWords = regexp.MustCompile(`json:|Go (struct|value)|\b(struct|uint\d*|int\d+|float64|map\[|\[\]\w)|\b(exposure|report|signatures|scan|netip|time|main)\.[A-Z]|[a-z]\.[A-Z]\w+|\b[A-Z][a-z]+[A-Z]\w+\(`)

// GoWords returns the first word in a message that is an identifier of the
// program, "" if there is none.
func GoWords(message string) string { return goWords.FindString(message) }
