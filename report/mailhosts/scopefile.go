package mailhosts

import (
	"fmt"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/domains"
)

// scope writes a scope file: the own hosts as lines, and all others as comments.
func (r *Report) scope(w io.Writer, _ int) error {
	var b strings.Builder
	b.WriteString("# Hosts that mail depends on. Scan only what you are authorized to scan.\n")
	for _, d := range r.Domains {
		fmt.Fprintf(&b, "\n# %s: %s\n", d.Name, mailStates[d.Mail])
		for _, g := range d.Gaps {
			fmt.Fprintf(&b, "# incomplete: no answer for %s %s: %s\n", g.Type, g.Name, g.Cause)
		}
		for _, h := range byClass(d) {
			scopeLines(&b, h)
		}
		for _, n := range d.Networks {
			fmt.Fprintf(&b, "# %-40s # network, %s: %s\n", n.Prefix, n.Class, n.Paths[0].Text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// scopeLines writes the addresses of one host, one a line.
func scopeLines(b *strings.Builder, h *domains.Host) {
	var ways []string
	for _, p := range h.Paths {
		ways = append(ways, p.Text)
	}
	mark, ask := "", ""
	if h.Class != domains.Own {
		mark, ask = "# ", string(h.Class)+", ask for authorization: "
	}
	for _, a := range h.Addresses {
		fmt.Fprintf(b, "%s%-40s # %s%s: %s\n", mark, a, ask, hostName(h), strings.Join(ways, "; "))
	}
}
