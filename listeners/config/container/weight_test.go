package container

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestWeight holds that a project is not loaded if it has more than a bound, also by what it
// refers to, and that a smaller one is.
func TestWeight(t *testing.T) {
	nodes := func(n int) string { return "x-a: [" + strings.Repeat("a,", n) + "]\n" }
	const service = "services:\n  a:\n    image: x\n    ports: ['1:1']\n"
	nested := func(n int) string { return "x-a: " + strings.Repeat("[", n) + strings.Repeat("]", n) + "\n" }
	for name, tt := range map[string]struct {
		text   string
		loaded bool
	}{
		"a small one":                  {service, true},
		"many nodes":                   {service + nodes(maxNodes/10), true},
		"too many nodes":               {service + nodes(maxNodes), false},
		"too many by aliases":          {"x-b: &b {x: [" + strings.Repeat("a,", maxNodes/10) + "]}\n" + service + "x-c: [" + strings.Repeat("*b,", 11) + "]\n", false},
		"too many in two documents":    {service + nodes(maxNodes/2) + "---\n" + nodes(maxNodes/2), false},
		"an alias of itself":           {service + "x-b: &b [*b]\n", false},
		"deep":                         {service + nested(maxDepth-10), true},
		"too deep":                     {service + nested(maxDepth+10), false},
		"many ports":                   {"services:\n  a:\n    image: x\n    ports: ['1-2000:1-2000']\n", true},
		"too many ports":               {"services:\n  a:\n    image: x\n    ports: [" + strings.Repeat("'1-2000:1-2000',", 11) + "]\n", false},
		"too many by extends":          {"services:\n  a:\n    image: x\n    ports: ['1-2000:1-2000']\n" + extending(10), false},
		"a long text":                  {service + "x-a: " + strings.Repeat("b", 2*maxVariable) + "\n", true},
		"a long text with a variable":  {service + "x-a: ${b}" + strings.Repeat("b", 2*maxVariable) + "\n", false},
		"a short text with a variable": {service + "x-a: ${b:-c}\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			tree := &source.Tree{FS: fstest.MapFS{"compose.yml": {Data: []byte(tt.text)}}}
			f, err := tree.Read("compose.yml")
			if err != nil {
				t.Fatal(err)
			}
			c := Compose(tree, f)
			heavy := len(c.Doubts) > 0 && strings.HasSuffix(c.Doubts[0].Problem, errHeavy.Error())
			if heavy == tt.loaded || tt.loaded && (len(c.Listeners) == 0 || len(c.Doubts) > 0) {
				t.Errorf("%d listeners, doubts %v", len(c.Listeners), c.Doubts)
			}
		})
	}
}

// extending returns services that extend the first one.
func extending(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  b%d: {extends: a}\n", i)
	}
	return b.String()
}
