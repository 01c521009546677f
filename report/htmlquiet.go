package report

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
	"go4.org/netipx"
)

// An htmlQuiet is hosts of which the same is to be said: that they are clean,
// or silent.
type htmlQuiet struct {
	Title string
	Count string   // of the addresses
	Hosts []string // addresses and ranges, with the name if the run tells it
}

// quietHosts lists the hosts that were asked and have no finding: those that
// answered, those of them of which a port is unknown, and those that did not
// answer. It reports whether the run does not tell all of them.
func (b *htmlBuilder) quietHosts() ([]htmlQuiet, bool) {
	up, asked, all := b.upAndAsked()
	for i := range b.c.findings {
		if f := &b.c.findings[i]; f.Drift != result.DriftFixed { // also one that somebody accepts
			for _, ip := range append([]string{f.IP}, f.Addresses...) {
				if r, ok := ParseRange(ip); ok {
					up.RemoveRange(r)
					asked.RemoveRange(r)
				}
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
	for i := range b.c.ports {
		if p := &b.c.ports[i]; p.Host != "" {
			names[p.Address()] = p.Host
		}
	}
	cleanTitle, title := "Clean: answered, and has no finding", silentTitle(&b.v.sum.Coverage)
	if !b.v.sum.Complete {
		cleanTitle = "Answered, and has no finding on the ports that were asked before the run ended"
	}
	if c := &b.v.sum.Coverage; all && !b.v.sum.Complete || AddressCount(silent) > uint64(max(c.HostsSilent, 0))+vacantAddresses(c) {
		title = "Silent, or not asked in this run"
	}
	list := []htmlQuiet{
		newHTMLQuiet(cleanTitle, clean, names),
		newHTMLQuiet("Answered, and has no finding; some of its ports are unknown", open, names),
		newHTMLQuiet(title, silent, names),
	}
	return slices.DeleteFunc(list, func(q htmlQuiet) bool { return len(q.Hosts) == 0 }), !all
}

// unknownHosts are the addresses with a port of which the run cannot say what
// answers, or whether anything does.
func (b *htmlBuilder) unknownHosts() (unknown netipx.IPSetBuilder) {
	for i := range b.c.ports {
		p := &b.c.ports[i]
		doubtful := p.State == result.StateUnknown || p.State == result.StateOpen && p.Service != nil && p.Service.Inconclusive != ""
		if r, ok := ParseRange(p.IP); ok && doubtful {
			unknown.AddRange(r)
		}
	}
	return unknown
}

// upAndAsked are the addresses that answered, and those that were asked. Where
// the run does not tell, as one of an older version, it reports false, and they
// are those of the ports that it tells.
func (b *htmlBuilder) upAndAsked() (up, asked netipx.IPSetBuilder, all bool) {
	for ports := range hostPorts(b.c.ports) {
		r, ok := ParseRange(ports[0].IP)
		if !ok {
			continue
		}
		asked.AddRange(r)
		if slices.ContainsFunc(ports, func(p result.Port) bool { return p.State == result.StateOpen || p.State == result.StateClosed }) {
			up.AddRange(r)
		}
	}
	c := &b.v.sum.Coverage
	if b.v.run.Scope.Asked == nil || c.Up == nil && c.HostsUp > 0 {
		return up, asked, false
	}
	for _, text := range b.v.run.Scope.Asked {
		if r, ok := ParseRange(text); ok {
			asked.AddRange(r)
		}
	}
	for _, text := range c.Up {
		if r, ok := ParseRange(text); ok {
			up.AddRange(r)
		}
	}
	return up, asked, true
}

// newHTMLQuiet lists the addresses of a set, neighbors as a range.
func newHTMLQuiet(title string, set *netipx.IPSet, names map[netip.Addr]string) htmlQuiet {
	q := htmlQuiet{Title: title, Count: Grouped(AddressCount(set))}
	for _, r := range set.Ranges() {
		text := FormatRange(r)
		if name := names[r.From()]; name != "" && r.From() == r.To() {
			text = fmt.Sprintf("%s (%s)", text, name)
		}
		q.Hosts = append(q.Hosts, text)
	}
	return q
}

// AddressCount is how many addresses a set has, at most what a uint64 holds.
func AddressCount(set *netipx.IPSet) uint64 {
	var n uint64
	for _, p := range set.Prefixes() {
		bits := p.Addr().BitLen() - p.Bits()
		if bits >= 63 || n > math.MaxUint64/2 {
			return math.MaxUint64
		}
		n += 1 << bits
	}
	return n
}

// vacantAddresses is how many addresses were vacant.
func vacantAddresses(c *result.Coverage) uint64 {
	if c.CoverageCounts == nil {
		return 0
	}
	return min(c.Vacant, math.MaxInt64)
}

// silentTitle says of what kind the addresses are that gave no answer, in the
// words of the counts: a run tells how many are vacant, and not which.
func silentTitle(c *result.Coverage) string {
	switch {
	case vacantAddresses(c) == 0:
		return "Silent: nothing answered"
	case c.HostsSilent == 0:
		return "Vacant: nothing answered, while others did"
	}
	return "Silent or vacant: nothing answered"
}

// ParseRange reads an address, or a range FROM-TO as [FormatRange] writes it,
// without its zone, and reports whether it is one.
func ParseRange(text string) (netipx.IPRange, bool) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	a, err := netip.ParseAddr(from)
	b, errTo := netip.ParseAddr(to)
	r := netipx.IPRangeFrom(a.WithZone(""), b.WithZone(""))
	return r, err == nil && errTo == nil && r.IsValid()
}

// FormatRange writes a range as FROM-TO, or ADDRESS if it is a single one.
func FormatRange(r netipx.IPRange) string {
	if r.From() == r.To() {
		return r.From().String()
	}
	return r.String()
}
