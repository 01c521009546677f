package view

import (
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// manyAlike is the minimum number of ports of a host with the same description
// that share a line, unless the report is verbose: a host that answers on every
// port has thousands.
const manyAlike = 10

// A quietLine describes ports without a finding.
type quietLine struct {
	Ports []*PortEntry
	says  string
}

// QuietLines returns the lines for the ports of a host without a finding. If fold
// is set, many with the same description share a line.
func (h *HostEntry) QuietLines(fold bool) []quietLine {
	var lines []quietLine
	at := map[string]int{} // the first line with that description
	count := map[string]int{}
	var quiet []*PortEntry
	for i := range h.Ports {
		if p := &h.Ports[i]; len(p.Findings) == 0 && p.Port != nil {
			quiet = append(quiet, p)
			count[p.quietText()]++
		}
	}
	for _, p := range quiet {
		says := p.quietText()
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

// quietText describes a port without a finding.
func (p *PortEntry) quietText() string {
	says := p.Describe()
	for i, f := range p.folded {
		says += map[bool]string{true: "; unchanged: ", false: ", "}[i == 0] + f.Rule
	}
	return says
}

// Number returns the number of a single port, or the count of several.
func (l *quietLine) Number() string {
	if len(l.Ports) == 1 {
		return l.Ports[0].Number()
	}
	return wording.Plural(len(l.Ports), "port")
}

// Text returns the description, with the numbers if there are several ports.
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
