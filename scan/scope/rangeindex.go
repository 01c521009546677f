package scope

import (
	"iter"
	"sort"
)

// A rangeIndex is the ranges of a Space, by address: first those of long lists in a
// few bytes each, then all others.
type rangeIndex struct {
	packed packedRanges
	few    []addrRange
}

// packedRanges are ranges of IPv4 addresses.
type packedRanges struct {
	addrs  []range4
	ids    []uint32 // of the ports; nil: all 0
	ports  [][]uint16
	starts []uint64 // start of every packStep-th range
	total  uint64   // pairs

	known map[*uint16]uint32 // port lists by their first port, for ranges that are added one by one
}

// push appends a range, and returns how many pairs it has.
func (p *packedRanges) push(r range4, ports []uint16) uint64 {
	id, ok := p.known[&ports[0]]
	if !ok || !samePorts(p.ports[id], ports) { // parts of a list begin alike
		id = uint32(len(p.ports))
		p.ports = append(p.ports, ports)
		p.known[&ports[0]] = id
	}
	if len(p.addrs)%packStep == 0 {
		p.starts = append(p.starts, p.total)
	}
	p.addrs, p.ids = append(p.addrs, r), append(p.ids, id)
	n := p.pairs(len(p.addrs) - 1)
	p.total += n
	return n
}

// packStep is how many ranges share a start.
const packStep = 64

// portsOf returns the ports of range k.
func (p *packedRanges) portsOf(k int) []uint16 {
	if p.ids == nil {
		return p.ports[0]
	}
	return p.ports[p.ids[k]]
}

// pairs returns how many pairs range k has.
func (p *packedRanges) pairs(k int) uint64 {
	r := p.addrs[k]
	return (uint64(r.last) - uint64(r.first) + 1) * uint64(len(p.portsOf(k)))
}

// number numbers the pairs once all ranges are there.
func (p *packedRanges) number() {
	p.starts = make([]uint64, 0, len(p.addrs)/packStep+1)
	for k := range p.addrs {
		if k%packStep == 0 {
			p.starts = append(p.starts, p.total)
		}
		p.total += p.pairs(k)
	}
}

// at returns range k with its start.
func (p *packedRanges) at(k int, start uint64) addrRange {
	r := p.addrs[k]
	return addrRange{first: ipNum{lo: uint64(r.first)}, hosts: uint64(r.last) - uint64(r.first) + 1, ports: p.portsOf(k), start: start}
}

// len returns how many ranges there are.
func (l *rangeIndex) len() int { return len(l.packed.addrs) + len(l.few) }

// at returns range k.
func (l *rangeIndex) at(k int) addrRange {
	p := &l.packed
	if k >= len(p.addrs) {
		return l.few[k-len(p.addrs)]
	}
	start := p.starts[k/packStep]
	for i := k / packStep * packStep; i < k; i++ {
		start += p.pairs(i)
	}
	return p.at(k, start)
}

// firstOf returns the first address of range k.
func (l *rangeIndex) firstOf(k int) ipNum {
	if n := len(l.packed.addrs); k >= n {
		return l.few[k-n].first
	}
	return ipNum{lo: uint64(l.packed.addrs[k].first)}
}

// behind returns the first range that begins after an address.
func (l *rangeIndex) behind(at ipNum) int {
	return sort.Search(l.len(), func(k int) bool { return l.firstOf(k).compare(at) > 0 })
}

// holding returns the range with pair i of the whole.
func (l *rangeIndex) holding(i uint64) addrRange {
	p := &l.packed
	if i >= p.total {
		return l.few[sort.Search(len(l.few), func(k int) bool { return l.few[k].start > i })-1]
	}
	block := sort.Search(len(p.starts), func(b int) bool { return p.starts[b] > i }) - 1
	start := p.starts[block]
	for k := block * packStep; ; k++ {
		n := p.pairs(k)
		if i < start+n {
			return p.at(k, start)
		}
		start += n
	}
}

// all yields the ranges with their indexes.
func (l *rangeIndex) all() iter.Seq2[int, addrRange] {
	return func(yield func(int, addrRange) bool) {
		var start uint64
		n := len(l.packed.addrs)
		for k := range n {
			if !yield(k, l.packed.at(k, start)) {
				return
			}
			start += l.packed.pairs(k)
		}
		for k, sp := range l.few {
			if !yield(n+k, sp) {
				return
			}
		}
	}
}
