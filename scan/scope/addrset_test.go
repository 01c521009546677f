package scope

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"go4.org/netipx"
)

// TestRangeList finds what the set itself finds.
func TestRangeList(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	addr := func(v6 bool) netip.Addr {
		last := byte(random.IntN(60))
		if v6 {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: last})
		}
		return netip.AddrFrom4([4]byte{192, 0, 2, last})
	}
	some := func() netipx.IPRange {
		v6 := random.IntN(2) == 0
		a, b := addr(v6), addr(v6)
		if b.Less(a) {
			a, b = b, a
		}
		return netipx.IPRangeFrom(a, b)
	}
	found := 0
	for range 2000 {
		var b netipx.IPSetBuilder
		for range random.IntN(6) {
			if r := some(); random.IntN(3) == 0 {
				b.RemoveRange(r)
			} else {
				b.AddRange(r)
			}
		}
		set, err := b.IPSet()
		if err != nil {
			t.Fatal(err)
		}
		list, r := rangeList(set.Ranges()), some()
		if got, want := list.contains(r), set.ContainsRange(r); got != want {
			t.Fatalf("%v contains %v: %t, want %t", set.Ranges(), r, got, want)
		} else if got {
			found++
		}
		if got, want := list.overlaps(r), set.OverlapsRange(r); got != want {
			t.Fatalf("%v overlaps %v: %t, want %t", set.Ranges(), r, got, want)
		}
	}
	if found == 0 {
		t.Error("nothing was ever found")
	}
}
