// Package faulttest breaks JSON documents in every place, for tests of what is
// said about broken files.
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

// wrong are values of which most do not fit in any one place.
var wrong = []any{nil, true, -1, 1.5, 1e30, "", "\u00fc x", []any{}, []any{"x", 1}, map[string]any{}, map[string]any{"x": 1}}

// Broken yields the document, which must be JSON, with another value in the place
// of each of its values, one at a time, and says what was put where. Of arrays it
// breaks the first element only.
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

// each puts every wrong value in the place of v, and of all values in it. Set puts
// a value in the place of v.
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

// GoWords finds a word in a message that only the program's source knows, "" if
// there is none.
func GoWords(message string) string { return goWords.FindString(message) }
