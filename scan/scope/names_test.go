package scope

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
)

// TestCounterparts pairs the addresses of names by family.
func TestCounterparts(t *testing.T) {
	addr := netip.MustParseAddr
	s := &Set{names: map[netip.Addr][]string{
		addr("192.0.2.1"):    {"dual.example", "other.example"},
		addr("192.0.2.2"):    {"dual.example"},
		addr("192.0.2.3"):    {"only4.example"},
		addr("2001:db8::1"):  {"dual.example", "other.example"},
		addr("2001:db8::2"):  {"other.example"},
		addr("2001:db8::99"): {"only6.example"},
	}}
	want := map[netip.Addr][]netip.Addr{
		addr("2001:db8::1"): {addr("192.0.2.1"), addr("192.0.2.2")},
		addr("2001:db8::2"): {addr("192.0.2.1")},
	}
	if got := s.Counterparts(); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (*Set)(nil).Counterparts(); len(got) != 0 {
		t.Errorf("no scope gives %v", got)
	}
}
