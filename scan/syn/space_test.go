package syn

import (
	"net/netip"
	"testing"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// spaceOf returns the pairs of targets, given as ranges or prefixes, and
// ports.
func spaceOf(t testing.TB, ports []uint16, targets ...string) (*scope.Set, *scope.Space) {
	t.Helper()
	var b scope.Bounds
	for _, s := range targets {
		r, err := netipx.ParseIPRange(s)
		if err != nil {
			r = netipx.RangeOfPrefix(netip.MustParsePrefix(s))
		}
		b.Targets = append(b.Targets, scope.Target{Ranges: []netipx.IPRange{r}})
	}
	set, err := scope.New(b)
	if err != nil {
		t.Fatal(err)
	}
	space, err := scope.NewSpace(set, ports)
	if err != nil {
		t.Fatal(err)
	}
	return set, space
}

// ninePorts are those of the bench.
var ninePorts = []uint16{10024, 10025, 10026, 10027, 10028, 10029, 10030, 10031, 10143}
