package report

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// A printedEdit is an edit of the plan as it is printed: once for all hosts
// that need it, in few lines. What depends on the host is left out.
type printedEdit struct {
	Severity result.Severity
	Summary  string
	Commands string
	Hosts    []string
	Closes   string // the rules, each once
}

// planCommands begin the lines of an edit that are printed, in this order.
var planCommands = []string{"Check: ", "Apply: "}

// Printed gives the edits of all hosts, those alike together, the most urgent
// first.
func (p Plan) Printed() []printedEdit {
	type key struct{ summary, commands string }
	at := make(map[key]int)
	var list []printedEdit
	for i := range p.Hosts {
		for j := range p.Hosts[i].Edits {
			e := &p.Hosts[i].Edits[j]
			k := key{e.Summary, e.commands()}
			n, ok := at[k]
			if !ok {
				n = len(list)
				at[k] = n
				list = append(list, printedEdit{Severity: e.Severity, Summary: e.Summary, Commands: k.commands, Closes: e.closed()})
			}
			list[n].Hosts = append(list[n].Hosts, p.Hosts[i].Host)
			if e.Severity > list[n].Severity {
				list[n].Severity = e.Severity
			}
		}
	}
	slices.SortStableFunc(list, func(x, y printedEdit) int { return cmp.Compare(y.Severity, x.Severity) })
	return list
}

// commands are those that check the edit and make it take effect, each once.
func (e *PlanEdit) commands() string {
	var kept []string
	for _, begin := range planCommands {
		for _, line := range e.Lines {
			if strings.HasPrefix(line, begin) && !slices.Contains(kept, line) {
				kept = append(kept, line)
			}
		}
	}
	return strings.Join(kept, "; ")
}

// closed names the rules that the edit closes.
func (e *PlanEdit) closed() string {
	var rules []string
	for _, c := range e.Closes {
		if !slices.Contains(rules, c.Rule) {
			rules = append(rules, c.Rule)
		}
	}
	return strings.Join(rules, ", ")
}

// A printedPlace is what is printed of ports that break one rule and of which
// the same is to be said.
type printedPlace struct {
	Says, Drift string
	Places      []string // addresses, each with its ports
}

// Printed gives the places of a rule with those alike together, in their order.
func (r htmlRule) Printed() []printedPlace {
	type key struct{ says, drift string }
	at := make(map[key]int)
	var list []printedPlace
	for i := range r.Places {
		p := &r.Places[i]
		k := key{p.Says, p.Drift}
		j, ok := at[k]
		if !ok {
			j = len(list)
			at[k] = j
			list = append(list, printedPlace{Says: p.Says, Drift: p.Drift})
		}
		list[j].Places = append(list[j].Places, p.At)
	}
	for i := range list {
		list[i].Places = byHost(list[i].Places)
	}
	return list
}

// byHost joins the places of one host that stand together.
func byHost(places []string) []string {
	var list []string
	var last netip.Addr
	for _, text := range places {
		at, err := netip.ParseAddrPort(text)
		if err == nil && at.Addr() == last && len(list) > 0 {
			list[len(list)-1] += ", " + itoa(int(at.Port()))
			continue
		}
		last = at.Addr()
		list = append(list, text)
	}
	return list
}

// Printed gives the open ports of a host as they are printed, in one paragraph.
func (h htmlHost) Printed() string {
	var list []string
	for i := range h.Ports {
		p := &h.Ports[i]
		text := p.Number + " " + p.Says
		for j, f := range p.Findings {
			text += map[bool]string{true: ": ", false: ", "}[j == 0] + f.Rule
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}
