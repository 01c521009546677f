package scan

import (
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// neighbors is a network in which 192.0.2.1 refuses everything and 192.0.2.2
// accepts everything. The path to both is down for a while after the first answer
// of 192.0.2.1, and to the second one before that, too.
func neighbors(down time.Duration) *fakeNet {
	start := time.Now()
	return newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
		since := time.Since(start)
		switch host := to.Addr().As4()[3]; {
		case host == 1 && n == 1 && since < down:
			return time.Millisecond, syscall.ECONNREFUSED
		case since < down || host > 2:
			return 0, errSilent
		case host == 2:
			return time.Millisecond, nil
		}
		return time.Millisecond, syscall.ECONNREFUSED
	})
}

// TestSecondRound has the path fail during the first probes: a host without an
// answer is probed again only when another host answers.
func TestSecondRound(t *testing.T) {
	for _, down := range []time.Duration{0, 200 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			got, c := sweepAll(t, Config{}, neighbors(down), "192.0.2.0/28", 25)
			at := netip.MustParseAddrPort("192.0.2.2:25")
			if r := got[at]; r.State != result.StateOpen {
				t.Errorf("down for %v: %+v", down, r)
			}
			if st := c.Stats(); st.Done != 16 || !st.SilentTwice {
				t.Errorf("down for %v: %+v", down, st)
			}
		})
	}
}

// TestSecondRoundCost counts the probes of a network with one host that is up:
// waiting for the second round takes one control and no further try.
func TestSecondRoundCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
			if to.Addr().As4()[3] == 7 {
				return time.Millisecond, syscall.ECONNREFUSED
			}
			return 0, errSilent
		})
		got, c := sweepAll(t, Config{}, f, "192.0.2.0/24", 25, 143, 783)
		var attempts uint64
		for to, r := range got {
			attempts += uint64(r.Attempts)
			if to.Addr().As4()[3] != 7 && r.Attempts != 4 {
				t.Errorf("%v: %+v", to, r)
			}
		}
		if st := c.Stats(); st.Controls != 1 || st.Sent != attempts+1 {
			t.Errorf("%d probes, %d of them controls, for %d tries", st.Sent, st.Controls, attempts)
		}
	})
}

// TestSecondRoundComesLast: the further tries at a host that is up come before those of
// the second round, however many hosts wait for a turn in that. A host that answers in
// it does not stay behind them.
func TestSecondRoundComesLast(t *testing.T) {
	scope := scopetest.Set(t, "192.0.2.0/24")
	c, err := NewConnect(Config{Scope: scope, Dial: newFakeNet(nil).dial})
	if err != nil {
		t.Fatal(err)
	}
	s := newSweep(c, scopetest.Space(t, scope, 25))
	defer s.dialer.Close()
	s.drawn, s.next = true, s.space.Len()
	asked := unsettled{port: 25, attempts: 1}
	host := func(last byte) *host { return s.hosts.find(netip.AddrFrom4([4]byte{192, 0, 2, last})) }
	for last := range byte(4) {
		h := host(last)
		h.second, h.waiting = true, []unsettled{asked, asked}
		s.turn(h)
	}
	up := host(200)
	up.up = &upHost{again: []unsettled{asked, asked}}
	s.turn(up)
	s.hostAnswered(host(3), 1, byReset, 143)

	var got []byte
	for i := s.pick(); i != none; i = s.pick() {
		got = append(got, s.probes[i].to.Addr().As4()[3])
	}
	if want := []byte{200, 3, 200, 3, 0, 1, 2, 0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("the hosts are probed in the order %v, want %v", got, want)
	}
}

// vacantNet is a network of 32 addresses, of which every third refuses. odd, if it is
// not nil, plays 192.0.2.31.
func vacantNet(odd func(to netip.AddrPort, since time.Duration) error) *fakeNet {
	start := time.Now()
	return newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
		switch host := to.Addr().As4()[3]; {
		case host%3 == 0:
			return time.Millisecond, syscall.ECONNREFUSED
		case host == 31 && odd != nil:
			return time.Millisecond, odd(to, time.Since(start))
		}
		return 0, errSilent
	})
}

// TestFewTriesAtVacantAddresses sweeps a network with many vacant addresses at a
// limited rate: where nothing gets lost, only some of their ports are probed twice. A
// host among them that answers late is found in all.
func TestFewTriesAtVacantAddresses(t *testing.T) {
	late := func(to netip.AddrPort, since time.Duration) error {
		switch {
		case since < 4500*time.Millisecond:
			return errSilent
		case to.Port() == 10025:
			return nil
		}
		return syscall.ECONNREFUSED
	}
	for _, odd := range []func(netip.AddrPort, time.Duration) error{nil, late} {
		synctest.Test(t, func(t *testing.T) {
			got, c := sweepAll(t, Config{Rate: 1000}, vacantNet(odd), "192.0.2.0/27", portsFrom(10000, 125)...)
			twice := map[netip.Addr]int{}
			for to, r := range got {
				if r.State == result.StateFiltered && r.Attempts > 1 {
					twice[to.Addr()]++
				}
			}
			vacant := 21
			if odd != nil {
				vacant--
				if r := got[netip.MustParseAddrPort("192.0.2.31:10025")]; r.State != result.StateOpen {
					t.Errorf("the port of a host that was up late: %+v", r)
				}
			}
			if len(twice) != vacant {
				t.Errorf("%d addresses were probed twice, want %d", len(twice), vacant)
			}
			for a, n := range twice {
				if odd == nil && (n < secondTries || n > 2*secondTries) {
					t.Errorf("%v was probed again on %d ports", a, n)
				}
			}
			most := uint64(5200)
			if odd != nil { // its answer may mean that a probe was lost
				most = 9700
			}
			if st := c.Stats(); !st.SilentTwice || st.Done != 4000 || st.Lost > 20 || st.Sent > most {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestSecondTriesWhereNeeded has probes at vacant addresses get lost: a port that is
// open although its host drops everything else is found in the second round.
func TestSecondTriesWhereNeeded(t *testing.T) {
	open := func(to netip.AddrPort, _ time.Duration) error {
		if to.Port() == 10025 {
			return nil
		}
		return errSilent
	}
	for name, loses := range map[string]func(f *fakeNet, to netip.AddrPort, n int, since time.Duration) bool{
		"an outage": func(_ *fakeNet, to netip.AddrPort, n int, since time.Duration) bool {
			return since > time.Second && since < 1200*time.Millisecond || to.Addr().As4()[3] == 31 && n == 1
		},
		"1 in 100": func(_ *fakeNet, to netip.AddrPort, n int, _ time.Duration) bool {
			return n == 1 && (to.Port()%100 == 0 || to.Addr().As4()[3] == 31)
		},
	} {
		found := 0
		const seeds = 12
		for seed := range uint64(seeds) {
			synctest.Test(t, func(t *testing.T) {
				f, start := vacantNet(open), time.Now()
				play := f.play
				f.play = func(to netip.AddrPort, n int) (time.Duration, error) {
					if loses(f, to, n, time.Since(start)) {
						return 0, errSilent
					}
					return play(to, n)
				}
				got, _ := sweepAll(t, Config{Rate: 1000, Seed: seed}, f, "192.0.2.0/27", portsFrom(10000, 125)...)
				if r := got[netip.MustParseAddrPort("192.0.2.31:10025")]; r.State == result.StateOpen {
					found++
				}
			})
		}
		if found < seeds {
			t.Errorf("%s: found in %d of %d sweeps", name, found, seeds)
		}
	}
}

// TestPathWorked checks when the path to a net counts as having worked.
func TestPathWorked(t *testing.T) {
	var p path
	for _, ms := range []int{0, 50, 140, 135, 400, 300, 480} {
		p.answered(time.Duration(ms) * time.Millisecond)
	}
	for ms, want := range map[int]bool{0: true, 60: true, 140: true, 141: false, 399: false, 400: true, 480: true, 481: false} {
		if got := p.worked(time.Duration(ms) * time.Millisecond); got != want {
			t.Errorf("at %d ms: %t", ms, got)
		}
	}
	for i := range 2 * maxLapses {
		p.answered(time.Duration(i) * time.Second)
	}
	if len(p.lapses) != maxLapses || p.worked(0) {
		t.Errorf("%d lapses, and the path worked: %t", len(p.lapses), p.worked(0))
	}
}

// TestSilentTwice has scans that do not probe silent pairs on two occasions, or
// not all of them.
func TestSilentTwice(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  Config
		want bool
	}{
		"all":          {Config{}, true},
		"one try each": {Config{Retries: -1}, false},
		"host timeout": {Config{Clock: hosts.NewClock(time.Minute)}, false},
		"some skipped": {Config{Skip: func(place uint64) bool { return place == 3 }}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, c := sweepAll(t, tt.cfg, neighbors(0), "192.0.2.0/28", 25)
			if got := c.Stats().SilentTwice; got != tt.want {
				t.Errorf("%s: %t, want %t", name, got, tt.want)
			}
		})
	}
}

// TestMeasured has a second scan of a network wait as long as the first one has
// shown to be necessary.
func TestMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, first := sweepAll(t, Config{}, neighbors(0), "192.0.2.0/28", 25)
		for _, tt := range []struct {
			name  string
			know  *Measured
			waits time.Duration
		}{
			{"nothing", nil, 3 * time.Second},
			{"the net", first.Measured(), nearLast},
			{"another net", MeasuredLongest(time.Millisecond), strangeLast},
			{"an answer that took long", MeasuredLongest(time.Second), 3 * time.Second},
		} {
			scope := scopetest.Set(t, "192.0.2.9")
			c, err := NewConnect(Config{Scope: scope, Retries: -1, Measured: tt.know, Dial: neighbors(0).dial})
			if err != nil {
				t.Fatal(err)
			}
			c.slowRefusals = false
			start := time.Now()
			got := slices.Collect(c.Scan(t.Context(), scopetest.Space(t, scope, 25)))
			if took := time.Since(start); len(got) != 1 || took < tt.waits || took > tt.waits+100*time.Millisecond {
				t.Errorf("%s: took %v, want %v: %v", tt.name, took, tt.waits, got)
			}
		}
	})
}
