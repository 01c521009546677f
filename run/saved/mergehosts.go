package saved

import (
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// askedHosts are those of all runs together; nil if a run does not tell its own, or
// if there are too many.
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

// upHosts are those of all runs together; nil if a run does not tell its own, or
// if there are too many.
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

// hostsUp is how many hosts are up in all runs together, of a sum that counts those
// seen from several vantage points several times. Where a run does not tell its
// hosts, it is the sum.
func (m *Merger) hostsUp(sum uint64) uint64 {
	var b netipx.IPSetBuilder
	var most uint64
	for _, r := range m.Runs {
		c := &r.Summary.Coverage
		if c.Up == nil && c.HostsUp > 0 {
			return sum
		}
		most = max(most, uint64(max(c.HostsUp, 0))) // zones are not told apart in what follows
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

// askedParts are what each of the runs asked, as far as it tells.
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
