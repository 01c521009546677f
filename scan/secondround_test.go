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
