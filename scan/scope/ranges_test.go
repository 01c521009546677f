package scope

import (
	"net/netip"
	"testing"

	"go4.org/netipx"
)

// TestRanges walks the ranges of a Space and of its shards and meets every pair
// under its number.
func TestRanges(t *testing.T) {
	targets := []Target{
		{Ranges: []netipx.IPRange{netipx.MustParseIPRange("192.0.2.4-192.0.2.9")}},
		{Ranges: []netipx.IPRange{netipx.MustParseIPRange("192.0.2.8-192.0.2.12")}, Ports: PortSetOf([]uint16{7, 9})},
		{Ranges: []netipx.IPRange{netipx.MustParseIPRange("2001:db8::1-2001:db8::3")}},
	}
	scope, err := New(Bounds{Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	space, err := NewSpace(scope, []uint16{25, 143, 9})
	if err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n < 9; n++ {
		total := uint64(0)
		for i := uint64(1); i <= n; i++ {
			shard, err := space.Shard(i, n)
			if err != nil {
				t.Fatal(err)
			}
			met := uint64(0)
			hosts := map[netip.Addr]bool{}
			for r, ports := range shard.Ranges() {
				if !scope.AllowsRange(r) {
					t.Errorf("scope does not allow %v", r)
				}
				for a := r.From(); r.Contains(a); a = a.Next() {
					for _, p := range ports {
						number, ok := shard.Index(netip.AddrPortFrom(a, p))
						if ok && number != met {
							t.Errorf("shard %d/%d: %v:%d has number %d, met as %d", i, n, a, p, number, met)
						}
						if ok {
							hosts[a] = true
							met++
						}
					}
				}
			}
			if got := shard.Hosts(); got != uint64(len(hosts)) {
				t.Errorf("shard %d/%d has %d hosts, want %d", i, n, got, len(hosts))
			}
			if met != shard.Len() {
				t.Errorf("shard %d/%d: ranges hold %d of %d pairs", i, n, met, shard.Len())
			}
			total += met
		}
		if total != space.Len() {
			t.Errorf("%d shards hold %d of %d pairs", n, total, space.Len())
		}
	}
	if (*Set)(nil).AllowsRange(netipx.MustParseIPRange("192.0.2.1-192.0.2.1")) {
		t.Error("a nil scope allows an address")
	}
}
