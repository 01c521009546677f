package syn

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// TestEarlier breaks sweeps off in the middle and lets others go on: together
// they tell what one would have told, also where one packet in five is lost
// each way and an earlier run has found nearly all of what answers.
func TestEarlier(t *testing.T) {
	for _, c := range []struct{ loss, found int }{{0, 0}, {0, 3000}, {20, 3000}, {20, 9150}, {0, 9216}} {
		t.Run(fmt.Sprintf("loss %d, %d found", c.loss, c.found), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, ninePorts, "10.91.16.0/22")
			want := l.listen(space, 100)
			if c.loss > 0 {
				l.nft("r", fmt.Sprintf("table inet f { chain c { type filter hook forward priority 0; numgen random mod 100 < %d drop; }; }", c.loss))
			}
			known := l.begin(space, Config{Scope: scope}, c.found)
			r := l.sweep(space, Config{Scope: scope, Seed: 5, Earlier: maps.Values(known)})
			t.Logf("%v; %+v", r.took, r.stats)
			for target, e := range known {
				if _, twice := r.all[target]; twice {
					t.Errorf("%v has a second result", target)
				}
				r.all[target] = e
				if e.State == result.StateOpen {
					r.open = append(r.open, target)
				}
			}
			slices.SortFunc(r.open, netip.AddrPort.Compare)
			r.complete(t, space, want)
			if r.stats.Done != space.Len() || r.stats.Open != uint64(len(want)) {
				t.Errorf("Stats: %d done, %d open", r.stats.Done, r.stats.Open)
			}
			if c.found == int(space.Len()) && r.stats.Sent > 0 {
				t.Errorf("%d SYNs left where nothing was to be asked", r.stats.Sent)
			}
		})
	}
}

// begin sweeps until so many results are known, or all that answers.
func (l *lab) begin(space *scope.Space, config Config, results int) map[netip.AddrPort]scan.Result {
	l.t.Helper()
	known := map[netip.AddrPort]scan.Result{}
	if results == 0 {
		return known
	}
	var s *Scanner
	var err error
	l.in("s", func() { s, err = Open(l.t.Context(), space, config) })
	if err != nil {
		l.t.Fatal(err)
	}
	defer s.Close()
	for r := range s.Scan(l.t.Context(), space) {
		if known[r.Target] = r; len(known) == results {
			break
		}
	}
	return known
}

// TestBegin goes on where earlier runs were: what they had asked in the pass
// is not asked again in it, and every pair has a result all the same.
func TestBegin(t *testing.T) {
	l := newLab(t)
	l.routed()
	l.silence(nil)
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/25")
	w := newWalk(space.Len(), 5)
	half := w.length() / 2
	left := uint64(w.fill(make([]uint64, w.length()), half, w.length()))
	for name, c := range map[string]struct {
		begin   Progress
		retries int
		sent    uint64
	}{
		"nothing was asked":     {Progress{}, 2, 3 * space.Len()},
		"half of the only pass": {Progress{Pass: 0, Asked: half, Pairs: space.Len()}, -1, left},
		"all but one pass":      {Progress{Pass: 1, Asked: w.length(), Pairs: space.Len()}, 2, space.Len()},
		"another space":         {Progress{Pass: 1, Asked: half, Pairs: space.Len() + 1}, -1, space.Len()},
		"no such pass":          {Progress{Pass: passSlots, Asked: half, Pairs: space.Len()}, -1, space.Len()},
		"no such place":         {Progress{Pass: 0, Asked: w.length() + 1, Pairs: space.Len()}, -1, space.Len()},
	} {
		t.Run(name, func(t *testing.T) {
			r := l.sweep(space, Config{Scope: scope, Seed: 5, Begin: c.begin, Retries: c.retries})
			r.complete(t, space, nil)
			if got, want := r.stats.SilentTwice, c.sent > space.Len(); got != want {
				t.Errorf("asked on two occasions: %t, want %t", got, want)
			}
			if r.stats.Sent != c.sent {
				t.Errorf("%d SYNs left, want %d", r.stats.Sent, c.sent)
			}
		})
	}
}

// TestBlockedResumed goes on where a run was blocked: what that could not prove
// is asked anew, also where it says that all was asked.
func TestBlockedResumed(t *testing.T) {
	gate.RealTime(t)
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, manyPorts(118), "10.91.16.1-10.91.16.3")
	open := l.listen(space, 20)
	l.quota("r", 300)
	first := l.sweepUntil(space, Config{Scope: scope, Rate: 2000, Seed: 5}, time.Second, func(int) {})
	first.verdicts(t, space, open)
	if first.progress != (Progress{Pairs: space.Len()}) || first.reasons[result.ReasonBlocked] == 0 {
		t.Fatalf("%v, Progress() = %+v", first.reasons, first.progress)
	}
	l.sh("ip netns exec @r nft delete table inet q")
	known := maps.Clone(first.all)
	maps.DeleteFunc(known, func(_ netip.AddrPort, r scan.Result) bool { return r.State == result.StateUnknown })
	w := newWalk(space.Len(), 5)
	for name, begin := range map[string]Progress{"its own mark": first.progress, "an older mark": {Pass: 2, Asked: w.length(), Pairs: space.Len()}} {
		r := l.sweep(space, Config{Scope: scope, Rate: 2000, Seed: 5, Begin: begin, Earlier: maps.Values(known)})
		maps.Copy(r.all, known)
		r.verdicts(t, space, open)
		for at, got := range r.all {
			if want := slices.Contains(open, at); want != (got.State == result.StateOpen) || got.State == result.StateUnknown {
				t.Errorf("%s: %v is %v, %v; open: %t", name, at, got.State, got.Reason, want)
			}
		}
	}
}

// TestProgress looks at how far a sweep is while transmitters take turns, and
// between passes: it never tells more than was asked.
func TestProgress(t *testing.T) {
	s := &Scanner{}
	r := &run{s: s, pass: passState{at: make([]atomic.Uint64, 2)}}
	for _, step := range []struct {
		do   func()
		want Progress
	}{
		{func() {}, Progress{}},
		{func() { r.enterPass(0, 2048) }, Progress{Pass: 0, Asked: 2048}},
		{func() { r.reach(0, 2048) }, Progress{Pass: 0, Asked: 2048}},
		{func() { r.reach(1, 3072) }, Progress{Pass: 0, Asked: 2048}},
		{func() { r.reach(1, 4096) }, Progress{Pass: 0, Asked: 2048}},
		{func() { r.reach(0, 5120) }, Progress{Pass: 0, Asked: 4096}},
		{func() { r.enterPass(1, 0) }, Progress{Pass: 1, Asked: 0}},
		{func() { r.reach(1, 1024) }, Progress{Pass: 1, Asked: 0}},
		{func() { r.reach(0, 2048) }, Progress{Pass: 1, Asked: 1024}},
	} {
		if step.do(); s.Progress() != step.want {
			t.Errorf("%+v, want %+v", s.Progress(), step.want)
		}
	}
}
