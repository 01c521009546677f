package strictyaml

import (
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// nodes returns the number of values in a tree.
func nodes(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	sum := 1
	for _, c := range n.Content {
		sum += nodes(c)
	}
	return sum
}

// dense are files that have as many values as possible for their size.
var dense = map[string]string{
	"a list":                 "- a\n",
	"an empty list":          "-\n",
	"lists in lists":         "- - - -\n",
	"mappings in a list":     "- a:\n",
	"a list of mappings":     "- a: b\n  c:\n",
	"a mapping":              "? a\n: b\n",
	"keys alone":             "?\n",
	"a flow list":            "- [a,a,a,a,a,a,a,a]\n",
	"flow lists":             "- [[],[],[],[],[]]\n",
	"a flow mapping":         "- {a,b,c,d,e,f}\n",
	"flow mappings":          "- [{},{},{},{}]\n",
	"pairs in a flow list":   "- [a: ,b: ,c: ,d: ]\n",
	"quoted keys":            "- {\"a\":b,\"c\":d}\n",
	"aliases":                "- &a [*a,*a,*a,*a]\n",
	"other line breaks":      "-\u2028-\u0085- a\r",
	"comments":               "# c\n- a # b\n",
	"explicit keys in flow":  "- {? a : b, ? c}\n",
	"scalars over two lines": "- a\n  b\n",
	"text":                   "- >\n  a: b, c\n  - d\n",
}

// TestValues checks that no fewer values are counted than there are, and not many
// more.
func TestValues(t *testing.T) {
	for name, unit := range dense {
		data := []byte(strings.Repeat(unit, 200))
		root, fault := Root(data)
		if fault != nil {
			t.Errorf("%s: %+v", name, fault)
			continue
		}
		have := nodes(root)
		if tooMany(data, have-1) == 0 {
			t.Errorf("%s: %d values are not counted", name, have)
		}
		if line := tooMany(data, 8*have); line > 0 && name != "text" {
			t.Errorf("%s: more than %d values counted, and there are %d", name, 8*have, have)
		}
	}
}

// TestValuesBound checks that files whose tree would take too much memory are
// rejected, however dense they are, and all others accepted.
func TestValuesBound(t *testing.T) {
	const most = 200 << 20
	for name, unit := range dense {
		data := []byte(strings.Repeat(unit, 4<<20/len(unit)))
		before := allocated()
		root, fault := Root(data)
		if grown := allocated() - before; grown > most {
			t.Errorf("%s: %d MiB for %d MiB", name, grown>>20, len(data)>>20)
		}
		runtime.KeepAlive(root)
		if fault != nil && (fault.Line < 1 || !strings.Contains(fault.Text, "values")) {
			t.Errorf("%s: %+v", name, fault)
		}
	}
}

// allocated returns how much memory is in use.
func allocated() int64 {
	runtime.GC()
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
