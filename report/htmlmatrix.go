package report

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// matrix is host by port, the heaviest hosts first.
func (b *htmlBuilder) matrix() htmlMatrix {
	hosts := b.v.hosts
	m := htmlMatrix{Left: max(len(hosts)-maxMatrix, 0)}
	hosts = hosts[:len(hosts)-m.Left]
	column := make(map[uint16]int)
	for i := range hosts {
		for j := range hosts[i].ports {
			column[hosts[i].ports[j].num] = 0
		}
	}
	for num := range column {
		m.Ports = append(m.Ports, int(num))
	}
	slices.Sort(m.Ports)
	for i, num := range m.Ports {
		column[uint16(num)] = i
	}
	states := b.states()
	settled := make(map[string]*Finding)
	for _, f := range b.v.settled {
		if f.Status != statusOpen {
			settled[place(f.IP, f.Port)] = f
		}
	}
	for i := range hosts {
		h := &hosts[i]
		row := htmlRow{IP: h.ip, Name: h.name, Cells: make([]htmlCell, len(m.Ports))}
		for num, at := range column {
			if mark, ok := states[place(h.ip, num)]; ok {
				row.Cells[at] = mark
			}
		}
		for j := range h.ports {
			p := &h.ports[j]
			row.Cells[column[p.num]] = cell(h, p, settled[place(h.ip, p.num)])
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// states marks the reported ports that are not open.
func (b *htmlBuilder) states() map[string]htmlCell {
	m := make(map[string]htmlCell)
	for i := range b.c.ports {
		p := &b.c.ports[i]
		at := place(p.IP, p.Port)
		switch p.State {
		case stateClosed, stateFiltered:
			m[at] = htmlCell{Mark: "×", Class: "soft", Title: at + ": " + p.State}
		case stateUnknown, stateSkipped:
			m[at] = htmlCell{Mark: "?", Title: at + ": " + p.State}
		}
	}
	return m
}

// cell marks an open port by the first letter of its heaviest severity.
func cell(h *hostView, p *portView, settled *Finding) htmlCell {
	title := place(h.ip, p.num) + ": " + p.says()
	if len(p.findings) > 0 {
		f := slices.MaxFunc(p.findings, func(a, b *Finding) int { return cmp.Compare(weight(a.Severity), weight(b.Severity)) })
		mark := strings.ToUpper(f.Severity[:1])
		if p.port == nil {
			mark += "?"
		}
		return htmlCell{
			Mark: mark, Severity: f.Severity,
			Href: "#" + findingAnchor(f), Title: title + "; " + f.Severity + ": " + f.Title,
		}
	}
	if settled != nil {
		return htmlCell{Mark: "✓", Class: "open", Title: title + "; " + settled.Status + " by the policy"}
	}
	return htmlCell{Mark: "○", Class: "open", Title: title + "; no finding"}
}

// compareNumbers orders "25/tcp" before "143/tcp".
func compareNumbers(a, b string) int {
	x, _, _ := strings.Cut(a, "/")
	y, _, _ := strings.Cut(b, "/")
	n, _ := strconv.Atoi(x)
	m, _ := strconv.Atoi(y)
	return cmp.Or(cmp.Compare(n, m), strings.Compare(a, b))
}

func parseAddr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}
