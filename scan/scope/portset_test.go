package scope

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestPortSets compares sets of random lists with the naive set of their
// ports.
func TestPortSets(t *testing.T) {
	profiles := map[string][]uint16{"some": {3, 5, 6, 65535}}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		in, out := map[uint16]bool{}, map[uint16]bool{}
		var items []string
		for range 1 + r.IntN(8) {
			first := uint16(1 + r.IntN(60))
			last := first + uint16(r.IntN(12))
			item, ports := fmt.Sprintf("%d-%d", first, last), []uint16{}
			for p := first; p <= last; p++ {
				ports = append(ports, p)
			}
			if r.IntN(5) == 0 {
				item, ports = "some", profiles["some"]
			}
			to := in
			if r.IntN(3) == 0 {
				item, to = "!"+item, out
			}
			for _, p := range ports {
				to[p] = true
			}
			items = append(items, item)
		}
		var want []uint16
		for p := range in {
			if !out[p] {
				want = append(want, p)
			}
		}
		slices.Sort(want)
		spec := strings.Join(items, ",")
		set, err := ParsePortSet(spec, profiles)
		if (err != nil) != (len(want) == 0) || !slices.Equal(set.Ports(), want) || set.Len() != len(want) {
			t.Fatalf("%s: got %d, %v, want %d", spec, set.Ports(), err, want)
		}
		listed := slices.Concat(want, want) // sorted or not, with repeats or without
		r.Shuffle(len(listed), func(i, j int) { listed[i], listed[j] = listed[j], listed[i] })
		if a, b := PortSetOf(want), PortSetOf(listed); !a.equal(set) || !b.equal(set) || set.Empty() != (len(want) == 0) {
			t.Fatalf("%s: made of its ports, it is %v and %v", spec, a, b)
		}
		for p := range uint16(100) {
			if set.Contains(p) != slices.Contains(want, p) {
				t.Fatalf("%s: Contains(%d) is %t", spec, p, set.Contains(p))
			}
		}
	}
}

// TestLongPortList: a list of megabytes takes no more memory than what it
// stands for.
func TestLongPortList(t *testing.T) {
	spec := strings.Repeat("1-65535,some,!7,", 1<<17) + "25"
	profiles := map[string][]uint16{"some": make([]uint16, 5000)}
	for i := range profiles["some"] {
		profiles["some"][i] = uint16(1 + 2*i)
	}
	var set PortSet
	var err error
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			set, err = ParsePortSet(spec, profiles)
		}
	})
	if err != nil || set.Len() != 65534 || set.Contains(7) {
		t.Fatalf("%d ports, %v", set.Len(), err)
	}
	if got := r.AllocedBytesPerOp(); got > 32<<20 {
		t.Errorf("%d bytes for a list of %d", got, len(spec))
	}
}
