package syn

import (
	"fmt"
	"math/bits"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A bitmap has one bit per pair, such as whether the pair has answered. One goroutine
// sets bits, any may read them.
//
// Its memory is not on the heap: the kernel provides a page when a bit in it is set,
// and the garbage collector does not count it, so that a large Space does not let the
// garbage grow.
// Space needs.
type bitmap struct {
	words []uint64
	mem   []byte // the same memory as bytes
}

// newBitmap returns a bitmap of n bits, which must be closed.
func newBitmap(n uint64) (bitmap, error) {
	words := max((n+63)/64, 1)
	mem, err := unix.Mmap(-1, 0, int(words)*8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return bitmap{}, fmt.Errorf("getting memory for a bit for each of %d pairs: %w", n, err)
	}
	return bitmap{words: unsafe.Slice((*uint64)(unsafe.Pointer(&mem[0])), words), mem: mem}, nil
}

func (b bitmap) close() { _ = unix.Munmap(b.mem) }

func (b bitmap) has(i uint64) bool {
	return atomic.LoadUint64(&b.words[i>>6])>>(i&63)&1 != 0
}

func (b bitmap) set(i uint64) {
	w := &b.words[i>>6]
	atomic.StoreUint64(w, *w|1<<(i&63))
}

// clear clears a bit, on the goroutine that sets them.
func (b bitmap) clear(i uint64) {
	w := &b.words[i>>6]
	atomic.StoreUint64(w, *w&^(1<<(i&63)))
}

// silent removes from numbers those that are set, in place.
func (b bitmap) silent(numbers []uint64) []uint64 {
	k := 0
	for _, i := range numbers {
		numbers[k] = i
		// No branch: the loads, which miss the cache where the Space is
		// large, then overlap.
		k += int(^atomic.LoadUint64(&b.words[i>>6]) >> (i & 63) & 1)
	}
	return numbers[:k]
}

// unset returns how many of the n bits from first on are not set.
func (b bitmap) unset(first, n uint64) uint64 {
	set := 0
	for i, end := first, first+n; i < end; {
		w := atomic.LoadUint64(&b.words[i>>6]) >> (i & 63)
		took := min(64-i&63, end-i)
		set += bits.OnesCount64(w & (1<<took - 1))
		i += took
	}
	return n - uint64(set)
}

// next returns the first bit from i on that is set, or end if none is below end.
func (b bitmap) next(i, end uint64) uint64 {
	for i < end {
		if w := atomic.LoadUint64(&b.words[i>>6]) >> (i & 63); w != 0 {
			return min(i+uint64(bits.TrailingZeros64(w)), end)
		}
		i = (i | 63) + 1
	}
	return end
}

// forgetBits is how many bits are returned to the kernel by one system call.
const forgetBits = 1 << 23

// drain passes the numbers below n that are not set to f, in order, until it returns
// false. The bits it has passed are returned to the kernel and must not be read again:
// whoever reads the silent pairs stores hosts by then, and needs the memory.
func (b bitmap) drain(n uint64, f func(uint64) bool) {
	page := uint64(os.Getpagesize())
	for i := range n {
		if i%forgetBits == 0 && i > 0 {
			end := i / 8 / page * page
			_ = unix.Madvise(b.mem[end-min(end, forgetBits/8):end], unix.MADV_DONTNEED)
		}
		if !b.has(i) && !f(i) {
			return
		}
	}
}
