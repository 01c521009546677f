package html

import (
	"net/netip"
	"strconv"
	"strings"
)

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
			list[len(list)-1] += ", " + strconv.Itoa(int(at.Port()))
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
