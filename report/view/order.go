package view

import (
	"cmp"
	"slices"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// compareUrgency is the order in which every format lists findings: what
// fails the gate, then what is new, then by severity. Those that need no work
// come last. Address, port, rule and id decide the rest, so that the same run
// gives the same order.
func compareUrgency(a, b *result.Finding) int {
	return cmp.Or(
		trueFirst(a.Fails(), b.Fails()),
		trueFirst(a.Active(), b.Active()),
		trueFirst(a.IsNew(), b.IsNew()),
		cmp.Compare(b.Severity, a.Severity),
		a.IP.Compare(b.IP),
		cmp.Compare(a.Port, b.Port),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.ID, b.ID),
	)
}

func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// Shows reports whether a report that shows only the named part shows the
// finding. "" is all.
func Shows(f *result.Finding, only string) bool {
	switch only {
	case format.OnlyNew:
		return f.IsNew()
	case format.OnlyFailing:
		return f.Fails()
	}
	return true
}

// SortFindings sorts as every format lists findings, the most urgent first.
func SortFindings(findings []result.Finding) {
	slices.SortStableFunc(findings, func(a, b result.Finding) int { return compareUrgency(&a, &b) })
}

// sortHosts puts the hosts and ports with the most urgent finding first; those
// without one follow by address and number.
func sortHosts(hosts []HostEntry) {
	for i := range hosts {
		slices.SortStableFunc(hosts[i].Ports, func(a, b PortEntry) int {
			return cmp.Or(compareLeads(a.Findings, b.Findings), cmp.Compare(a.Num, b.Num))
		})
	}
	slices.SortStableFunc(hosts, func(a, b HostEntry) int {
		return cmp.Or(compareLeads(a.Ports[0].Findings, b.Ports[0].Findings), a.IP.Compare(b.IP))
	})
}

// compareLeads compares the first of sorted findings; where there is none,
// that is last.
func compareLeads(a, b []*result.Finding) int {
	if len(a) == 0 || len(b) == 0 {
		return trueFirst(len(a) > 0, len(b) > 0)
	}
	return compareUrgency(a[0], b[0])
}
