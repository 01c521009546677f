package syn

import "sync/atomic"

// A bitmap holds one bit for each pair: whether it has answered. One
// goroutine sets, any may look.
type bitmap []uint64

func newBitmap(n uint64) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) has(i uint64) bool {
	return atomic.LoadUint64(&b[i>>6])>>(i&63)&1 != 0
}

func (b bitmap) set(i uint64) {
	w := &b[i>>6]
	atomic.StoreUint64(w, *w|1<<(i&63))
}

// silent keeps of numbers those that are not set, in place.
func (b bitmap) silent(numbers []uint64) []uint64 {
	k := 0
	for _, i := range numbers {
		numbers[k] = i
		// No branch: the loads, which miss the cache where the Space is
		// large, then overlap.
		k += int(^atomic.LoadUint64(&b[i>>6]) >> (i & 63) & 1)
	}
	return numbers[:k]
}
