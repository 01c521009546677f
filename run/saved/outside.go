package saved

import (
	"math/bits"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/join"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// An Outside is what a saved scan saw of hosts from outside.
type Outside struct {
	File   string // as named by the user
	Record result.Run

	ports    map[netip.AddrPort]*result.Port
	lost     map[netip.Addr]bool // addresses of which the scan missed something
	active   map[netip.AddrPort]bool
	exposed  map[netip.AddrPort]result.Severity // of active findings that the port should not be open
	up       *netipx.IPSet
	asked    *netipx.IPSet
	swept    map[uint16]bool
	loss     float64
	complete bool // each port was probed on each address, and what is not recorded is not open
	silent   bool // each closed port is recorded: what is not recorded is filtered
}

// ReadOutside reads a saved scan, also one that was cut short. The error is a usage error
// for a file that is none, and for a run that contacted no host from outside.
func ReadOutside(file string, rules *exposure.RuleSet) (*Outside, error) {
	r, err := readWholeRun(file, rules)
	if err != nil {
		return nil, err
	}
	sockets := slices.ContainsFunc(r.ports, func(p *result.Port) bool { return p.Socket != nil })
	if view.OfFiles(&r.Record) || sockets || r.Record.Vantage == string(exposure.ClassHost) {
		return nil, fault.Usagef(`give a run of "mxsweep scan" from another machine`, "reading run %q: it does not show what can be reached from outside", file)
	}
	o := &Outside{File: file, Record: r.Record, ports: map[netip.AddrPort]*result.Port{}, lost: map[netip.Addr]bool{}, active: map[netip.AddrPort]bool{}, exposed: map[netip.AddrPort]result.Severity{}, swept: map[uint16]bool{}}
	for _, p := range r.ports {
		o.ports[pairOf(p)] = p
	}
	for i := range r.notices {
		if n := &r.notices[i]; slices.Contains(losses, n.Code) {
			if a, err := netip.ParseAddr(n.Target); err == nil {
				o.lost[a.Unmap().WithZone("")] = true
			}
		}
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Active() {
			o.addFinding(f, rules)
		}
	}
	o.up, o.asked = setOf(r.Summary.Coverage.Up), setOf(r.Record.Scope.Asked)
	if swept, err := scope.ParsePorts(r.Record.Scope.Ports, nil); err == nil {
		for _, p := range swept {
			o.swept[p] = true
		}
	}
	o.loss, o.complete = r.Summary.Coverage.Loss, o.shows(r)
	o.silent = o.complete && r.Summary.Coverage.Closed <= o.count(result.StateClosed)
	return o, nil
}

// addFinding adds an active finding, which may be of several addresses.
func (o *Outside) addFinding(f *result.Finding, rules *exposure.RuleSet) {
	for _, ip := range append([]netip.Addr{f.IP}, f.Addresses...) {
		at := netip.AddrPortFrom(ip.Unmap().WithZone(""), f.Port)
		o.active[at] = true
		if r := rules.Lookup(f.Rule); r != nil && r.Kind == exposure.KindListener {
			o.exposed[at] = max(o.exposed[at], f.Severity)
		}
	}
}

// losses are the notices about an address of which a scan missed something, or which it
// reached without a network.
var losses = []string{exposure.NoticeBlocked, exposure.NoticeHostTimeout, exposure.NoticeUnresponsiveHost, exposure.NoticeWildcard, exposure.NoticeSilent, exposure.NoticeOwnAddress}

// setOf returns the set of addresses and ranges as reports list them.
func setOf(list []string) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, text := range list {
		if r, ok := result.ParseRange(text); ok {
			b.AddRange(r)
		}
	}
	set, err := b.IPSet()
	if err != nil {
		return new(netipx.IPSet) // of no address: then nothing is known
	}
	return set
}

// usualAttempts is how often a scan at least probes a silent port, unless it is told
// otherwise.
const usualAttempts = 2

// shows reports whether a run probed each of its ports on each of its addresses, and has a
// record for each pair that is open or not known.
func (o *Outside) shows(r *RunFile) bool {
	c := &r.Summary.Coverage
	n := c.CoverageCounts
	if !r.Summary.Complete || r.cut != "" || r.Record.Shard != "" || n == nil || n.VacantPairs == nil || n.Accepted == nil || !drift.SilenceShows(c.Loss, usualAttempts) {
		return false
	}
	unknown, unassessed := uint64(0), uint64(0)
	for _, p := range o.ports {
		switch {
		case p.State == result.StateOpen && (p.Service == nil || view.Inconclusive(p.Service) != ""):
			unassessed++
		case p.State != result.StateOpen && p.State != result.StateClosed && p.State != result.StateFiltered:
			unknown++
		}
	}
	high, pairs := bits.Mul64(result.AddressCount(o.asked), uint64(len(o.swept)))
	return high == 0 && pairs == c.Planned+*n.VacantPairs+*n.Accepted && n.Unknown <= unknown+unassessed
}

// Has reports whether the scan probed an address.
func (o *Outside) Has(a netip.Addr) bool {
	if a = a.Unmap().WithZone(""); o.asked.Contains(a) {
		return true
	}
	for at := range o.ports {
		if at.Addr() == a {
			return true
		}
	}
	return false
}

// Up returns addresses that were up, at most a number of them.
func (o *Outside) Up(most int) []netip.Addr {
	var list []netip.Addr
	for _, r := range o.up.Ranges() {
		for a := r.From(); r.Contains(a) && len(list) < most; a = a.Next() {
			list = append(list, a)
		}
	}
	return list
}

// States returns the states of the ports of an address for which the scan has a record. It
// is empty if the scan reached the address without a network.
func (o *Outside) States(a netip.Addr) map[uint16]result.State {
	states := map[uint16]result.State{}
	a = a.Unmap().WithZone("")
	for at, p := range o.ports {
		if at.Addr() != a {
			continue
		}
		state := p.State
		silent := state == result.StateFiltered && (!o.up.Contains(a) || !drift.SilenceShows(o.loss, p.Attempts))
		if silent || p.Reachability == result.ReachabilityAssumed || o.lost[a] && state != result.StateOpen {
			state = result.StateUnknown
		}
		states[at.Port()] = state
	}
	return states
}

// count returns how many ports with a state are recorded.
func (o *Outside) count(s result.State) (n uint64) {
	for _, p := range o.ports {
		if p.State == s {
			n++
		}
	}
	return n
}

// Unlisted returns what the scan showed of a port without a record: that it is filtered, that
// it is not open, or nothing (""). Only a scan with --all-ports records the closed ports, so
// where one was closed, any port without a record may be it.
func (o *Outside) Unlisted(a netip.Addr, port uint16) result.State {
	a = a.Unmap().WithZone("")
	switch {
	case !o.complete || !o.swept[port] || !o.asked.Contains(a) || !o.up.Contains(a) || o.lost[a]:
		return ""
	case o.silent:
		return result.StateFiltered
	}
	return join.NotOpen
}

// Port returns the record of a port; nil if there is none.
func (o *Outside) Port(at netip.AddrPort) *result.Port { return o.ports[at] }

// Probed reports whether a port is one of those that the scan was to probe.
func (o *Outside) Probed(port uint16) bool { return o.swept[port] }

// Exposed returns the highest severity of the scan's active findings that a port should not be
// open; 0 if it has none.
func (o *Outside) Exposed(at netip.AddrPort) result.Severity { return o.exposed[at] }

// Reported reports whether the scan has an active finding of a port.
func (o *Outside) Reported(at netip.AddrPort) bool { return o.active[at] }
