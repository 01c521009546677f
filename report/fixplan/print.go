package fixplan

import (
	"cmp"
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
func (e *Edit) commands() string {
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
func (e *Edit) closed() string {
	var rules []string
	for _, c := range e.Closes {
		if !slices.Contains(rules, c.Rule) {
			rules = append(rules, c.Rule)
		}
	}
	return strings.Join(rules, ", ")
}
