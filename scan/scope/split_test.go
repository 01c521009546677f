package scope

import (
	"fmt"
	"testing"
)

// TestSplit splits spaces and their shards: each pair is in exactly one half,
// in the right one, and in order.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		targets []string
		set     []string
	}{
		{[]string{"192.0.2.0/29", "2001:db8::/126"}, []string{"192.0.2.3/32", "2001:db8::2/127"}},
		{[]string{"192.0.2.0/29", "192.0.2.4:7"}, []string{"192.0.2.0/30", "192.0.2.5/32"}},
		{[]string{"192.0.2.0/30"}, []string{"192.0.0.0/16"}},
		{[]string{"192.0.2.0/30"}, []string{"10.0.0.0/8"}},
		{[]string{"192.0.2.0/30"}, nil},
		{nil, []string{"10.0.0.0/8"}},
	} {
		whole, set := mustSpace(t, mustScope(t, c.targets...), 25, 143, 783), mustSet(c.set...)
		for n := uint64(1); n <= 7; n++ {
			for i := uint64(1); i <= n; i++ {
				t.Run(fmt.Sprintf("%v by %v, %d/%d", c.targets, c.set, i, n), func(t *testing.T) {
					shard, err := whole.Shard(i, n)
					if err != nil {
						t.Fatal(err)
					}
					in, out, err := shard.Split(set)
					if err != nil {
						t.Fatal(err)
					}
					if in.Len()+out.Len() != shard.Len() {
						t.Fatalf("%d and %d of %d", in.Len(), out.Len(), shard.Len())
					}
					var k [2]uint64
					for i := range shard.Len() {
						half, side := out, 0
						if set.Contains(shard.At(i).Addr()) {
							half, side = in, 1
						}
						if got, ok := half.Index(shard.At(i)); !ok || got != k[side] || half.At(got) != shard.At(i) {
							t.Errorf("%v has number %d, %t", shard.At(i), got, ok)
						}
						k[side]++
					}
				})
			}
		}
	}
}
