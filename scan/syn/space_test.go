package syn

import (
	"net/netip"
	"testing"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/scan"
)

// spaceOf returns the pairs of targets, given as ranges or prefixes, and
// ports.
func spaceOf(t testing.TB, ports []uint16, targets ...string) (*scan.Scope, *scan.Space) {
	t.Helper()
	var b scan.Bounds
	for _, s := range targets {
		r, err := netipx.ParseIPRange(s)
		if err != nil {
			r = netipx.RangeOfPrefix(netip.MustParsePrefix(s))
		}
		b.Targets = append(b.Targets, scan.Target{Ranges: []netipx.IPRange{r}})
	}
	scope, err := scan.NewScope(b)
	if err != nil {
		t.Fatal(err)
	}
	space, err := scan.NewSpace(scope, ports)
	if err != nil {
		t.Fatal(err)
	}
	return scope, space
}

// ninePorts are those of the bench.
var ninePorts = []uint16{10024, 10025, 10026, 10027, 10028, 10029, 10030, 10031, 10143}
