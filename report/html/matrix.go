package html

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// matrix returns the hosts by port, those with the most severe findings first, in
// tables that fit the width of a page.
func (b *htmlBuilder) matrix() htmlMatrix {
	hosts := b.v.Hosts
	m := htmlMatrix{Left: max(len(hosts)-maxMatrix, 0)}
	hosts = hosts[:len(hosts)-m.Left]
	seen := make(map[uint16]bool)
	for i := range hosts {
		for j := range hosts[i].Ports {
			seen[hosts[i].Ports[j].Num] = true
		}
	}
	ports := slices.Sorted(maps.Keys(seen))
	cells := b.states()
	b.openCells(hosts, cells)
	if len(ports) == 0 {
		return m
	}
	tables := (len(ports) + maxColumns - 1) / maxColumns
	for part := range slices.Chunk(ports, (len(ports)+tables-1)/tables) {
		m.Tables = append(m.Tables, matrixTable(hosts, part, cells))
	}
	return m
}

// matrixTable returns the table for some of the ports, with the hosts that have
// any of them.
func matrixTable(hosts []view.HostEntry, ports []uint16, cells map[string]htmlCell) htmlTable {
	t := htmlTable{Ports: ports}
	for i := range hosts {
		row := htmlRow{Label: hosts[i].Label(), Name: hosts[i].Name, Cells: make([]htmlCell, len(ports))}
		filled := false
		for j, num := range ports {
			c, ok := cells[cellPlace(&hosts[i], num)]
			row.Cells[j] = c
			filled = filled || ok
		}
		if filled {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// cellPlace returns the key of the cell of a port.
func cellPlace(h *view.HostEntry, num uint16) string {
	if h.File != "" {
		return h.File + ":" + strconv.Itoa(int(num))
	}
	return view.Place(h.IP, num)
}

// openCells fills the cells of the open ports of the hosts.
func (b *htmlBuilder) openCells(hosts []view.HostEntry, cells map[string]htmlCell) {
	resolved := make(map[string]*result.Finding)
	for _, f := range b.v.Resolved {
		if f.Status != result.StatusOpen {
			resolved[view.FindingPlace(f)] = f
		}
	}
	for i := range hosts {
		h := &hosts[i]
		for j := range h.Ports {
			p := &h.Ports[j]
			if at := cellPlace(h, p.Num); h.File == "" || cells[at].Mark == "" { // the most urgent listener of a port of a file
				cells[at] = cell(p, resolved[p.Place])
			}
		}
	}
}

// states returns the cells of the reported ports that are not open.
func (b *htmlBuilder) states() map[string]htmlCell {
	m := make(map[string]htmlCell)
	for i := range b.c.Ports {
		p := &b.c.Ports[i]
		at := view.PortPlace(p)
		switch p.State {
		case result.StateClosed, result.StateFiltered:
			m[at] = htmlCell{Mark: "×", Class: "soft", Title: at + ": " + string(p.State)}
		case result.StateUnknown, result.StateSkipped:
			m[at] = htmlCell{Mark: "?", Title: at + ": " + string(p.State)}
		}
	}
	return m
}

// cell returns the cell of an open port, marked with the first letter of its
// highest severity.
func cell(p *view.PortEntry, resolved *result.Finding) htmlCell {
	title := p.Place + ": " + p.Describe()
	if len(p.Findings) > 0 {
		f := slices.MaxFunc(p.Findings, func(a, b *result.Finding) int { return cmp.Compare(a.Severity, b.Severity) })
		mark := strings.ToUpper(f.Severity.String()[:1])
		if p.Port == nil {
			mark += "?"
		}
		return htmlCell{
			Mark: mark, Severity: f.Severity.String(),
			Href: "#" + view.FindingAnchor(f), Title: title + "; " + f.Severity.String() + ": " + f.Title,
		}
	}
	if resolved != nil {
		return htmlCell{Mark: "✓", Class: "open", Title: title + "; " + string(resolved.Status) + " by the policy"}
	}
	if p.Port != nil && view.Inconclusive(p.Port.Service) != "" {
		return htmlCell{Mark: "?", Title: title}
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
