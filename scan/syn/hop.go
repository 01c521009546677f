package syn

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A hop is the next step to a set of addresses: the interface, the source address, and
// the hardware address of the next device.
type hop struct {
	out      int // index of the interface in the Scanner
	template *rawnet.Template
	source   netip.Addr
	source4  uint32 // the same, for the cookie
	source6  [16]byte

	// onLink is whether there is no router in between: each address then has a hardware
	// address of its own, if any host has it.
	onLink bool
	macs   map[netip.Addr][6]byte

	// err is why the addresses cannot be probed; reason is its code.
	err    error
	reason result.Reason
}

// newHop returns a hop from an address.
func newHop(source netip.Addr, onLink bool) *hop {
	h := &hop{source: source, onLink: onLink}
	if source.Is4() {
		h.source4 = be4(source)
	} else {
		h.source6 = source.As16()
	}
	return h
}

// cut splits r at the given starts: where one of the prefixes begins or ends, so that
// no part is only partly inside of a prefix.
func cut(r netipx.IPRange, starts []netip.Addr) []netipx.IPRange {
	var out []netipx.IPRange
	from := r.From()
	for i := behind(starts, from); i < len(starts) && starts[i].Compare(r.To()) <= 0; i++ {
		out = append(out, netipx.IPRangeFrom(from, starts[i].Prev()))
		from = starts[i]
	}
	return append(out, netipx.IPRangeFrom(from, r.To()))
}

// startsOf returns the first addresses of prefixes of one family, and those after
// their last, sorted.
func startsOf(prefixes []netip.Prefix) []netip.Addr {
	var starts []netip.Addr
	for _, p := range prefixes {
		whole := netipx.RangeOfPrefix(p)
		for _, a := range []netip.Addr{whole.From(), whole.To().Next()} {
			if a.IsValid() && a.Is4() == p.Addr().Is4() {
				starts = append(starts, a)
			}
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	return slices.Compact(starts)
}

// behind returns the index of the first of sorted addresses that is after a.
func behind(sorted []netip.Addr, a netip.Addr) int {
	i, found := slices.BinarySearchFunc(sorted, a, netip.Addr.Compare)
	if found {
		i++
	}
	return i
}

// A viewer builds a view, range by range, from all the ranges of a Space.
type viewer struct {
	view
	ahead uint64 // pairs of the first range that are before a shard
	next  uint64
}

func newViewer(space *scope.Space) *viewer {
	v := &viewer{view: view{count: space.Len()}}
	for r, ports := range space.Ranges() {
		at := space.At(0)
		first := newAddrRange(0, r, ports, nil)
		v.ahead = first.offset(at.Addr())*uint64(len(ports)) + uint64(search(ports, at.Port()))
		break
	}
	return v
}

// add adds the next part of a range. It calls find only if the part is in the shard.
func (v *viewer) add(r netipx.IPRange, ports []uint16, find func() (*hop, error)) error {
	p := newAddrRange(v.next-v.ahead, r, ports, nil)
	pairs := p.pairs()
	if pairs <= v.ahead {
		v.ahead -= pairs
		return nil
	}
	if v.next >= v.count {
		return nil
	}
	v.next += pairs - v.ahead
	v.ahead = 0
	h, err := find()
	if err != nil {
		return err
	}
	p.hop = h
	v.ranges = append(v.ranges, p)
	return nil
}
