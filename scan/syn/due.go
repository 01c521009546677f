package syn

import (
	"container/heap"
	"math/bits"
)

// A dueHeap says at which counts of a walk the controls of hosts are due, the
// nearest first.
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

// plan has the next control of a host asked when as many silent pairs of it as
// its step says are asked behind a count of the walk. A walk scatters the pairs
// of a host evenly, so that their number need not be counted: it follows from
// the part of the walk. At the end of a pass there is a control anyhow. The
// caller holds the lock.
func (t *hostTable) plan(id uint32, silent, count, length uint64) {
	h := &t.all[id]
	if silent <= uint64(h.step) {
		return
	}
	hi, lo := bits.Mul64(length, uint64(h.step))
	if hi >= silent {
		return
	}
	gap, _ := bits.Div64(hi, lo, silent)
	if next := count + gap; next < length {
		heap.Push(&t.due, due{next, id})
	}
}

// next takes the host whose control is due in front of a count of the walk.
// The caller holds the lock.
func (t *hostTable) next(count uint64) (id uint32, ok bool) {
	if len(t.due) == 0 || t.due[0].count > count {
		return 0, false
	}
	return heap.Pop(&t.due).(due).id, true
}
