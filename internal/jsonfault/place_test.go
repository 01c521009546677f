package jsonfault

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"
)

// TestOffset: the place is that of the value which is wrong.
func TestOffset(t *testing.T) {
	type record struct {
		Port  uint16     `json:"port"`
		IP    netip.Addr `json:"ip"`
		When  time.Time  `json:"when"`
		Tags  []string   `json:"tags"`
		Grade grade      `json:"grade"`
		In    struct {
			Name string `json:"name"`
		} `json:"in"`
	}
	for text, want := range map[string]string{
		`{"port": 70000, "tags": []}`:      `70000, "tags": []}`,
		`{"port": "25"}`:                   `"25"}`,
		`{"port": true}`:                   `true}`,
		`{"tags": {"a": 1}}`:               `{"a": 1}}`,
		`{"tags": "a \"b"}`:                `"a \"b"}`,
		`{"in": {"name": [1]}}`:            `[1]}}`,
		`{"in": 12}`:                       `12}`,
		`{"ip": "192.0.2.x"}`:              `"192.0.2.x"}`,
		`{"port": 1, "when": "yesterday"}`: `"yesterday"}`,
		`{"port": 1,}`:                     `}`,
		`{"grade": "grave"}`:               `"grave"}`,
		`{"port": 1 "ip": 2}`:              `"ip": 2}`,
	} {
		err := json.Unmarshal([]byte(text), new(record))
		if err == nil {
			t.Fatalf("%s: no error", text)
		}
		if got := text[Offset([]byte(text), err):]; got != want {
			t.Errorf("%s: %v is at %q, want %q", text, err, got, want)
		}
	}
}

func TestMember(t *testing.T) {
	const text = `{"in": {"port": 1}, "port" : 25, "x": null}`
	for name, want := range map[string]string{"port": `25, "x": null}`, "in": `{"port": 1}, "port" : 25, "x": null}`, "y": text} {
		if got := text[Member([]byte(text), name):]; got != want {
			t.Errorf("%q is at %q, want %q", name, got, want)
		}
	}
	for _, text := range []string{"", "[]", `{"port"`, `{"port": }`} {
		if at := Member([]byte(text), "port"); at != 0 {
			t.Errorf("%q: %d", text, at)
		}
	}
}

// A grade is a string that reads itself, and knows none.
type grade string

func (*grade) UnmarshalText(text []byte) error {
	return &WordError{Word: string(text), Want: "a grade"}
}
