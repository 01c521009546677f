package main

import (
	"net/netip"
	"slices"
	"testing"

	"mxsweep/scan"
)

// A canary on a silent target shows that the target is up, as the notice about
// silent targets says, with reference ports and without.
func TestReferencesTakeCanaries(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.7")
	targets := func(s ...string) []scan.Target {
		list, err := (&scan.Parser{}).Targets(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	space := func(ports []uint16, s ...string) (*scan.Scope, *scan.Space) {
		scope, err := scan.NewScope(scan.Bounds{Targets: targets(s...)})
		if err != nil {
			t.Fatal(err)
		}
		space, err := scan.NewSpace(scope, ports)
		if err != nil {
			t.Fatal(err)
		}
		return scope, space
	}
	for _, tt := range []struct {
		name, references string
		canaries         []string
		want             []uint16
	}{
		{"no canary", "22,25", nil, []uint16{22, 25}},
		{"none at all", "none", nil, nil},
		{"a canary alone", "none", []string{"192.0.2.7:2525"}, []uint16{2525}},
		{"both", "22,25", []string{"192.0.2.7:2525", "192.0.2.7:25"}, []uint16{22, 25, 2525}},
		{"one that the sweep asks", "none", []string{"192.0.2.7:10025"}, nil},
		{"one of another host", "none", []string{"192.0.2.8:25"}, nil},
	} {
		p := &plan{flags: &scanFlags{}}
		p.flags.coverage.referencePorts = tt.references
		p.scope, p.wholeSpace = space([]uint16{10024, 10025}, "192.0.2.7")
		_, p.canaries.space = space(nil, tt.canaries...)
		var ports []uint16
		for _, pair := range p.references(addr) {
			ports = append(ports, pair.Port())
		}
		if !slices.Equal(ports, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, ports, tt.want)
		}
	}
}
