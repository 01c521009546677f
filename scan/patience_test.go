package scan

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// TestLoss simulates networks that lose packets at random, each way.
func TestLoss(t *testing.T) {
	for _, loss := range []float64{0.05, 0.2} {
		wrong := 0 // about one in 50,000
		for seed := range uint64(10) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 2))
				var mu sync.Mutex
				f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
					mu.Lock()
					defer mu.Unlock()
					rtt := 20*time.Millisecond + time.Duration(r.IntN(int(10*time.Millisecond)))
					if min(r.Float64(), r.Float64()) < loss || to.Port() == 783 {
						return 0, errSilent
					}
					if to.Port() == 25 {
						return rtt, nil
					}
					return rtt, syscall.ECONNREFUSED
				})
				got, c := sweepAll(t, Config{Seed: seed}, f, "10.0.0.0/25", 25, 143, 783)
				for to, r := range got {
					if want := map[uint16]result.State{25: result.StateOpen, 143: result.StateClosed, 783: result.StateFiltered}[to.Port()]; r.State != want {
						wrong++
					}
				}
				if len(got) != 128*3 {
					t.Errorf("loss %v, seed %d: %d results", loss, seed, len(got))
				}
				if c.Stats().Lost == 0 {
					t.Errorf("loss %v, seed %d: none was seen", loss, seed)
				}
			})
		}
		if wrong > 2 {
			t.Errorf("loss %v: %d of 3840 are wrong", loss, wrong)
		}
	}
}

// TestFewerTriesWithoutLoss checks that silent ports are not probed again and
// again if very many answers show that nothing is lost.
func TestFewerTriesWithoutLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			if to.Port() == 783 && to.Addr().As4()[3] > 200 {
				return 0, errSilent
			}
			return 5 * time.Millisecond, syscall.ECONNREFUSED
		})
		got, _ := sweepAll(t, Config{}, f, "10.0.0.0/22", 25, 143, 783)
		counts := map[int]int{}
		for _, r := range got {
			if r.State == result.StateFiltered {
				counts[r.Attempts]++
			}
		}
		if counts[2] != 4*55 {
			t.Errorf("silent ports by tries: %v", counts)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return 0, errSilent })
		got, _ := sweepAll(t, Config{Retries: -1}, f, "10.0.0.1", 25)
		if r := got[netip.MustParseAddrPort("10.0.0.1:25")]; r.Attempts != 1 {
			t.Errorf("without retries: %+v", r)
		}
	})
}

// TestPatience has hosts at very different distances: none is missed, and the
// silent ones do not take as long as the farthest.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far := map[byte]time.Duration{0: time.Millisecond, 1: 80 * time.Millisecond, 2: 300 * time.Millisecond, 3: 900 * time.Millisecond}
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			b := to.Addr().As4()
			if to.Port() == 783 {
				return 0, errSilent
			}
			return far[b[2]] + time.Duration(b[3])*far[b[2]]/1000, nil
		})
		start := time.Now()
		got, c := sweepAll(t, Config{}, f, "10.0.0.0/28 10.0.1.0/28 10.0.2.0/28 10.0.3.0/28", 25, 143, 783)
		for to, r := range got {
			if want := to.Port() != 783; (r.State == result.StateOpen) != want {
				t.Errorf("%v: %+v", to, r)
			}
		}
		if d := time.Since(start); d > 12*time.Second {
			t.Errorf("took %v", d)
		}
		if s := c.Stats(); s.Lost > 0 {
			t.Errorf("%d slow answers count as lost", s.Lost)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			if to.Addr().As4()[3] == 7 {
				return time.Millisecond, syscall.ECONNREFUSED
			}
			return 0, errSilent
		})
		start := time.Now()
		sweepAll(t, Config{}, f, "10.0.0.0/24", 25, 143, 783)
		if d := time.Since(start); d > 300*time.Millisecond {
			t.Errorf("a silent net with one neighbour a millisecond away took %v", d)
		}
	})
}

// TestLossWithoutRetries answers only every fourth SYN to a host with one probe
// per port: the required controls do not go on forever.
func TestLossWithoutRetries(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			n := 0
			got, engine := sweepAll(t, Config{Seed: seed, Retries: -1}, newFakeNet(func(netip.AddrPort, int) (time.Duration, error) {
				mu.Lock()
				defer mu.Unlock()
				if n++; n%4 > 0 {
					return 0, errSilent
				}
				return time.Millisecond, syscall.ECONNREFUSED
			}), "192.0.2.1", portsFrom(10000, 400)...)
			if sent := engine.Stats().Sent; len(got) != 400 || sent > 8*400 {
				t.Errorf("seed %d: %d results for 400 pairs, with %d probes", seed, len(got), sent)
			}
		})
	}
}

// TestTooFewProbes checks when silence proves nothing because too few of the
// probes arrive.
func TestTooFewProbes(t *testing.T) {
	for _, c := range []struct {
		loss   float64
		probes int
		few    bool
	}{{0, 1, false}, {0.04, 1, false}, {0.06, 1, true}, {0.2, 2, false}, {0.25, 2, true}, {0.75, 4, true}, {0.75, 15, false}, {1, 100, true}} {
		if err := TooFewProbes(c.loss, c.probes); (err != nil) != c.few {
			t.Errorf("%d probes at a loss of %v: %v", c.probes, c.loss, err)
		}
	}
}

// TestTooFewProbesForTheLoss answers only every fourth SYN to a host with one
// probe per port: not all silent pairs are filtered, and the reason is reported.
func TestTooFewProbesForTheLoss(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			var mu sync.Mutex
			got, _ := sweepAll(t, Config{Seed: seed, Retries: -1}, newFakeNet(func(netip.AddrPort, int) (time.Duration, error) {
				mu.Lock()
				defer mu.Unlock()
				if n++; n%4 > 0 {
					return 0, errSilent
				}
				return time.Millisecond, syscall.ECONNREFUSED
			}), "192.0.2.1", portsFrom(10000, 400)...)
			unknown, filtered := 0, 0
			for _, r := range got {
				switch {
				case r.State == result.StateFiltered:
					filtered++
				case r.State == result.StateUnknown && (errors.As(r.Err, new(*FewProbesError)) || r.Reason == result.ReasonBlocked):
					unknown++
				}
			}
			if unknown < 20 || unknown < filtered {
				t.Errorf("seed %d: %d silent pairs are unknown, %d filtered", seed, unknown, filtered)
			}
		})
	}
}

// TestLastWaitByLongest checks how long the last try is awaited in a net that answered.
func TestLastWaitByLongest(t *testing.T) {
	for _, tt := range []struct {
		longest       time.Duration
		answers, lost int
		attempts      int
		control       bool
		want          time.Duration
	}{
		{time.Millisecond, 60, 0, 2, false, steadyLast},
		{15 * time.Millisecond, 60, 0, 2, false, 75 * time.Millisecond},
		{time.Second, 60, 0, 2, false, nearLast},
		{time.Millisecond, steadyAnswers - 1, 0, 2, false, nearLast},
		{time.Millisecond, steadyAnswers, 0, 2, false, nearLast}, // a third try is due
		{time.Millisecond, 60, 1, 5, false, nearLast},
		{time.Millisecond, 60, 0, 1, false, nearLast},
		{time.Millisecond, 60, 0, 2, true, nearLast},
	} {
		s := &sweep{c: &Connect{}, cfg: Config{Retries: 2, Timeout: 3 * time.Second}}
		for range tt.answers - 1 {
			s.all.answer(time.Millisecond, 0)
		}
		s.all.answer(tt.longest, tt.lost)
		n := &subnet{}
		n.est.answer(time.Millisecond, 0)
		p := &probe{host: &host{net: n}, attempts: tt.attempts, control: tt.control}
		if got := s.patience(p, true); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// TestRoundTrip: what the kernel has measured counts, not when the sweep looked.
func TestRoundTrip(t *testing.T) {
	s := &sweep{now: 150 * time.Millisecond}
	for measured, want := range map[time.Duration]time.Duration{
		0:                    50 * time.Millisecond,
		2 * time.Millisecond: 2 * time.Millisecond,
		time.Second:          50 * time.Millisecond,
	} {
		if got := s.roundTrip(&probe{sent: 100 * time.Millisecond, rtt: measured}); got != want {
			t.Errorf("measured %v: %v, want %v", measured, got, want)
		}
	}
}

// TestRoundsOverlap has a net whose first round is long: the second one begins while
// the latest probes of the first are still awaited, and no pair is probed twice within
// the shortest wait.
func TestRoundsOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		probed := map[netip.AddrPort]time.Time{}
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			if to.Addr().As4()[3]%10 == 1 {
				return time.Millisecond, syscall.ECONNREFUSED
			}
			mu.Lock()
			defer mu.Unlock()
			if last, ok := probed[to]; ok && time.Since(last) < shortest {
				t.Errorf("%v: probed again after %v", to, time.Since(last))
			}
			probed[to] = time.Now()
			return 0, errSilent
		})
		got, _ := sweepAll(t, Config{}, f, "10.0.0.0/24", 25, 143, 783, 993)
		for to, r := range got {
			if want := to.Addr().As4()[3]%10 == 1; (r.State == result.StateClosed) != want || !want && r.Attempts < 2 {
				t.Errorf("%v: %+v", to, r)
			}
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("took %v", d)
		}
	})
}
