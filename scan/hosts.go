package scan

import (
	"net/netip"
	"time"
)

// How many hosts and nets without a pair under way are remembered for what
// their answers said.
const (
	maxHosts = 1 << 14
	maxNets  = 1 << 13
	maxKept  = 1 << 20 // that are up, beside those
)

// A host is an address with pairs under way, or one that had some lately. What
// each pair asks for stands in front: a sweep goes through its hosts in a random
// order, and each line of memory costs as much as the rest of its work on a pair.
type host struct {
	addr  netip.Addr
	up    *upHost // nil if nothing was heard of the host
	pairs int32   // pairs under way: awaiting an answer or their turn
	asked int32   // of those, awaiting an answer

	// Pairs that await their turn, linked through probe.next.
	head, tail int32

	queued bool // in the list of hosts with a pair whose turn has come
	listed bool // in the list of hosts that may be forgotten
	timed  bool // its time has begun
	over   bool // its time is over, and what is under way is being ended
	second bool // the second round has begun for the host

	net *subnet
	est estimate

	probes      int           // sent so far
	first, last time.Duration // when the first and the last of them left

	unproven []unsettled // silent pairs of a host of which nothing was heard
	waiting  []unsettled // and those whose further tries wait for the second round
	guarded  []*subnet   // for which that begins when the host answers
}

// depart counts a probe that leaves for h.
func (h *host) depart(p *probe) {
	if h.probes == 0 {
		h.first = p.sent
	}
	h.probes++
	h.asked++
	h.last = p.sent
	if h.up != nil && h.up.gap > 0 {
		h.up.next = p.sent + h.up.gap
	}
}

// A subnet is the neighbourhood of a host: addresses with the same first 24
// bits, or 64 with IPv6.
type subnet struct {
	est   estimate
	hosts int // hosts remembered

	up      netip.Addr    // the latest host that answered
	proof   time.Duration // when the latest probe left that proved silence on a host that is up
	asked   time.Duration // when the latest probe left of those whose pairs wait for the second round
	guard   *host         // for whose answer they wait; nil for none
	waiters []*host       // that wait for it
}

// A directory finds hosts by address, in bounded memory.
type directory struct {
	hosts map[netip.Addr]*host
	nets  map[netip.Addr]*subnet
	idle  []*host // hosts that had no pair under way, the oldest first

	kept   map[netip.Addr]memory // hosts that are up, and are no longer in hosts
	forgot bool                  // there were more of them than are kept
}

func newDirectory() directory {
	return directory{hosts: map[netip.Addr]*host{}, nets: map[netip.Addr]*subnet{}, kept: map[netip.Addr]memory{}}
}

// find returns the host with address a.
func (d *directory) find(a netip.Addr) *host {
	h := d.hosts[a]
	if h == nil {
		n := d.net(a)
		n.hosts++
		h = &host{addr: a, net: n, head: none, tail: none}
		if m, ok := d.kept[a]; ok {
			h.up = m.host()
			delete(d.kept, a)
		}
		d.hosts[a] = h
		d.trim()
	}
	return h
}

// net returns the subnet of address a.
func (d *directory) net(a netip.Addr) *subnet {
	bits := 24
	if a.Is6() {
		bits = 64
	}
	prefix, err := a.Prefix(bits)
	key := prefix.Addr()
	if err != nil {
		key = a // cannot be: every address has as many bits
	}
	n := d.nets[key]
	if n == nil {
		if len(d.nets) >= maxNets {
			d.forgetNet()
		}
		n = &subnet{}
		d.nets[key] = n
	}
	return n
}

// forgetNet forgets one subnet of which no host is remembered, if there is
// one among a few taken at random.
func (d *directory) forgetNet() {
	looks := 0
	for key, n := range d.nets {
		if n.hosts == 0 {
			delete(d.nets, key)
			return
		}
		if looks++; looks == 16 {
			return
		}
	}
}

// rest says that a host has no pair under way for now.
func (d *directory) rest(h *host) {
	if !h.listed {
		h.listed = true
		d.idle = append(d.idle, h)
	}
}

// trim forgets the host that has rested longest, if there are too many.
func (d *directory) trim() {
	for tries := 0; len(d.hosts) > maxHosts && len(d.idle) > 0 && tries < 8; tries++ {
		h := d.idle[0]
		d.idle = d.idle[1:]
		h.listed = false
		if h.pinned() {
			continue // it will rest again
		}
		if h.up != nil {
			d.keep(h.addr, h.up.memory)
		}
		h.net.hosts--
		delete(d.hosts, h.addr)
	}
}

// keep remembers a host that is up, if there are not too many.
func (d *directory) keep(a netip.Addr, m memory) {
	if len(d.kept) >= maxKept {
		d.forgot = true
		return
	}
	d.kept[a] = m
}

// host returns the host that a memory is of.
func (m memory) host() *upHost {
	u := &upHost{memory: m}
	if m.gone {
		u.phase = blocked
	}
	return u
}
