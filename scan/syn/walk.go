package syn

import "math/bits"

// A walk visits the numbers below n in a pseudo-random order, each exactly once. It
// counts through the smallest power of two that is not below n and scatters the count
// by reversible steps (a multiplication by an odd number, an exclusive or of the upper
// half into the lower one), so that no two counts collide; results not below n are
// skipped.
//
// scope.Order does the same and can be computed for any place, but takes ten times as
// long: at three million SYNs per second, a walk takes a third of that time.
type walk struct {
	n     uint64
	mask  uint64
	shift uint
	add   uint64
	mul   [3]uint64
}

// chunk is how many counts of a walk a transmitter takes at a time.
const chunk = 1024

// newWalk returns the walk over the numbers below n for a seed.
func newWalk(n, seed uint64) walk {
	width := uint(2)
	if n > 4 {
		width = uint(bits.Len64(n - 1))
	}
	w := walk{n: n, mask: 1<<width - 1, shift: (width + 1) / 2}
	next := func() uint64 { // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)
		seed += 0x9e3779b97f4a7c15
		x := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return x ^ x>>31
	}
	w.add = next()
	for i := range w.mul {
		w.mul[i] = next() | 1
	}
	return w
}

// length is how many counts there are: at least n, less than 2n+4.
func (w *walk) length() uint64 { return w.mask + 1 }

// fill writes the numbers of the counts in [from, to), in order, to dst, which must
// have room for all, and returns how many there are. A walk never has 2^64 counts: a
// Space cannot be that large.
func (w *walk) fill(dst []uint64, from, to uint64) int {
	mask, shift, n := w.mask, w.shift, w.n
	m0, m1, m2, add := w.mul[0], w.mul[1], w.mul[2], w.add
	k := 0
	dst = dst[:to-from]
	for c := from; c < to; c++ {
		x := (c + add) * m0 & mask
		x ^= x >> shift
		x = x * m1 & mask
		x ^= x >> shift
		x = x * m2 & mask
		x ^= x >> shift
		// Written always and kept if it counts, so that there is no branch to be
		// mispredicted at every other number.
		dst[k] = x
		_, below := bits.Sub64(x, n, 0)
		k += int(below)
	}
	return k
}

// A dueHeap has the counts of a walk at which controls of hosts are due, the next one
// on top.
type dueHeap []due

type due struct {
	count uint64
	id    uint32
}

func (q dueHeap) Len() int           { return len(q) }
func (q dueHeap) Less(i, j int) bool { return q[i].count < q[j].count }
func (q dueHeap) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push implements [heap.Interface].
func (q *dueHeap) Push(x any) { *q = append(*q, x.(due)) }

// Pop implements [heap.Interface].
func (q *dueHeap) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
