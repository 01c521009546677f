package scan

import (
	"net/netip"
	"time"
)

// How many hosts and nets without a pair under way are kept for the estimates from
// their answers.
const (
	maxHosts = 1 << 14
	maxNets  = 1 << 13
	maxKept  = 1 << 20 // that are up, in addition
)

// A host is an address with pairs under way, or one that had some recently. The fields
// that each pair needs come first: a sweep visits its hosts in random order, and each
// cache line costs as much as all other work on a pair.
type host struct {
	addr  netip.Addr
	up    *upHost // nil if the host sent nothing
	pairs int32   // pairs under way: awaiting an answer or their turn
	asked int32   // of those, pairs awaiting an answer

	counted, countedExtra int32 // of those, the ones that count in each way
	silentFirst, opened   int32 // pairs that were silent at first, fewer after a loss; pairs found open

	// Pairs that await their turn, linked through probe.next.
	head, tail int32

	queued        bool // in the list of hosts with a pair that may be probed
	furtherQueued bool // in that of a further try
	laterQueued   bool // and in that of one in the second round
	listed        bool // in the list of hosts that may be forgotten
	timed         bool // its time has begun
	over          bool // its time is over, and its pairs under way are being ended
	second        bool // its second round has begun

	net *subnet
	est estimate

	probes      int           // sent so far
	first, last time.Duration // when the first and the last of them were sent

	unproven []unsettled // silent pairs while the host is not known to be up
	waiting  []unsettled // silent pairs whose further tries wait for the second round
	waived   int         // the first ones of these have no further try, unless a loss shows
	guarded  []*subnet   // nets whose second round begins when this host answers
}

// depart counts a probe that is sent to h.
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

// A subnet is the addresses with the same first 24 bits, or 64 with IPv6.
type subnet struct {
	est   estimate
	hosts int // hosts kept

	up      netip.Addr    // the latest host that answered
	proof   time.Duration // when the latest probe was sent that proved silence on a host that is up
	asked   time.Duration // when the latest first probe of a host was sent that was not known to be up
	path    path          // when the path to it was known to work
	guard   *host         // the host whose answer they wait for; nil for none
	waiters []*host       // hosts that wait for it
}

// A directory finds hosts by address, with bounded memory.
type directory struct {
	hosts map[netip.Addr]*host
	nets  map[netip.Addr]*subnet
	idle  []*host // hosts that have no pair under way, the oldest first

	kept   map[netip.Addr]memory // hosts that are up, but no longer in hosts
	forgot bool                  // more hosts than the maximum were up
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
		key = a // impossible: the prefix length fits every address
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

// forgetNet removes one subnet without any kept host, if there is one among a few
// taken at random.
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

// setIdle records that a host has no pair under way.
func (d *directory) setIdle(h *host) {
	if !h.listed {
		h.listed = true
		d.idle = append(d.idle, h)
	}
}

// trim removes the host that has been idle longest, if there are too many.
func (d *directory) trim() {
	for tries := 0; len(d.hosts) > maxHosts && len(d.idle) > 0 && tries < 8; tries++ {
		h := d.idle[0]
		d.idle = d.idle[1:]
		h.listed = false
		if h.pinned() {
			continue // it will be idle again later
		}
		if h.up != nil {
			d.keep(h.addr, h.up.memory)
		}
		h.net.hosts--
		delete(d.hosts, h.addr)
	}
}

// keep stores a host that is up, if there are not too many.
func (d *directory) keep(a netip.Addr, m memory) {
	if len(d.kept) >= maxKept {
		d.forgot = true
		return
	}
	d.kept[a] = m
}

// host restores the host from its memory.
func (m memory) host() *upHost {
	u := &upHost{memory: m}
	if m.gone {
		u.phase = blocked
	}
	return u
}
