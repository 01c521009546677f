package scope

import (
	"net/netip"
	"slices"
	"testing"

	"go4.org/netipx"
)

// TestWithin holds counts and samples of parts of a space, and of its shards,
// against its pairs one by one.
func TestWithin(t *testing.T) {
	targets, err := (&Parser{}).Targets(t.Context(), []string{"192.0.2.0/29", "192.0.2.3:25", "192.0.2.20-192.0.2.25", "2001:db8::/126"})
	if err != nil {
		t.Fatal(err)
	}
	scope, err := New(Bounds{Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := NewSpace(scope, []uint16{1, 2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	second, err := whole.Shard(2, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Space{whole, second} {
		for _, text := range []string{"192.0.2.0-192.0.2.255", "192.0.2.3-192.0.2.3", "192.0.2.6-192.0.2.21", "198.51.100.1-198.51.100.9", "2001:db8::1-2001:db8::9"} {
			r := netipx.MustParseIPRange(text)
			hosts, pairs := map[netip.Addr]uint64{}, uint64(0)
			var addrs []netip.Addr
			for i := range s.Len() {
				if p := s.At(i); r.Contains(p.Addr()) {
					if hosts[p.Addr()] == 0 {
						addrs = append(addrs, p.Addr())
					}
					hosts[p.Addr()]++
					pairs++
				}
			}
			if got := s.HostsIn(r); got != uint64(len(hosts)) {
				t.Errorf("%s: %d hosts, want %d", text, got, len(hosts))
			}
			slices.SortFunc(addrs, netip.Addr.Compare)
			of := s.Of(addrs)
			for i := range of.Len() {
				if p := of.At(i); hosts[p.Addr()] == 0 {
					t.Errorf("%s: %v is among the pairs of its addresses", text, p)
				} else if _, ok := s.Index(p); !ok {
					t.Errorf("%s: %v is not of the space", text, p)
				}
			}
			if of.Len() != pairs {
				t.Errorf("%s: %d pairs, want %d", text, of.Len(), pairs)
			}
			sample := s.Sample([]netipx.IPRange{r}, 3)
			sampled := map[netip.Addr]uint64{}
			for i := range sample.Len() {
				p := sample.At(i)
				if _, ok := s.Index(p); !ok {
					t.Errorf("%s: %v is not of the space", text, p)
				}
				sampled[p.Addr()]++
			}
			for a, n := range hosts {
				if sampled[a] != min(n, 3) {
					t.Errorf("%s: %d ports of %v, which has %d", text, sampled[a], a, n)
				}
			}
		}
	}
	pairs := []netip.AddrPort{netip.MustParseAddrPort("[2001:db8::1]:25"), netip.MustParseAddrPort("192.0.2.1:26"), netip.MustParseAddrPort("192.0.2.1:25"), netip.MustParseAddrPort("192.0.2.1:26")}
	s := PairSpace(pairs)
	if s.Len() != 3 || s.At(0) != pairs[2] || s.At(1) != pairs[1] || s.At(2) != pairs[0] {
		t.Errorf("%d pairs", s.Len())
	}
}
