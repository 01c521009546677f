package syn

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBitmap sets bits of bitmaps of many sizes, some so large that drain
// gives back what it has passed, and looks for the rest.
func TestBitmap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []uint64{0, 1, 63, 64, 65, 1000, forgetBits + 1, 3*forgetBits + 12345} {
		b, err := newBitmap(n)
		if err != nil {
			t.Fatal(err)
		}
		defer b.close()
		for i := range n {
			if i%1000 != 7 {
				b.set(i)
			}
		}
		for range 100 {
			if n > 0 {
				if i := random.Uint64N(n); b.has(i) == (i%1000 == 7) {
					t.Fatalf("%d of %d: %t", i, n, b.has(i))
				}
			}
		}
		var want, got []uint64
		for i := uint64(7); i < n; i += 1000 {
			want = append(want, i)
		}
		var all []uint64
		for i := range min(n, 5000) {
			all = append(all, i)
		}
		if silent := b.silent(all); !slices.Equal(silent, want[:len(silent)]) || len(silent) != min(len(want), 5) {
			t.Errorf("of %d bits are silent: %v", n, silent)
		}
		b.drain(n, func(i uint64) bool { got = append(got, i); return true })
		if !slices.Equal(got, want) {
			t.Errorf("drained %d of %d bits, want %d", len(got), n, len(want))
		}
		calls := 0
		b.drain(n, func(uint64) bool { calls++; return false })
		if calls > 1 {
			t.Errorf("%d calls behind the end", calls)
		}
	}
}
