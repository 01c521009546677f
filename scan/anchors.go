package scan

import (
	"container/heap"
	"net/netip"
	"slices"
	"sort"
)

// anchors tells which line of a file put an address into the run.
type anchors struct {
	starts []spot // first address of each stretch, sorted
	lines  []int  // the line of the stretch, index into list; -1 is none
	list   []Target
}

// newAnchors indexes those of targets that stand in a file.
func newAnchors(targets []Target) anchors {
	x := anchors{}
	for _, t := range targets {
		if t.Anchor.Line > 0 {
			x.list = append(x.list, t)
		}
	}
	var open narrowest
	ended := map[[2]int]bool{}
	es := edges(x.list)
	for i, e := range es {
		if e.opens {
			r := x.list[e.target].Ranges[e.span]
			heap.Push(&open, stretch{spotOf(r.To()).minus(spotOf(r.From())), e.target, e.span})
		} else {
			ended[[2]int{e.target, e.span}] = true
		}
		if i+1 < len(es) && es[i+1].at == e.at {
			continue
		}
		for len(open) > 0 && ended[[2]int{open[0].target, open[0].span}] {
			s := heap.Pop(&open).(stretch)
			delete(ended, [2]int{s.target, s.span})
		}
		line := -1
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

// A stretch is a range that holds the address under the sweep.
type stretch struct {
	size         spot
	target, span int
}

// narrowest is a heap of stretches, the narrowest and earliest on top.
type narrowest []stretch

func (h narrowest) Len() int { return len(h) }

func (h narrowest) Less(i, j int) bool {
	if c := h[i].size.compare(h[j].size); c != 0 {
		return c < 0
	}
	return h[i].target < h[j].target
}

func (h narrowest) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *narrowest) Push(v any) { *h = append(*h, v.(stretch)) }

func (h *narrowest) Pop() any {
	last := (*h)[len(*h)-1]
	*h = slices.Delete(*h, len(*h)-1, len(*h))
	return last
}
