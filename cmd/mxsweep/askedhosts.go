package main

import (
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/scan/scope"
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
		list = append(list, report.FormatRange(r))
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
	return reportedHosts(list)
}

// reportedHosts is a list of ranges and names as a report tells it: sorted and each once; nil
// if there are too many.
func reportedHosts(list []string) []string {
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > maxAskedHosts {
		return nil
	}
	return list
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
	return reportedHosts(list)
}

// upHosts are the hosts that are up; nil if there are none, or too many.
func (w *sweep) upHosts() []string {
	var list []string
	for r := range w.counter.UpRanges() {
		if len(list) == maxAskedHosts {
			return nil
		}
		list = append(list, report.FormatRange(r))
	}
	return list
}

// upHosts are those of all runs together; nil if a run does not tell its own, or
// if there are too many.
func (m *merger) upHosts() []string {
	var list []string
	for _, r := range m.runs {
		c := &r.summary.Coverage
		if c.Up == nil && c.HostsUp > 0 {
			return nil
		}
		list = append(list, c.Up...)
	}
	return reportedHosts(list)
}

// hostsUp is how many hosts are up in all runs together, of a sum that counts those
// seen from several vantage points several times. Where a run does not tell its
// hosts, it is the sum.
func (m *merger) hostsUp(sum uint64) uint64 {
	var b netipx.IPSetBuilder
	var most uint64
	for _, r := range m.runs {
		c := &r.summary.Coverage
		if c.Up == nil && c.HostsUp > 0 {
			return sum
		}
		most = max(most, uint64(max(c.HostsUp, 0))) // zones are not told apart in what follows
		for _, text := range c.Up {
			if ip, ok := report.ParseRange(text); ok {
				b.AddRange(ip)
			}
		}
	}
	set, err := b.IPSet()
	if err != nil {
		return sum
	}
	return min(sum, max(most, report.AddressCount(set)))
}

// askedParts are what each of the runs asked, as far as it tells.
func (m *merger) askedParts() []exposure.AskedPart {
	var parts []exposure.AskedPart
	for _, r := range m.runs {
		part := exposure.AskedPart{Unknown: r.run.Scope.Asked == nil}
		if ports, err := scope.ParsePorts(r.run.Scope.Ports, nil); err == nil {
			part.Ports = ports
		}
		for _, text := range r.run.Scope.Asked {
			if ip, ok := report.ParseRange(text); ok {
				part.Ranges = append(part.Ranges, ip)
			} else {
				part.Names = append(part.Names, text)
			}
		}
		parts = append(parts, part)
	}
	return parts
}
