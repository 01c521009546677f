package strictyaml

import (
	"strings"
	"testing"
)

func TestRoot(t *testing.T) {
	for _, tt := range []struct {
		name, in     string
		root         bool
		line, column int // of the fault, 0 if there is none
		want         string
	}{
		{"a mapping", "a: 1\n", true, 0, 0, ""},
		{"one behind a mark", "---\na: 1\n", true, 0, 0, ""},
		{"nothing", "", false, 0, 0, ""},
		{"a comment", "# nothing\n", false, 0, 0, ""},
		{"no YAML", "a: [1\n", false, 1, 4, `the "[" is not closed`},
		{"no YAML in a later line", "a:\n  b: 1\n  c: d: e\n", false, 3, 7, "a colon followed by a space"},
		{"a second document", "a: 1\n---\nb: 2\n", false, 2, 1, "a second document"},
		{"a second one that is no YAML", "a: 1\n---\nb: [\n", false, 3, 4, `the "[" is not closed`},
		{"a control character", "a: 1\nb: \u00fc\x00\n", false, 2, 5, "zero bytes"},
		{"a C1 control character", "a: \u0080\n", false, 1, 4, "U+0080"},
		{"Latin-1", "a: 1\n# Pr\xfcfung\n", false, 2, 5, "byte 0xfc is not UTF-8"},
		{"a cut character", "a: \xe2\x82", false, 1, 4, "byte 0xe2 is not UTF-8"},
		{"a mark and a byte that is no UTF-8", "\xef\xbb\xbf\xffa: 1\n", false, 1, 1, "byte 0xff is not UTF-8"},
		{"UTF-16", "\xff\xfea\x00:\x00 \x001\x00\n\x00", true, 0, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, fault := Root([]byte(tt.in))
			if (root != nil) != tt.root || (fault != nil) != (tt.line > 0) {
				t.Fatalf("root %v, fault %+v", root, fault)
			}
			if fault != nil && (fault.Line != tt.line || fault.Column != tt.column || !strings.Contains(fault.Text, tt.want) || fault.Hint == "") {
				t.Errorf("fault %+v, want %q at %d:%d", fault, tt.want, tt.line, tt.column)
			}
		})
	}
}

// FuzzRoot checks that no file crashes the parser, and that every fault has a
// position.
func FuzzRoot(f *testing.F) {
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte("? [a]\n: b\n---\n"))
	f.Add([]byte("a: \x00"))
	for _, text := range dense {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, fault := Root(data)
		if fault != nil && (root != nil || fault.Line < 1 || fault.Column < 1 || fault.Text == "") {
			t.Errorf("root %v, fault %+v", root, fault)
		}
		if n := nodes(root); n > 0 && tooMany(data, n-1) == 0 {
			t.Errorf("%d values are not counted", n)
		}
	})
}
