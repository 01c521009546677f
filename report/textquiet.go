package report

import "github.com/mxsweep/mxsweep/scan/scope"

// manyAlike is how many ports of a host of which the same is to be said share a
// line, unless the report is verbose: a host that answers on every port has
// thousands.
const manyAlike = 10

// A quietLine is what a report says of ports that stand without a finding.
type quietLine struct {
	ports []*portView
	says  string
}

// quietLines gives the ports of a host that stand without a finding, those alike
// together if they are many and fold is set.
func (h *hostView) quietLines(fold bool) []quietLine {
	var lines []quietLine
	at := map[string]int{} // the first line that says it
	count := map[string]int{}
	var quiet []*portView
	for i := range h.ports {
		if p := &h.ports[i]; len(p.findings) == 0 && p.port != nil {
			quiet = append(quiet, p)
			count[p.quietly()]++
		}
	}
	for _, p := range quiet {
		says := p.quietly()
		i, ok := at[says]
		if ok && fold && count[says] >= manyAlike {
			lines[i].ports = append(lines[i].ports, p)
			continue
		}
		at[says] = len(lines)
		lines = append(lines, quietLine{[]*portView{p}, says})
	}
	return lines
}

// quietly is what is said of a port that stands without a finding.
func (p *portView) quietly() string {
	says := p.says()
	for i, f := range p.folded {
		says += map[bool]string{true: "; unchanged: ", false: ", "}[i == 0] + f.Rule
	}
	return says
}

// number names the ports of a line: one by its number, several by their count.
func (l *quietLine) number() string {
	if len(l.ports) == 1 {
		return l.ports[0].number()
	}
	return plural(len(l.ports), "port")
}

// text is what is said of them, with their numbers if they are several.
func (l *quietLine) text() string {
	if len(l.ports) == 1 {
		return l.says
	}
	var ports []uint16
	for _, p := range l.ports {
		ports = append(ports, p.num)
	}
	return l.says + " (" + scope.FormatPorts(ports) + ")"
}

// quiet lists the ports of a host that stand without a finding.
func (t *textWriter) quiet(h *hostView) {
	lines := h.quietLines(!t.verbose)
	wide := 9
	for i := range lines {
		wide = max(wide, len(lines[i].number()))
	}
	for i := range lines {
		lead := "  " + padTo(lines[i].number(), wide) + "  "
		t.para(lead, width(lead), width(lead), lines[i].text())
		t.naming(lines[i].ports[0]) // verbose lines have one port
	}
}
