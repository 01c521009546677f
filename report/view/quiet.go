package view

import (
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// manyAlike is how many ports of a host of which the same is to be said share a
// line, unless the report is verbose: a host that answers on every port has
// thousands.
const manyAlike = 10

// A quietLine is what a report says of ports that stand without a finding.
type quietLine struct {
	Ports []*PortEntry
	says  string
}

// QuietLines gives the ports of a host that stand without a finding, those alike
// together if they are many and fold is set.
func (h *HostEntry) QuietLines(fold bool) []quietLine {
	var lines []quietLine
	at := map[string]int{} // the first line that says it
	count := map[string]int{}
	var quiet []*PortEntry
	for i := range h.Ports {
		if p := &h.Ports[i]; len(p.Findings) == 0 && p.Port != nil {
			quiet = append(quiet, p)
			count[p.quietly()]++
		}
	}
	for _, p := range quiet {
		says := p.quietly()
		i, ok := at[says]
		if ok && fold && count[says] >= manyAlike {
			lines[i].Ports = append(lines[i].Ports, p)
			continue
		}
		at[says] = len(lines)
		lines = append(lines, quietLine{[]*PortEntry{p}, says})
	}
	return lines
}

// quietly is what is said of a port that stands without a finding.
func (p *PortEntry) quietly() string {
	says := p.Describe()
	for i, f := range p.folded {
		says += map[bool]string{true: "; unchanged: ", false: ", "}[i == 0] + f.Rule
	}
	return says
}

// Number names the ports of a line: one by its number, several by their count.
func (l *quietLine) Number() string {
	if len(l.Ports) == 1 {
		return l.Ports[0].Number()
	}
	return wording.Plural(len(l.Ports), "port")
}

// Text is what is said of them, with their numbers if they are several.
func (l *quietLine) Text() string {
	if len(l.Ports) == 1 {
		return l.says
	}
	var ports []uint16
	for _, p := range l.Ports {
		ports = append(ports, p.Num)
	}
	return l.says + " (" + scope.FormatPorts(ports) + ")"
}
