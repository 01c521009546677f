package view

import (
	"cmp"
	"slices"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// compareUrgency is the order of findings in all formats: those that fail the
// gate, then new ones, then by severity. Those that need no work come last.
// Address, port, rule and id make the order unique.
func compareUrgency(a, b *result.Finding) int {
	return cmp.Or(
		trueFirst(a.Fails(), b.Fails()),
		trueFirst(a.Active(), b.Active()),
		trueFirst(a.IsNew(), b.IsNew()),
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(fileOf(a.Host, a.Listener), fileOf(b.Host, b.Listener)),
		cmp.Compare(lineOf(a.Listener, a.Anchor), lineOf(b.Listener, b.Anchor)),
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

// Shows reports whether a report restricted to only (see format.Options) shows
// the finding. "" means all.
func Shows(f *result.Finding, only string) bool {
	switch only {
	case format.OnlyNew:
		return f.IsNew()
	case format.OnlyFailing:
		return f.Fails()
	}
	return true
}

// SortFindings sorts findings, the most urgent first.
func SortFindings(findings []result.Finding) {
	slices.SortStableFunc(findings, func(a, b result.Finding) int { return compareUrgency(&a, &b) })
}

// sortHosts puts the hosts and ports with the most urgent finding first; those
// without a finding follow by address and number.
func sortHosts(hosts []HostEntry) {
	for i := range hosts {
		slices.SortStableFunc(hosts[i].Ports, func(a, b PortEntry) int {
			return cmp.Or(compareLeads(a.Findings, b.Findings), cmp.Compare(a.Num, b.Num))
		})
	}
	slices.SortStableFunc(hosts, func(a, b HostEntry) int {
		return cmp.Or(compareLeads(a.Ports[0].Findings, b.Ports[0].Findings), cmp.Compare(a.File, b.File), a.IP.Compare(b.IP))
	})
}

// compareLeads compares the first findings of two sorted lists; an empty list is
// last.
func compareLeads(a, b []*result.Finding) int {
	if len(a) == 0 || len(b) == 0 {
		return trueFirst(len(a) > 0, len(b) > 0)
	}
	return compareUrgency(a[0], b[0])
}
