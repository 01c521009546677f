package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type even int

func (e *even) UnmarshalYAML(node *yaml.Node) error {
	var n int
	if err := node.Decode(&n); err != nil {
		return err
	}
	if n%2 != 0 {
		return fmt.Errorf("%d is odd", n)
	}
	*e = even(n)
	return nil
}

type file struct {
	Name  string            `yaml:"name"`
	Count uint16            `yaml:"count"`
	On    bool              `yaml:"on"`
	Even  even              `yaml:"even"`
	Words []string          `yaml:"words"`
	Parts []part            `yaml:"parts"`
	Map   map[string]int    `yaml:"map"`
	Sub   *part             `yaml:"sub"`
	Extra map[string]string `yaml:"-"`
}

type part struct {
	ID string `yaml:"id"`
}

func TestDecode(t *testing.T) {
	var f file
	err := Decode("f.yaml", []byte("name: a\ncount: 7\non: true\neven: 4\nwords: [x, y]\nparts: [{id: p}]\nmap: {k: 1}\nsub: {id: s}\n"), &f)
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "a" || f.Count != 7 || !f.On || f.Even != 4 || len(f.Words) != 2 || f.Parts[0].ID != "p" || f.Map["k"] != 1 || f.Sub.ID != "s" {
		t.Errorf("read %+v", f)
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ name, in, want, hint string }{
		{"unknown key", "name: a\nnmae: b\n", `f.yaml:2:1: unknown key "nmae"`, "the keys here are name, count"},
		{"unknown key in a list", "parts:\n  - {id: a}\n  - {idd: b}\n", `f.yaml:3:6: unknown key "idd"`, "id"},
		{"key of an ignored field", "Extra: {a: b}\n", `unknown key "Extra"`, ""},
		{"key twice", "name: a\nname: b\n", `f.yaml:2:1: key "name" stands twice`, ""},
		{"number out of range", "count: 70000\n", `f.yaml:1:8: found "70000" instead of a whole number in range`, ""},
		{"not a boolean", "on: maybe\n", `f.yaml:1:5: found "maybe" instead of true or false`, ""},
		{"own check", "even: 3\n", "f.yaml:1:7: 3 is odd", ""},
		{"not a list", "words: a\n", `f.yaml:1:8: found "a" instead of a list`, ""},
		{"not a mapping", "parts: [a]\n", `f.yaml:1:9: found "a" instead of keys and values`, ""},
		{"list for a text", "name: [a]\n", `f.yaml:1:7: found a list instead of a text`, ""},
		{"alias", "name: &a b\n", "f.yaml:1:7: anchors and aliases are not allowed", "write the value out"},
		{"merge key", "sub:\n  <<: {id: a}\n", `f.yaml:2:3: unknown key "<<"`, ""},
		{"syntax", "name: [a\n", "f.yaml:1: did not find expected", ""},
		{"empty", "", "f.yaml: the file is empty", ""},
		{"comment only", "# nothing\n", "f.yaml: the file is empty", ""},
		{"two documents", "name: a\n---\nname: b\n", "f.yaml: more than one document", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Decode("f.yaml", []byte(tt.in), new(file))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Hint(), tt.hint) {
				t.Errorf("hint %q, want %q", e.Hint(), tt.hint)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: a\nparts: [{id: p}]\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v file
		if err := Decode("f.yaml", data, &v); err != nil && !strings.HasPrefix(err.Error(), "f.yaml") {
			t.Errorf("error without its file: %v", err)
		}
	})
}
