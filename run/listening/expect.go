package listening

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// An expectation is an entry of the policy's list of services that may be reachable.
type expectation struct {
	Target   string `yaml:"target"`
	Ports    string `yaml:"ports"`
	Protocol string `yaml:"protocol,omitempty"`
	Product  string `yaml:"product,omitempty"`
}

// WriteExpect writes the expect block of a policy: an entry for what others may reach on
// this machine and no rule objects to. What breaks a rule, and a port of which nobody saw who
// listens, is named in comments, as an expectation would hide it.
func (a *Audit) WriteExpect(w io.Writer, c *Outcome) error {
	broken := map[uint16][]string{}
	for i := range c.Findings {
		f := &c.Findings[i]
		broken[f.Target.Port()] = append(broken[f.Target.Port()], f.Rule.ID)
	}
	ports := map[expectation][]uint16{}
	var order []expectation
	var left []string
	for i := range c.Open {
		p := &c.Open[i]
		port := p.Target.Port()
		if local(p) {
			continue
		}
		if rules := broken[port]; rules != nil {
			slices.Sort(rules)
			left = append(left, fmt.Sprintf("  # Not expected: port %d, %s (%s).\n", port, cmp.Or(label(p), "of a process that is not known"), strings.Join(slices.Compact(rules), ", ")))
			continue
		}
		if unnamed(p) {
			left = append(left, fmt.Sprintf("  # Not expected: port %d, of a process that was not seen.\n", port))
			continue
		}
		if n := a.internal(p); n != 0 && p.Service.KnownProduct() == "" {
			left = append(left, fmt.Sprintf("  # Not expected: port %d, %s, passed on to port %d, which mail systems use inside a host.\n", port, label(p), n))
			continue
		}
		e := expectation{Target: a.Name}
		if s := p.Service; s != nil && !s.ByNumber() {
			e.Protocol, e.Product = s.Name, s.Product
		}
		if ports[e] == nil {
			order = append(order, e)
		}
		ports[e] = append(ports[e], port)
	}
	for i, e := range order {
		list := ports[e]
		slices.Sort(list)
		order[i].Ports = scope.FormatPorts(slices.Compact(list))
	}
	text := "expect: []\n"
	if len(order) > 0 {
		block, err := yaml.Marshal(map[string][]expectation{"expect": order})
		if err != nil {
			return fmt.Errorf("encoding the expectations: %w", err)
		}
		text = string(block)
	}
	_, err := io.WriteString(w, text+strings.Join(slices.Compact(left), ""))
	return err
}

// label returns what listens on a port, safe to show in a comment.
func label(p *exposure.Subject) string {
	text := p.Service.Label()
	if p.Socket.Process != "" && text == "" {
		text = p.Socket.Process
	}
	return sanitize.Text(text, sanitize.MaxField)
}
