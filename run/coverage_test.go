package run

import (
	"context"
	"net/netip"
	"testing"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/engine"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// coverageSweep returns a sweep of ports 25 and 26 of 192.0.2.0/29 and
// 198.51.100.0/29, with a baseline that has a finding on 192.0.2.3:25. It may be
// one of several shards.
func coverageSweep(t *testing.T, part Shard) *sweep {
	t.Helper()
	targets, err := new(scope.Parser).Targets(t.Context(), []string{"192.0.2.0/29", "198.51.100.0/29"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := scope.New(scope.Bounds{Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	space, err := scope.NewSpace(set, []uint16{25, 26})
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{opts: settings{Options: Options{Shard: part}}, judge: &exposure.Judge{}, asked: targets, scope: set, space: space, wholeSpace: space,
		baseline: &drift.Baseline{Entries: []drift.Entry{{IP: netip.MustParseAddr("192.0.2.3"), Port: 25}}}}
	if part.Count > 1 {
		if p.space, err = space.Shard(uint64(part.Index), uint64(part.Count)); err != nil {
			t.Fatal(err)
		}
	}
	nothing, err := scan.NewConnect(scan.Config{Scope: set})
	if err != nil {
		t.Fatal(err)
	}
	w := &sweep{plan: p, engine: engine.Connect(nothing), looked: true}
	w.observe()
	return w
}

// hear has the sweep see results, all pairs silent but those that answer, and
// has the controls of its lines answer in the end.
func (w *sweep) hear(answer func(netip.AddrPort) result.State) {
	for i := range w.plan.space.Len() {
		pair := w.plan.space.At(i)
		w.see(context.Background(), scan.Result{Target: pair, State: answer(pair)})
	}
	for _, pair := range w.lines.Controls() {
		w.lines.Answered(pair)
	}
	w.settle()
}

// TestSilentFindingIsRequired checks that a silent pair with a finding in the
// baseline is reported as missing, whatever else is known about its host.
func TestSilentFindingIsRequired(t *testing.T) {
	for name, of26 := range map[string]result.State{"silent": result.StateFiltered, "unknown": result.StateUnknown} {
		w := coverageSweep(t, Shard{})
		w.hear(func(pair netip.AddrPort) result.State {
			switch {
			case pair.Addr() == netip.MustParseAddr("192.0.2.1"), pair.Addr() == netip.MustParseAddr("198.51.100.1"):
				return result.StateClosed
			case pair == netip.MustParseAddrPort("192.0.2.3:26"):
				return of26
			}
			return result.StateFiltered
		})
		if n := w.unknown.Required(); n != 1 {
			t.Errorf("port 26 %s: %d pairs are required, want 1", name, n)
		}
	}
}

// TestShardOfASilentLine checks that a shard of a prefix without a host that is
// up is not vacant because hosts of another prefix answer.
func TestShardOfASilentLine(t *testing.T) {
	silent := netipx.RangeOfPrefix(netip.MustParsePrefix("192.0.2.0/29"))
	mixed := false
	for i := range 3 {
		w := coverageSweep(t, Shard{Index: i + 1, Count: 3})
		here := w.plan.space.HostsIn(silent)
		mixed = mixed || here > 0 && here < w.plan.space.Hosts()
		w.hear(func(pair netip.AddrPort) result.State {
			if silent.Contains(pair.Addr()) {
				return result.StateFiltered
			}
			return result.StateClosed
		})
		if c := w.counter.Coverage(); c.HostsVacant > 0 || c.HostsSilent != here {
			t.Errorf("shard %d, which has %d hosts of the silent prefix: %+v", i+1, here, c)
		}
		if len(w.lines.Short()) > 0 {
			t.Errorf("shard %d tells what only all shards together can: %+v", i+1, w.lines.Short())
		}
	}
	if !mixed {
		t.Error("no shard has a part of both prefixes")
	}
}

// TestOwnAddressShowsNothing checks that silent addresses are not vacant because
// an address of the scanning machine in the same prefix answers.
func TestOwnAddressShowsNothing(t *testing.T) {
	up := netip.MustParseAddr("192.0.2.1")
	for _, own := range []bool{false, true} {
		w := coverageSweep(t, Shard{})
		if w.plan.baseline = nil; own {
			w.plan.own = []netip.Addr{up}
		}
		w.observe()
		w.hear(func(pair netip.AddrPort) result.State {
			if pair.Addr() == up {
				return result.StateClosed
			}
			return result.StateFiltered
		})
		got, want := w.counter.Coverage().HostsVacant, uint64(7)
		if own {
			want = 0
		}
		if got != want {
			t.Errorf("the host that answers is the scanner's own: %v: %d addresses are vacant, want %d", own, got, want)
		}
	}
}
