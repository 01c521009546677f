package report

import (
	"cmp"
	"slices"

	"github.com/mxsweep/mxsweep/result"
)

// What reports for people show of the findings.
const (
	OnlyNew     = "new"     // those that the baseline does not hold
	OnlyFailing = "failing" // those that the gate fails on
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
		a.Address().Compare(b.Address()),
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

// shows reports whether a report that shows only the named part shows the
// finding. "" is all.
func shows(f *result.Finding, only string) bool {
	switch only {
	case OnlyNew:
		return f.IsNew()
	case OnlyFailing:
		return f.Fails()
	}
	return true
}

func sortFindings(findings []result.Finding) {
	slices.SortStableFunc(findings, func(a, b result.Finding) int { return compareUrgency(&a, &b) })
}

// sortHosts puts the hosts and ports with the most urgent finding first; those
// without one follow by address and number.
func sortHosts(hosts []hostView) {
	for i := range hosts {
		slices.SortStableFunc(hosts[i].ports, func(a, b portView) int {
			return cmp.Or(compareLeads(a.findings, b.findings), cmp.Compare(a.num, b.num))
		})
	}
	slices.SortStableFunc(hosts, func(a, b hostView) int {
		return cmp.Or(compareLeads(a.ports[0].findings, b.ports[0].findings), a.addr.Compare(b.addr))
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
