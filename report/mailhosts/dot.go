package mailhosts

import (
	"fmt"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/domains"
)

// shapes are how Graphviz draws hosts of each class.
var shapes = map[domains.Class]string{domains.Own: "box", domains.Provider: "ellipse", domains.ThirdParty: "ellipse,style=dashed"}

// dot writes a graph in the language of Graphviz: from domains to hosts and networks, with an edge for
// each path.
func (r *Report) dot(w io.Writer, _ int) error {
	var b strings.Builder
	b.WriteString("digraph mail {\n  rankdir=LR;\n")
	for _, d := range r.Domains {
		label := d.Name
		if !d.Complete() {
			label += "\nincomplete"
		}
		fmt.Fprintf(&b, "  %s [shape=octagon,label=%s];\n", dotString(d.Name), dotString(label))
		for _, h := range d.Hosts {
			node := "host " + hostName(h)
			label := hostName(h)
			if h.Name != "" {
				label += "\n" + addressesOf(h)
			}
			fmt.Fprintf(&b, "  %s [shape=%s,label=%s];\n", dotString(node), shapes[h.Class], dotString(label))
			edges(&b, d.Name, node, h.Paths)
		}
		for _, n := range d.Networks {
			node := "network " + n.Prefix.String()
			fmt.Fprintf(&b, "  %s [shape=folder,label=%s];\n", dotString(node), dotString(n.Prefix.String()))
			edges(&b, d.Name, node, n.Paths)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// edges writes one edge for each path.
func edges(b *strings.Builder, from, to string, paths []domains.Way) {
	for _, p := range paths {
		fmt.Fprintf(b, "  %s -> %s [label=%s];\n", dotString(from), dotString(to), dotString(p.Text))
	}
}

// dotString quotes a text: within quotes only quotes and backslashes are special
// (https://graphviz.org/doc/info/lang.html). A line break is an escape of labels.
func dotString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
