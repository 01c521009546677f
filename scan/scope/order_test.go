package scope

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestOrder(t *testing.T) {
	sizes := []uint64{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 255, 256, 257, 1000, 4095, 4096, 4097, 36864, 65535, 65537, 100003}
	for _, n := range sizes {
		for seed := range uint64(3) {
			o := NewOrder(n, seed)
			seen := make([]bool, n)
			for i := range n {
				v := o.At(i)
				if v >= n || seen[v] {
					t.Fatalf("n=%d seed=%d: number %d comes twice or is too big", n, seed, v)
				}
				seen[v] = true
				if p := o.Place(v); p != i {
					t.Fatalf("n=%d seed=%d: Place(At(%d)) is %d", n, seed, i, p)
				}
			}
		}
	}
}

func TestOrderOfManyNumbers(t *testing.T) {
	for _, n := range []uint64{1 << 24 * 20, 1<<32 + 1, 1 << 62, 1<<63 + 1, math.MaxUint64} {
		o := NewOrder(n, 7)
		for range 1000 {
			i := rand.Uint64N(n)
			if v := o.At(i); v >= n || o.Place(v) != i {
				t.Fatalf("n=%d: At(%d) is %d, whose place is %d", n, i, v, o.Place(v))
			}
		}
	}
}

// TestOrderIsStable pins the order: shards and resumed runs of several
// versions must agree on it.
func TestOrderIsStable(t *testing.T) {
	o := NewOrder(9, 1)
	var got [9]uint64
	for i := range got {
		got[i] = o.At(uint64(i))
	}
	if want := [9]uint64{1, 6, 8, 0, 3, 5, 2, 7, 4}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestOrderSpreads asks that the pairs of one host do not come in a row: of
// 9 ports on each of 1024 hosts, neighbours in the order share a host no more
// often than chance has it.
func TestOrderSpreads(t *testing.T) {
	const hosts, ports = 1024, 9
	for seed := range uint64(20) {
		o := NewOrder(hosts*ports, seed)
		same := 0
		for i := range uint64(hosts*ports - 1) {
			if o.At(i)/ports == o.At(i+1)/ports {
				same++
			}
		}
		if same > 40 { // 8 are expected
			t.Errorf("seed %d: %d neighbours share a host", seed, same)
		}
	}
}

func BenchmarkOrder(b *testing.B) {
	o := NewOrder(1<<24*20, 1)
	var i uint64
	for b.Loop() {
		o.At(i % o.n)
		i++
	}
}
