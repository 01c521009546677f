package html

import (
	"net/netip"
	"strconv"
	"strings"
)

// A printedPlace is the printed form of ports that break one rule in the same
// way.
type printedPlace struct {
	Says, Drift string
	Places      []string // addresses with their ports
}

// Printed returns the places of a rule in their order, equal ones merged.
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

// byHost merges consecutive places of one host.
func byHost(places []string) []string {
	var list []string
	var last netip.Addr
	for _, text := range places {
		at, err := netip.ParseAddrPort(text)
		if err == nil && at.Addr() == last && len(list) > 0 {
			list[len(list)-1] += ", " + strconv.Itoa(int(at.Port()))
			continue
		}
		last = at.Addr()
		list = append(list, text)
	}
	return list
}

// Printed returns the open ports of a host as one printed paragraph.
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
