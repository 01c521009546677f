package signatures

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Neighbors returns the ports between which a port is in the flow of one of its uses: those
// that the flow names just before it and just after it. A flow that names none has none.
func (p *Ports) Neighbors(port uint16, use *Use) (before, after []uint16) {
	parts := strings.Split(use.Flow, "->")
	at := slices.IndexFunc(parts, func(part string) bool { return slices.Contains(p.portsIn(part), port) })
	if at < 0 {
		return nil, nil
	}
	if at > 0 {
		before = p.portsIn(parts[at-1])
	}
	if at+1 < len(parts) {
		after = p.portsIn(parts[at+1])
	}
	return before, after
}

var portNumber = regexp.MustCompile(`\b[1-9][0-9]{1,4}\b`)

// portsIn returns the numbers in a part of a flow that are ports of the table: others
// belong to names.
func (p *Ports) portsIn(part string) []uint16 {
	var list []uint16
	for _, word := range portNumber.FindAllString(part, -1) {
		n, err := strconv.ParseUint(word, 10, 16)
		if _, known := p.ports[uint16(n)]; err == nil && known {
			list = append(list, uint16(n))
		}
	}
	return list
}
