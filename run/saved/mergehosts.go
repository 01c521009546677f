package saved

import (
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// askedHosts returns the probed hosts of all runs; nil if a run does not list its
// hosts, or if there are too many.
func (m *Merger) askedHosts() []string {
	if slices.ContainsFunc(m.Runs, func(r *RunFile) bool { return r.Record.Scope.Asked == nil }) {
		return nil
	}
	var list []string
	for _, r := range m.Runs {
		list = append(list, r.Record.Scope.Asked...)
	}
	return report.NewHosts(list)
}

// upHosts returns the hosts that were up in any run; nil if a run does not list
// its hosts, or if there are too many.
func (m *Merger) upHosts() []string {
	var list []string
	for _, r := range m.Runs {
		c := &r.Summary.Coverage
		if c.Up == nil && c.HostsUp > 0 {
			return nil
		}
		list = append(list, c.Up...)
	}
	return report.NewHosts(list)
}

// hostsUp returns how many hosts are up in all runs together. sum counts hosts
// seen from several vantage points several times; it is returned if a run does
// not list its hosts.
func (m *Merger) hostsUp(sum uint64) uint64 {
	var b netipx.IPSetBuilder
	var most uint64
	for _, r := range m.Runs {
		c := &r.Summary.Coverage
		if c.Up == nil && c.HostsUp > 0 {
			return sum
		}
		most = max(most, uint64(max(c.HostsUp, 0))) // what follows does not distinguish zones
		for _, text := range c.Up {
			if ip, ok := result.ParseRange(text); ok {
				b.AddRange(ip)
			}
		}
	}
	set, err := b.IPSet()
	if err != nil {
		return sum
	}
	return min(sum, max(most, result.AddressCount(set)))
}

// askedParts returns what each run probed, as far as known.
func (m *Merger) askedParts() []policy.AskedPart {
	var parts []policy.AskedPart
	for _, r := range m.Runs {
		part := policy.AskedPart{Unknown: r.Record.Scope.Asked == nil}
		if ports, err := scope.ParsePorts(r.Record.Scope.Ports, nil); err == nil {
			part.Ports = ports
		}
		for _, text := range r.Record.Scope.Asked {
			if ip, ok := result.ParseRange(text); ok {
				part.Ranges = append(part.Ranges, ip)
			} else {
				part.Names = append(part.Names, text)
			}
		}
		parts = append(parts, part)
	}
	return parts
}
