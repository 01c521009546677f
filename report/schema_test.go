package report

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// TestSchemaListsTheTables checks that the published schema has the values of the
// tables in package result.
func TestSchemaListsTheTables(t *testing.T) {
	t.Parallel()
	var doc any
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	enums := map[string][]string{}
	collectEnums(doc, "", enums)
	checkEnum(t, enums, "state", result.States())
	checkEnum(t, enums, "reason", result.Reasons())
	checkEnum(t, enums, "join", result.JoinStates())
	checkEnum(t, enums, "role", result.Roles())
	checkEnum(t, enums, "drift", result.Drifts())
	checkEnum(t, enums, "gate", result.GateResults())
	checkEnum(t, enums, "severity", result.SeverityWords())
	for member, parse := range map[string]func(string) bool{
		"status":       parses(result.ParseStatus),
		"verdict":      parses(result.ParseVerdict),
		"level":        parses(result.ParseLevel),
		"method":       parses(result.ParseMethod),
		"tunnel":       parses(result.ParseTunnel),
		"reachability": parses(result.ParseReachability),
	} {
		if len(enums[member]) == 0 {
			t.Errorf("the schema lists no words for %q", member)
		}
		for _, word := range enums[member] {
			if !parse(word) {
				t.Errorf("%q of the schema's %q is in no table", word, member)
			}
		}
	}
}

func checkEnum[T ~string](t *testing.T, enums map[string][]string, member string, table []T) {
	t.Helper()
	var words []string
	for _, word := range table {
		words = append(words, string(word))
	}
	slices.Sort(words)
	if listed := slices.Sorted(slices.Values(enums[member])); !slices.Equal(listed, words) {
		t.Errorf("%s: the schema lists %q, the table %q", member, listed, words)
	}
}

// parses converts a parse function to one that reports whether the word is valid.
func parses[T ~string](parse func(string) (T, bool)) func(string) bool {
	return func(word string) bool {
		_, ok := parse(word)
		return ok
	}
}

// collectEnums collects the enums of a schema by member.
func collectEnums(v any, member string, enums map[string][]string) {
	switch v := v.(type) {
	case map[string]any:
		if list, ok := v["enum"].([]any); ok && enums[member] == nil {
			for _, word := range list {
				enums[member] = append(enums[member], word.(string))
			}
		}
		for name, sub := range v {
			if name == "properties" || name == "$defs" {
				for name, sub := range sub.(map[string]any) {
					collectEnums(sub, name, enums)
				}
				continue
			}
			collectEnums(sub, member, enums)
		}
	case []any:
		for _, sub := range v {
			collectEnums(sub, member, enums)
		}
	}
}
