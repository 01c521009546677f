package scope

import (
	"cmp"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/result"
)

// A targetRange is a range of addresses for which targets have the same ports.
type targetRange struct {
	addrs netipx.IPRange
	ports []uint16
	id    int // of the ports
}

// targetRangesOf sorts the addresses of targets without a zone by their ports, the
// usual ports for targets that have none; u combines them. The ranges are sorted and
// disjoint. IPv4 addresses can be omitted.
func targetRangesOf(targets []Target, ports PortSet, u *portUnion, without4 bool) ([]targetRange, error) {
	list := make([]*Target, 0, len(targets))
	for i := range targets {
		if t := &targets[i]; t.Zone == "" && t.Bulk == nil {
			list = append(list, t)
		}
	}
	usual := u.list(ports)
	ids := make([]int32, len(list))
	for i, t := range list {
		if ids[i] = usual; !t.Ports.Empty() {
			ids[i] = u.list(t.Ports)
		}
	}
	es := edges(list, without4)
	out := make([]targetRange, 0, len(es)/2)
	for i, e := range es {
		if id := ids[e.target]; e.opens {
			u.open(id)
		} else {
			u.close(id)
		}
		if i+1 == len(es) || es[i+1].at == e.at || len(u.opened) == 0 {
			continue
		}
		id, ok := u.current()
		if !ok {
			return nil, tooManyPorts(list[e.target].Anchor)
		}
		if len(u.unions[id]) == 0 {
			continue
		}
		last := es[i+1].at.minus(ipNum{v6: e.at.v6, lo: 1}).addr()
		if n := len(out); n > 0 && out[n-1].id == id && touches(out[n-1].addrs.To(), e.at.addr()) {
			out[n-1].addrs = netipx.IPRangeFrom(out[n-1].addrs.From(), last)
			continue
		}
		out = append(out, targetRange{netipx.IPRangeFrom(e.at.addr(), last), u.unions[id], id})
	}
	return out, nil
}

// tooManyPorts refuses targets whose ports take too much time or memory to combine:
// those up to the one at a position.
func tooManyPorts(at result.Anchor) *InputError {
	e := &InputError{Text: at.Text,
		Problem: "the targets overlap and have too many different ports",
		Hint:    "give the ports with --ports, and add ports only to targets that do not overlap"}
	locate(e, at)
	return e
}

// lastV6 is the last IPv6 address before the multicast ones.
var lastV6 = ipNumOf(netip.MustParseAddr("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))

// An edge is where one range of a target starts or, if !opens, the first address after
// its end.
type edge struct {
	at     ipNum
	target int32 // index in the list of targets
	nth    int32 // index in the target's Ranges
	opens  bool
}

// edges returns the edges of all ranges of targets, in order. Multicast IPv6 is cut
// off, so that there always is an address after a range. IPv4 can be omitted.
func edges(targets []*Target, without4 bool) []edge {
	n := 0
	for _, t := range targets {
		n += 2 * len(t.Ranges)
	}
	out := make([]edge, 0, n)
	for i, t := range targets {
		for j, r := range t.Ranges {
			from, to := ipNumOf(r.From()), ipNumOf(r.To())
			if to.v6 && to.compare(lastV6) > 0 {
				to = lastV6
			}
			if from.compare(to) > 0 || without4 && !from.v6 {
				continue
			}
			out = append(out, edge{from, int32(i), int32(j), true}, edge{to.plus(1), int32(i), int32(j), false})
		}
	}
	if !slices.IsSortedFunc(out, compareEdges) {
		slices.SortFunc(out, compareEdges)
	}
	return out
}

// compareEdges orders edges by address, then by target and range.
func compareEdges(a, b edge) int {
	if c := cmp.Or(a.at.compare(b.at), cmp.Compare(a.target, b.target), cmp.Compare(a.nth, b.nth)); c != 0 || a.opens == b.opens {
		return c
	}
	if a.opens {
		return -1
	}
	return 1
}
