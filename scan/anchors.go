package scan

import (
	"container/heap"
	"net/netip"
	"slices"
	"sort"
)

// anchors tells which line of a file put an address into the run.
type anchors struct {
	starts []spot  // first address of each stretch, sorted
	lines  []int32 // the line of the stretch, index into list; -1 is none
	list   []*Target
}

// newAnchors indexes those of targets that stand in a file.
func newAnchors(lists [][]Target) anchors {
	x := anchors{}
	for _, list := range lists {
		for i := range list {
			if list[i].Anchor.Line > 0 {
				x.list = append(x.list, &list[i])
			}
		}
	}
	var open narrowest
	ended := map[[2]int32]bool{}
	es := edges(x.list)
	x.starts, x.lines = make([]spot, 0, len(es)), make([]int32, 0, len(es))
	for i, e := range es {
		if e.opens {
			r := x.list[e.target].Ranges[e.span]
			heap.Push(&open, cover{spotOf(r.To()).minus(spotOf(r.From())), e.target, e.span})
		} else {
			ended[[2]int32{e.target, e.span}] = true
		}
		if i+1 < len(es) && es[i+1].at == e.at {
			continue
		}
		for len(open) > 0 && ended[[2]int32{open[0].target, open[0].span}] {
			s := heap.Pop(&open).(cover)
			delete(ended, [2]int32{s.target, s.span})
		}
		line := int32(-1)
		if len(open) > 0 {
			line = open[0].target
		}
		x.starts = append(x.starts, e.at)
		x.lines = append(x.lines, line)
	}
	return x
}

// find returns the narrowest line that holds a; of two equal ones, the first.
func (x *anchors) find(a netip.Addr) (Anchor, bool) {
	s := spotOf(a)
	i := sort.Search(len(x.starts), func(i int) bool { return x.starts[i].compare(s) > 0 }) - 1
	if i < 0 || x.starts[i].v6 != s.v6 || x.lines[i] < 0 {
		return Anchor{}, false
	}
	return x.list[x.lines[i]].Anchor, true
}

// A cover is a range that holds the address under the sweep.
type cover struct {
	size         spot
	target, span int32
}

// narrowest is a heap of covers, the narrowest and earliest on top.
type narrowest []cover

func (h narrowest) Len() int { return len(h) }

func (h narrowest) Less(i, j int) bool {
	if c := h[i].size.compare(h[j].size); c != 0 {
		return c < 0
	}
	return h[i].target < h[j].target
}

func (h narrowest) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *narrowest) Push(v any) { *h = append(*h, v.(cover)) }

func (h *narrowest) Pop() any {
	last := (*h)[len(*h)-1]
	*h = slices.Delete(*h, len(*h)-1, len(*h))
	return last
}
