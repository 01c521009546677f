package scope

import (
	"iter"
	"sort"
)

// A spanList is the spans of a Space, by address: those of long lists in a few
// bytes each, and behind them all others.
type spanList struct {
	packed packedSpans
	few    []span
}

// packedSpans are spans of IPv4 addresses.
type packedSpans struct {
	addrs  []range4
	ids    []uint32 // of the ports; nil: all 0
	ports  [][]uint16
	starts []uint64 // of each packStep-th span
	total  uint64   // pairs

	known map[*uint16]uint32 // ports by the first of them, of what is made span by span
}

// push adds a span behind the others, and returns how many pairs it has.
func (p *packedSpans) push(r range4, ports []uint16) uint64 {
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

// packStep is how many spans share a start.
const packStep = 64

// portsOf are the ports of span k.
func (p *packedSpans) portsOf(k int) []uint16 {
	if p.ids == nil {
		return p.ports[0]
	}
	return p.ports[p.ids[k]]
}

// pairs is how many pairs span k has.
func (p *packedSpans) pairs(k int) uint64 {
	r := p.addrs[k]
	return (uint64(r.last) - uint64(r.first) + 1) * uint64(len(p.portsOf(k)))
}

// number counts the pairs once all spans are there.
func (p *packedSpans) number() {
	p.starts = make([]uint64, 0, len(p.addrs)/packStep+1)
	for k := range p.addrs {
		if k%packStep == 0 {
			p.starts = append(p.starts, p.total)
		}
		p.total += p.pairs(k)
	}
}

// at is span k with its start.
func (p *packedSpans) at(k int, start uint64) span {
	r := p.addrs[k]
	return span{first: spot{lo: uint64(r.first)}, hosts: uint64(r.last) - uint64(r.first) + 1, ports: p.portsOf(k), start: start}
}

// len is how many spans there are.
func (l *spanList) len() int { return len(l.packed.addrs) + len(l.few) }

// at is span k.
func (l *spanList) at(k int) span {
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

// firstOf is the first address of span k.
func (l *spanList) firstOf(k int) spot {
	if n := len(l.packed.addrs); k >= n {
		return l.few[k-n].first
	}
	return spot{lo: uint64(l.packed.addrs[k].first)}
}

// behind is the first span that begins behind an address.
func (l *spanList) behind(at spot) int {
	return sort.Search(l.len(), func(k int) bool { return l.firstOf(k).compare(at) > 0 })
}

// holding is the span of pair i of the whole.
func (l *spanList) holding(i uint64) span {
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

// all yields the spans with their places.
func (l *spanList) all() iter.Seq2[int, span] {
	return func(yield func(int, span) bool) {
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
