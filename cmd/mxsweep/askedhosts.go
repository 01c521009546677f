package main

import (
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/report"
)

// askedHosts are the addresses that the sweep asks for something, all shards
// together, and the names that they are asked by; nil if there are too many.
func (p *plan) askedHosts() []string {
	var list []string
	for r := range p.wholeSpace.Spans() {
		if len(list) == report.MaxHosts {
			return nil
		}
		list = append(list, report.FormatRange(r))
	}
	for name, a := range p.scope.Named() {
		if p.wholeSpace.HostsIn(netipx.IPRangeFrom(a, a)) == 0 || slices.Contains(list, name) {
			continue
		}
		if len(list) == report.MaxHosts {
			return nil
		}
		list = append(list, name)
	}
	return report.NewHosts(list)
}

// upHosts are the hosts that are up; nil if there are none, or too many.
func (w *sweep) upHosts() []string {
	var list []string
	for r := range w.counter.UpRanges() {
		if len(list) == report.MaxHosts {
			return nil
		}
		list = append(list, report.FormatRange(r))
	}
	return list
}
