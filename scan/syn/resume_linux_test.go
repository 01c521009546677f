package syn

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"

	"mxsweep/scan"
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
				if e.State == scan.StateOpen {
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
func (l *lab) begin(space *scan.Space, config Config, results int) map[netip.AddrPort]scan.Result {
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
