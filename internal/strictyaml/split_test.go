package strictyaml

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var splitKeys = []string{"list", "a.list"}

// outline returns a text with the values of a tree and their positions.
func outline(n *yaml.Node, items func(*yaml.Node) []*yaml.Node) string {
	var b strings.Builder
	value := n.Value
	if n.Kind != yaml.ScalarNode && n.Kind != yaml.AliasNode {
		value = ""
	}
	null := n.Kind == yaml.ScalarNode && n.Tag == "!!null"
	fmt.Fprintf(&b, "%d:%d:%d:%q:%v(", n.Kind, n.Line, n.Column, value, null)
	for _, c := range items(n) {
		b.WriteString(outline(c, items))
	}
	return b.String() + ")"
}

// content returns the items of a node of a whole tree.
func content(n *yaml.Node) []*yaml.Node { return n.Content }

// splitOutline returns the outline of a document that is split. cut is false if
// it is not.
func splitOutline(data []byte) (text string, fault *Fault, cut bool) {
	d, fault := Split(data, splitKeys)
	if d == nil {
		return "", fault, false
	}
	items := func(n *yaml.Node) []*yaml.Node {
		l := d.List(n)
		if l == nil {
			return n.Content
		}
		var kept []*yaml.Node
		for item, f := range l.Items() {
			if f != nil {
				fault = f
				break
			}
			kept = append(kept, copied(item))
		}
		return kept
	}
	return outline(d.Root, items), fault, true
}

// copied returns a copy of a tree.
func copied(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	for _, item := range n.Content {
		c.Content = append(c.Content, copied(item))
	}
	return &c
}

// checkSplit compares a split document with the whole one.
func checkSplit(t *testing.T, data []byte) (cut bool) {
	t.Helper()
	got, fault, cut := splitOutline(data)
	root, wholeFault := Root(data)
	switch {
	case !cut:
	case fault == nil && wholeFault != nil:
		t.Errorf("%q is cut, and as a whole %+v", data, wholeFault)
	case fault == nil && got != outline(root, content):
		t.Errorf("%q is cut into\n%s\nand is\n%s", data, got, outline(root, content))
	case fault != nil && (fault.Line < 1 || fault.Column < 1 || fault.Text == "" || fault.Hint == ""):
		t.Errorf("%q: fault %+v", data, fault)
	}
	return cut
}

// splitDocuments are documents, and whether they are split.
var splitDocuments = map[string]bool{
	"list:\n- a\n- b\n": true,
	"# c\n---\nx: 1\nlist:\n  - a: 1\n    b: 2\nz: 3\n":                                 true,
	"a:\n  x: 1\n  list:\n    - a\n    - b\n  y: 2\n":                                   true,
	"a:\n  list:\n  - a\nlist:\n- b\n":                                                  true,
	"list: # c\n\n  # c\n  - a\n # c\n  - b\n":                                          true,
	"list:\r\n- a\r\n- b\r\n":                                                           true,
	"list:\n- |\n  - x\n\n- >-\n   y\n   z\n- \"a\\n\"":                                 true,
	"list:\n- {a: 1, b: [2, 3]}\n- [a, {b: c}]\n- - x\n":                                true,
	"list:\n- a: 'b'\n  c: \"d: e\"\n  f: null\n- ~\n-\n":                               true,
	"list:\n- a: b\n\n  c: d\n   e\n- f\n  g\n":                                         true,
	"list:\n- a: http://x\n- b: c:d\n- x: y, z\n- a b #c":                               true,
	"list:\n- {a: b, c: 'd, e', f: [g, \"h]\"]}\n":                                      true,
	"list:\n- null\n- a: true\n- x: 1.5\n- 2027-01-31\n":                                true,
	"list:\n- &x a\n- b\n":                                                              true,
	"list:\n- a  # b\n# c\n- 'd' # e: f\n  # g\n- h: \"i\" # j\n- {k: l} # m\n- n #o\n": true,
	"list:\n- \"#\n":               true,
	"list:\n- \n?":                 true,
	"list: [a]\n":                  false,
	"list:\n- a\nlist:\n- b\n":     false,
	"x: \"\nlist:\n- a\n- b\"\n":   false,
	"x: |\n list:\n - a\n":         false,
	"list:\n- a\n---\nb: 1\n":      false,
	"list:\n- a\n...\n":            false,
	"%YAML 1.2\n---\nlist:\n- a\n": false,
	"list:\n\t- a\n":               false,
	"list:\n- a\rb: 1\n":           false,
	"list:\n- a\u2028- b\n":        false,
	"- a\n- b\n":                   false,
}

// TestSplit checks that a split document has the same values at the same
// positions.
func TestSplit(t *testing.T) {
	for text, want := range splitDocuments {
		if cut := checkSplit(t, []byte(text)); cut != want {
			t.Errorf("%q: cut is %v", text, cut)
		}
		long := strings.Replace(text, "- a", strings.Repeat("- q: r\n  s: t\n", 3000)+"- a", 1)
		if want && strings.HasPrefix(text, "list:\n- a") {
			checkSplit(t, []byte(long))
		}
	}
}

// TestSplitFault checks that a fault in one part of a document has its position
// in the whole file, except for unterminated constructs.
func TestSplitFault(t *testing.T) {
	for item, ends := range map[string]bool{"- a: b: c\n": true, "- a\n  b: c\n": true, "- a: [b}\n": true, "- \"a\n": false, "- {a: b\n": true} {
		text := "x: 1\nlist:\n" + strings.Repeat("- q: r\n  s: t\n", 5000) + item + strings.Repeat("- q: r\n", 5000)
		_, fault, cut := splitOutline([]byte(text))
		if !cut || fault == nil || fault.Line < 10_002 || fault.Text == "" {
			t.Errorf("%q: %v, %+v", item, cut, fault)
			continue
		}
		_, whole := Root([]byte(text))
		if ends && (whole == nil || *fault != *whole) {
			t.Errorf("%q: %+v, as a whole %+v", item, fault, whole)
		}
	}
}

// FuzzSplit compares any split document with the whole one.
func FuzzSplit(f *testing.F) {
	for text := range splitDocuments {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkSplit(t, data) })
}
