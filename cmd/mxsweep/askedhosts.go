package main

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"mxsweep/exposure"
	"mxsweep/scan"
)

// maxAskedHosts is how many ranges and names a report tells of what was asked.
const maxAskedHosts = 1000

// askedHosts are the addresses that the sweep asks for something, all shards
// together, and the names that they are asked by; nil if there are too many.
func (p *plan) askedHosts() []string {
	var list []string
	for r := range p.wholeSpace.Spans() {
		if len(list) == maxAskedHosts {
			return nil
		}
		text := r.String()
		if r.From() == r.To() {
			text = r.From().String()
		}
		list = append(list, text)
	}
	for name, a := range p.scope.Named() {
		if p.wholeSpace.HostsIn(netipx.IPRangeFrom(a, a)) == 0 || slices.Contains(list, name) {
			continue
		}
		if len(list) == maxAskedHosts {
			return nil
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// askedHosts are those of all runs together; nil if a run does not tell its own, or
// if there are too many.
func (m *merger) askedHosts() []string {
	if slices.ContainsFunc(m.runs, func(r *savedRun) bool { return r.run.Scope.Asked == nil }) {
		return nil
	}
	var list []string
	for _, r := range m.runs {
		list = append(list, r.run.Scope.Asked...)
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > maxAskedHosts {
		return nil
	}
	return list
}

// askedParts are what each of the runs asked, as far as it tells.
func (m *merger) askedParts() []exposure.AskedPart {
	var parts []exposure.AskedPart
	for _, r := range m.runs {
		part := exposure.AskedPart{Unknown: r.run.Scope.Asked == nil}
		if ports, err := scan.ParsePorts(r.run.Scope.Ports, nil); err == nil {
			part.Ports = ports
		}
		for _, text := range r.run.Scope.Asked {
			if ip, ok := askedRange(text); ok {
				part.Ranges = append(part.Ranges, ip)
			} else {
				part.Names = append(part.Names, text)
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// askedRange reads an address or a range, whose zone does not count, and reports
// whether it is one.
func askedRange(text string) (netipx.IPRange, bool) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	a, err := netip.ParseAddr(from)
	b, errTo := netip.ParseAddr(to)
	r := netipx.IPRangeFrom(a.WithZone(""), b.WithZone(""))
	return r, err == nil && errTo == nil && r.IsValid()
}
