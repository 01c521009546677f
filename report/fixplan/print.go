package fixplan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// A printedEdit is an edit as printed: once for all hosts that need it, without
// what depends on the host.
type printedEdit struct {
	Severity result.Severity
	Summary  string
	Commands string
	Hosts    []string
	Closes   string // the rules, each once
}

// planCommands are the labels of the lines of an edit that are printed, in this
// order.
var planCommands = []string{"Check: ", "Apply: "}

// Printed returns the edits of all hosts, equal ones merged, the most urgent
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

// commands returns the commands that check and apply the edit, each once.
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

// closed returns the rules that the edit closes.
func (e *Edit) closed() string {
	var rules []string
	for _, c := range e.Closes {
		if !slices.Contains(rules, c.Rule) {
			rules = append(rules, c.Rule)
		}
	}
	return strings.Join(rules, ", ")
}
