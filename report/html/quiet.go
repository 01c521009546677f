package html

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
	"go4.org/netipx"
)

// An htmlQuiet is a list of hosts without findings of one kind: clean, partly
// unknown, or silent.
type htmlQuiet struct {
	Title string
	Count string   // number of addresses
	Hosts []string // addresses and ranges, with the name if the run has it
}

// quietHosts returns the hosts that were probed and have no finding: those that
// answered, those of them with unknown ports, and those that did not answer. It
// reports whether the run does not list all of them.
func (b *htmlBuilder) quietHosts() ([]htmlQuiet, bool) {
	up, asked, all := b.upAndAsked()
	for i := range b.c.Findings {
		if f := &b.c.Findings[i]; f.Drift != result.DriftFixed { // also one that somebody accepts
			for _, ip := range append([]netip.Addr{f.IP}, f.Addresses...) {
				up.Remove(ip)
				asked.Remove(ip)
			}
		}
	}
	answered, _ := up.IPSet()
	asked.RemoveSet(answered)
	silent, _ := asked.IPSet()
	unknown := b.unknownHosts()
	unknown.Intersect(answered)
	open, _ := unknown.IPSet()
	up.RemoveSet(open)
	clean, _ := up.IPSet()
	names := make(map[netip.Addr]string)
	for i := range b.c.Ports {
		if p := &b.c.Ports[i]; p.Host != "" {
			names[p.IP] = p.Host
		}
	}
	cleanTitle, title := "No findings: answered on at least one port", silentTitle(&b.v.Sum.Coverage)
	if !b.v.Sum.Complete {
		cleanTitle = "Answered; no finding on the ports probed before the run ended"
	}
	if c := &b.v.Sum.Coverage; all && !b.v.Sum.Complete || result.AddressCount(silent) > uint64(max(c.HostsSilent, 0))+vacantAddresses(c) {
		title = "Silent, or not probed in this run"
	}
	list := []htmlQuiet{
		newHTMLQuiet(cleanTitle, clean, names),
		newHTMLQuiet("Answered; no finding, but some ports are unknown", open, names),
		newHTMLQuiet(title, silent, names),
	}
	return slices.DeleteFunc(list, func(q htmlQuiet) bool { return len(q.Hosts) == 0 }), !all
}

// unknownHosts returns the addresses with a port whose state or service is
// unknown.
func (b *htmlBuilder) unknownHosts() (unknown netipx.IPSetBuilder) {
	for i := range b.c.Ports {
		p := &b.c.Ports[i]
		doubtful := p.State == result.StateUnknown || p.State == result.StateOpen && p.Service != nil && p.Service.Inconclusive != ""
		if doubtful {
			unknown.Add(p.IP)
		}
	}
	return unknown
}

// upAndAsked returns the addresses that answered, and those that were probed. If
// the run does not list them, as one of an older version, all is false and the
// addresses are those of the reported ports.
func (b *htmlBuilder) upAndAsked() (up, asked netipx.IPSetBuilder, all bool) {
	for ports := range view.HostPorts(b.c.Ports) {
		asked.Add(ports[0].IP)
		if slices.ContainsFunc(ports, func(p result.Port) bool { return p.State == result.StateOpen || p.State == result.StateClosed }) {
			up.Add(ports[0].IP)
		}
	}
	c := &b.v.Sum.Coverage
	if b.v.Run.Scope.Asked == nil || c.Up == nil && c.HostsUp > 0 {
		return up, asked, false
	}
	for _, text := range b.v.Run.Scope.Asked {
		if r, ok := result.ParseRange(text); ok {
			asked.AddRange(r)
		}
	}
	for _, text := range c.Up {
		if r, ok := result.ParseRange(text); ok {
			up.AddRange(r)
		}
	}
	return up, asked, true
}

// newHTMLQuiet returns the addresses of a set, consecutive ones as a range.
func newHTMLQuiet(title string, set *netipx.IPSet, names map[netip.Addr]string) htmlQuiet {
	q := htmlQuiet{Title: title, Count: words.Grouped(result.AddressCount(set))}
	for _, r := range set.Ranges() {
		text := result.FormatRange(r)
		if name := names[r.From()]; name != "" && r.From() == r.To() {
			text = fmt.Sprintf("%s (%s)", text, name)
		}
		q.Hosts = append(q.Hosts, text)
	}
	return q
}

// vacantAddresses returns the number of vacant addresses.
func vacantAddresses(c *result.Coverage) uint64 {
	if c.CoverageCounts == nil {
		return 0
	}
	return min(c.Vacant, math.MaxInt64)
}

// silentTitle returns a title for the addresses that gave no answer, according to
// the counts: a run records how many are vacant, but not which.
func silentTitle(c *result.Coverage) string {
	switch {
	case vacantAddresses(c) == 0:
		return "Silent: nothing answered"
	case c.HostsSilent == 0:
		return "Vacant: nothing answered, while others did"
	}
	return "Silent or vacant: nothing answered"
}
