package scope

import (
	"container/heap"
	"math"
	"net/netip"
	"slices"
	"sort"

	"github.com/mxsweep/mxsweep/result"
)

// anchors finds the line of a file that added an address to the run.
type anchors struct {
	starts []ipNum // first address of each range, sorted
	lines  []int32 // the line of the range, index into list; -1 is none
	list   []*Target
	bulks  []bulkOf
	first  int // how many of list are of the first list of targets
}

// A bulkOf is a long list within a list of targets.
type bulkOf struct {
	*Bulk
	list int
}

// newAnchors indexes the targets that come from a file.
func newAnchors(lists [][]Target) anchors {
	x := anchors{}
	x.first = math.MaxInt
	for n, list := range lists {
		if n == 1 {
			x.first = len(x.list)
		}
		for i := range list {
			if list[i].Bulk != nil {
				x.bulks = append(x.bulks, bulkOf{list[i].Bulk, n})
			}
			if list[i].Anchor.Line > 0 {
				x.list = append(x.list, &list[i])
			}
		}
	}
	var open narrowest
	ended := map[[2]int32]bool{}
	es := edges(x.list, false)
	x.starts, x.lines = make([]ipNum, 0, len(es)), make([]int32, 0, len(es))
	for i, e := range es {
		if e.opens {
			r := x.list[e.target].Ranges[e.nth]
			heap.Push(&open, cover{ipNumOf(r.To()).minus(ipNumOf(r.From())), e.target, e.nth})
		} else {
			ended[[2]int32{e.target, e.nth}] = true
		}
		if i+1 < len(es) && es[i+1].at == e.at {
			continue
		}
		for len(open) > 0 && ended[[2]int32{open[0].target, open[0].nth}] {
			s := heap.Pop(&open).(cover)
			delete(ended, [2]int32{s.target, s.nth})
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

// find returns the narrowest line that contains a; of two equal ones, the first.
func (x *anchors) find(a netip.Addr) (result.Anchor, bool) {
	line := x.among(a)
	if !a.Is4() || len(x.bulks) == 0 {
		if line < 0 {
			return result.Anchor{}, false
		}
		return x.list[line].Anchor, true
	}
	var best result.Anchor
	size, list, found := uint32(0), 0, line >= 0
	if found {
		t := x.list[line]
		best, size = t.Anchor, narrowestOf(t, a)
		if int(line) >= x.first {
			list = 1
		}
	}
	for _, b := range x.bulks {
		i, ok := b.narrowest(number4(a))
		if !ok {
			continue
		}
		r, at := b.rangeOf(i), b.anchor(i)
		before := b.list < list || b.list == list && at.File == best.File && at.Line < best.Line
		if n := r.last - r.first; !found || n < size || n == size && before {
			best, size, list, found = at, n, b.list, true
		}
	}
	return best, found
}

// narrowestOf is the size minus one of the narrowest IPv4 range of a target that
// contains a.
func narrowestOf(t *Target, a netip.Addr) uint32 {
	size := ^uint32(0)
	for _, r := range t.Ranges {
		if r.Contains(a) {
			n := of4(r)
			size = min(size, n.last-n.first)
		}
	}
	return size
}

// among returns the index in list of the narrowest line that contains a; -1 if there
// is none.
func (x *anchors) among(a netip.Addr) int32 {
	s := ipNumOf(a)
	i := sort.Search(len(x.starts), func(i int) bool { return x.starts[i].compare(s) > 0 }) - 1
	if i < 0 || x.starts[i].v6 != s.v6 || x.lines[i] < 0 {
		return -1
	}
	return x.lines[i]
}

// A cover is a range that contains the current address of the sweep over the ranges.
type cover struct {
	size        ipNum
	target, nth int32
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
