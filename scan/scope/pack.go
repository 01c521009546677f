package scope

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/mxsweep/mxsweep/result"
)

// A packer makes the ranges of long lists: it visits all entries by address, and keeps
// those that contain the current one.
type packer struct {
	allows ranges4
	u      *portUnion
	alone  []int32 // by list of ports: the number of its union, -1 if not known
	open   openEntries
	out    packedRanges
	pos    uint64 // the first address that is in no range yet
	next   int    // index into allows
}

// An entry4 is a range of addresses with a list of ports.
type entry4 struct {
	range4
	list int32
}

// pack makes the ranges of the IPv4 addresses that a scope with long lists sweeps,
// with the usual ports for entries that have none.
func pack(scope *Set, usual PortSet, u *portUnion) (packedRanges, error) {
	if !ownPorts(scope.swept) {
		p := packedRanges{addrs: scope.asked.v4, ports: [][]uint16{usual.Ports()}}
		if usual.Empty() {
			p.addrs = nil
		}
		p.number()
		return p, nil
	}
	p := &packer{allows: scope.allows.v4, u: u}
	sources := p.sources(scope.swept, usual)
	n := 0
	for _, s := range sources {
		n += s.n
	}
	p.out.addrs, p.out.ids = make([]range4, 0, n), make([]uint32, 0, n)
	for {
		first := p.earliest(sources)
		if first == nil {
			break
		}
		e := first.entry(first.i)
		first.i++
		follows := p.earliest(sources)
		if !p.take(e, follows == nil || follows.entry(follows.i).first > e.last) {
			return packedRanges{}, tooManyPorts(first.anchor(first.i - 1))
		}
	}
	if !p.closeUntil(1 << 32) {
		return packedRanges{}, tooManyPorts(sources[0].anchor(sources[0].n - 1))
	}
	p.out.ports = u.unions
	p.out.number()
	return p.out, nil
}

// ownPorts reports whether a target with IPv4 addresses has ports of its own.
func ownPorts(targets []Target) bool {
	for i := range targets {
		t := &targets[i]
		if t.Bulk == nil && !t.Ports.Empty() {
			return true
		}
		if t.Bulk != nil && slices.ContainsFunc(t.Bulk.form, func(f bulkForm) bool { return !f.ports.Empty() }) {
			return true
		}
	}
	return false
}

// A source is entries sorted by address.
type source struct {
	n, i   int // number of entries, and the next one
	entry  func(i int) entry4
	anchor func(i int) result.Anchor
}

// sources returns all entries of targets.
func (p *packer) sources(targets []Target, usual PortSet) []*source {
	list := func(set PortSet) int32 {
		if set.Empty() {
			set = usual
		}
		return p.u.list(set)
	}
	type short struct {
		entry4
		target *Target
	}
	var few []short
	var all []*source
	for i := range targets {
		t := &targets[i]
		if b := t.Bulk; b != nil {
			lists := make([]int32, len(b.form))
			for k := range b.form {
				lists[k] = list(b.form[k].ports)
			}
			all = append(all, &source{n: len(b.rows), anchor: b.anchor, entry: func(i int) entry4 { return entry4{b.rangeOf(i), lists[b.rows[i].form]} }})
		}
		for _, r := range t.Ranges {
			if r.From().Is4() {
				few = append(few, short{entry4{of4(r), list(t.Ports)}, t})
			}
		}
	}
	slices.SortStableFunc(few, func(a, b short) int { return cmp.Compare(a.first, b.first) })
	all = append(all, &source{n: len(few), anchor: func(i int) result.Anchor { return few[i].target.Anchor }, entry: func(i int) entry4 { return few[i].entry4 }})
	p.alone = slices.Repeat([]int32{-1}, len(p.u.lists))
	return slices.DeleteFunc(all, func(s *source) bool { return s.n == 0 })
}

// earliest returns the source whose next entry comes first, nil at the end.
func (p *packer) earliest(sources []*source) *source {
	var first *source
	for _, s := range sources {
		if s.i < s.n && (first == nil || s.entry(s.i).first < first.entry(first.i).first) {
			first = s
		}
	}
	return first
}

// take moves to the addresses of an entry; apart says that the next one begins after
// it. It reports false if combining the ports took too long.
func (p *packer) take(e entry4, apart bool) bool {
	if !p.closeUntil(uint64(e.first)) {
		return false
	}
	if apart && len(p.open) == 0 { // nearly always
		id := p.alone[e.list]
		if id < 0 {
			n, ok := p.u.number(p.u.hashes[e.list], func() []uint16 { return p.u.portsOf(p.u.lists[e.list]) })
			if !ok {
				return false
			}
			id = int32(n)
			p.alone[e.list] = id
		}
		p.emit(e.range4, int(id))
		p.pos = uint64(e.last) + 1
		return true
	}
	if p.pos < uint64(e.first) && len(p.open) > 0 && !p.cover(uint64(e.first)) {
		return false
	}
	p.pos = uint64(e.first)
	heap.Push(&p.open, e)
	p.u.open(e.list)
	return true
}

// closeUntil makes ranges up to the last of the open entries that end before an
// address.
func (p *packer) closeUntil(at uint64) bool {
	for len(p.open) > 0 && uint64(p.open[0].last) < at {
		if end := uint64(p.open[0].last) + 1; p.pos < end && !p.cover(end) {
			return false
		}
		p.u.close(heap.Pop(&p.open).(entry4).list)
	}
	return true
}

// cover makes a range of the addresses before end.
func (p *packer) cover(end uint64) bool {
	id, ok := p.u.current()
	if ok {
		p.emit(range4{uint32(p.pos), uint32(end - 1)}, id)
		p.pos = end
	}
	return ok
}

// emit appends the allowed part of a range.
func (p *packer) emit(r range4, id int) {
	if len(p.u.unions[id]) == 0 {
		return
	}
	for p.next < len(p.allows) && p.allows[p.next].last < r.first {
		p.next++
	}
	for i := p.next; i < len(p.allows) && p.allows[i].first <= r.last; i++ {
		part := range4{max(r.first, p.allows[i].first), min(r.last, p.allows[i].last)}
		n := len(p.out.addrs)
		if n > 0 && p.out.ids[n-1] == uint32(id) && uint64(p.out.addrs[n-1].last)+1 == uint64(part.first) {
			p.out.addrs[n-1].last = part.last
			continue
		}
		p.out.addrs, p.out.ids = append(p.out.addrs, part), append(p.out.ids, uint32(id))
	}
}

// openEntries is a heap of entries, the one that ends first on top.
type openEntries []entry4

func (h openEntries) Len() int           { return len(h) }
func (h openEntries) Less(i, j int) bool { return h[i].last < h[j].last }
func (h openEntries) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *openEntries) Push(v any)        { *h = append(*h, v.(entry4)) }

func (h *openEntries) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
