package scan

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// An outage makes some hosts silent for a while.
type outage struct {
	begin, length time.Duration
	hosts         int // the first ones; 0 for all
}

// sweepOutages sweeps hosts with five open ports each; those with an even number
// refuse all others, and those with an odd number are silent there. It returns
// the results, and the open ports of hosts that are up with a state other than
// open or unknown.
func sweepOutages(t *testing.T, seed uint64, hosts, ports int, outages ...outage) (got map[netip.AddrPort]Result, missed []netip.AddrPort) {
	t.Helper()
	start := time.Now()
	open := func(to netip.AddrPort) bool { return to.Port()%uint16(ports/5) == 3 }
	f := newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
		host, since := int(to.Addr().As4()[3]), time.Since(start)
		for _, o := range outages {
			if (o.hosts == 0 || host <= o.hosts) && since >= o.begin && since < o.begin+o.length {
				return 0, errSilent
			}
		}
		switch {
		case open(to):
			return time.Millisecond, nil
		case host%2 == 0:
			return time.Millisecond, syscall.ECONNREFUSED
		}
		return 0, errSilent
	})
	scope := scopetest.Set(t, fmt.Sprintf("192.0.2.1-%d", hosts))
	c, err := NewConnect(Config{Scope: scope, Seed: seed, Dial: f.dial, Concurrency: 768})
	if err != nil {
		t.Fatal(err)
	}
	c.slowRefusals = false
	got = map[netip.AddrPort]Result{}
	up := map[netip.Addr]bool{}
	for r := range c.Scan(t.Context(), scopetest.Space(t, scope, portsFrom(10000, ports)...)) {
		if _, twice := got[r.Target]; twice {
			t.Errorf("%v has two results", r.Target)
		}
		got[r.Target] = r
		up[r.Target.Addr()] = up[r.Target.Addr()] || r.FromTarget()
	}
	if len(got) != hosts*ports || c.Stats().Done != uint64(len(got)) {
		t.Errorf("%d results, %d done", len(got), c.Stats().Done)
	}
	for to, r := range got {
		if open(to) && up[to.Addr()] && r.State != result.StateOpen && r.State != result.StateUnknown {
			missed = append(missed, to)
		}
	}
	return got, missed
}

// TestShortOutage has the path, or single hosts, fail briefly between two
// controls, or before the first one: no open port of a host that is up is
// filtered.
func TestShortOutage(t *testing.T) {
	for _, shape := range []struct{ hosts, ports int }{{1, 10}, {1, 118}, {3, 118}, {10, 118}, {250, 20}} {
		for _, down := range []int{0, 1} { // all hosts, or only the first
			for _, length := range []time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second} {
				for _, begin := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond, time.Second} {
					synctest.Test(t, func(t *testing.T) {
						if _, missed := sweepOutages(t, 1, shape.hosts, shape.ports, outage{begin, length, down}); len(missed) > 0 {
							t.Errorf("%d hosts of %d ports, %d down for %v at %v: filtered, though open: %v",
								shape.hosts, shape.ports, down, length, begin, missed)
						}
					})
				}
			}
		}
	}
}
