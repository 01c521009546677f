package syn

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
)

// TestHostTimeout gives hosts no time at all: one SYN leaves for each, and a
// later run asks all the others.
func TestHostTimeout(t *testing.T) {
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, manyPorts(118), "10.91.16.1-10.91.16.3")
	open := l.listen(space, 20)
	clock := hosts.NewClock(1)
	first := l.sweep(space, Config{Scope: scope, Rate: 2000, Seed: 5, Clock: clock})
	if first.stats.Sent != 3 || first.stats.Controls != 0 || first.stats.BlockedHosts != 0 || !clock.AnyShort() {
		t.Errorf("%+v", first.stats)
	}
	if uint64(len(first.all)) != space.Len() || first.err != nil || first.progress != (Progress{Pairs: space.Len()}) {
		t.Errorf("%d results, Err() = %v, Progress() = %+v", len(first.all), first.err, first.progress)
	}
	for at, r := range first.all {
		over := r.Reason == result.ReasonHostTimeout
		if over != (r.State == result.StateUnknown) || over != errors.As(r.Err, new(*hosts.TimeoutError)) || r.State == result.StateFiltered {
			t.Errorf("%v: %+v", at, r)
		}
	}
	known := maps.Clone(first.all)
	maps.DeleteFunc(known, func(_ netip.AddrPort, r scan.Result) bool { return r.State == result.StateUnknown })
	r := l.sweep(space, Config{Scope: scope, Rate: 2000, Seed: 5, Clock: hosts.NewClock(time.Hour), Begin: first.progress, Earlier: maps.Values(known)})
	maps.Copy(r.all, known)
	r.verdicts(t, space, open)
	for at, got := range r.all {
		if want := slices.Contains(open, at); want != (got.State == result.StateOpen) || got.State == result.StateUnknown {
			t.Errorf("%v is %v, %v; open: %t", at, got.State, got.Reason, want)
		}
	}
}
