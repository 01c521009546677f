package scan

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// TestSilentHost scans a host that drops all probes: its ports are awaited at the
// same time.
func TestSilentHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return 0, errSilent })
		start := time.Now()
		sweepAll(t, Config{Rate: 1000}, f, "192.0.2.1", portsFrom(10000, 118)...)
		if took := time.Since(start); took > 4600*time.Millisecond || took < 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestMostlySilentHost scans a host with a few open ports that drops all other
// probes: the limit on open connections does not delay the probes that stay
// silent.
func TestMostlySilentHost(t *testing.T) {
	for _, rtt := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
				if to.Port()%25 == 0 {
					return rtt, nil
				}
				return 0, errSilent
			})
			scope := scopetest.Set(t, "192.0.2.1")
			c, err := NewConnect(Config{Scope: scope, Rate: 1000, Dial: f.dial})
			if err != nil {
				t.Fatal(err)
			}
			c.slowRefusals = false
			start := time.Now()
			for r := range c.Scan(t.Context(), scopetest.Space(t, scope, portsFrom(10000, 125)...)) {
				if want := r.Target.Port()%25 == 0; want != (r.State == result.StateOpen) {
					t.Errorf("a round trip of %v: %+v", rtt, r)
				}
			}
			if took := time.Since(start); took > 1500*time.Millisecond+40*rtt {
				t.Errorf("a round trip of %v: took %v", rtt, took)
			}
		})
	}
}

// TestNeverMoreOpen scans hosts with some open ports: never are more connections
// open, or likely to open, than PerHost.
func TestNeverMoreOpen(t *testing.T) {
	for _, rtt := range []time.Duration{time.Millisecond, 30 * time.Millisecond, 120 * time.Millisecond} {
		for _, every := range []uint16{1, 2, 3, 10, 40} {
			for _, refuses := range []bool{true, false} {
				for seed := range uint64(6) {
					synctest.Test(t, func(t *testing.T) {
						var mu sync.Mutex
						coming, most := 0, 0
						f := newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
							switch {
							case to.Port()%every == 0:
							case refuses:
								return rtt, syscall.ECONNREFUSED
							default:
								return 0, errSilent
							}
							mu.Lock()
							defer mu.Unlock()
							coming++
							most = max(most, coming)
							time.AfterFunc(rtt-time.Microsecond, func() {
								mu.Lock()
								defer mu.Unlock()
								coming--
							})
							return rtt, nil
						})
						sweepAll(t, Config{Rate: 1000, Seed: seed}, f, "192.0.2.1", portsFrom(10000, 200)...)
						if most > 8 {
							t.Errorf("round trip %v, 1 of %d open, others refuse %t, seed %d: %d connections at once", rtt, every, refuses, seed, most)
						}
					})
				}
			}
		}
	}
}

// TestPaceAfterSilence has a firewall block the scanner for a while after some
// SYNs: from then on the host is probed at half the rate at most.
func TestPaceAfterSilence(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var times []time.Duration
			start, down := time.Now(), time.Duration(0)
			f := newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
				mu.Lock()
				defer mu.Unlock()
				now := time.Since(start)
				if times = append(times, now); len(times) == 100 {
					down = now + 5*time.Second
				}
				switch {
				case now < down || to.Port()%3 > 0:
					return 0, errSilent
				case to.Port()%30 == 0:
					return 10 * time.Millisecond, nil
				}
				return 10 * time.Millisecond, syscall.ECONNREFUSED
			})
			sweepAll(t, Config{Seed: seed}, f, "192.0.2.1", portsFrom(10000, 300)...)
			gap, later := 2*times[99]/100, 0
			for i := range times {
				if times[i] < down {
					continue
				}
				if later++; i > 0 && later > 20 && times[i]-times[i-20] < 15*gap { // controls have their own schedule
					t.Fatalf("seed %d: 20 probes within %v, where 100 had taken %v", seed, times[i]-times[i-20], times[99])
				}
			}
			if later < 200 {
				t.Errorf("seed %d: %d probes after the outage", seed, later)
			}
		})
	}
}

// lossy simulates a network that drops the fraction loss of the packets each way,
// at random, and the kernel, which retransmits a SYN after a second.
func lossy(loss float64, seed uint64, rtt time.Duration, answer func(netip.AddrPort) error) *fakeNet {
	r := rand.New(rand.NewPCG(seed, 3))
	var mu sync.Mutex
	return newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
		err := answer(to)
		if err == errSilent {
			return 0, err
		}
		mu.Lock()
		defer mu.Unlock()
		lost := func() bool { return min(r.Float64(), r.Float64()) < loss }
		switch {
		case !lost():
			return rtt, err
		case !lost():
			return rtt + time.Second, err
		}
		return 0, errSilent
	})
}

// TestFoundDespiteLoss counts the open ports that are missed if 5% of all packets
// get lost each way: less than 1 in 10,000, whether few or many answers show the
// loss.
func TestFoundDespiteLoss(t *testing.T) {
	silentBut := func(every uint16) func(netip.AddrPort) error {
		return func(to netip.AddrPort) error {
			if to.Port()%every == 0 {
				return nil
			}
			return errSilent
		}
	}
	for _, tt := range []struct {
		name    string
		targets string
		ports   int
		every   uint16 // one port of every so many is open, all others are silent
		runs    uint64
	}{
		{"one open port", "192.0.2.1", 40, 40, 400},
		{"five open ports", "192.0.2.1", 50, 10, 300},
		{"many hosts", "192.0.2.0/24", 8, 4, 16},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			missed, open := 0, 0
			for seed := range tt.runs {
				synctest.Test(t, func(t *testing.T) {
					f := lossy(0.05, seed, 20*time.Millisecond, silentBut(tt.every))
					got, _ := sweepAll(t, Config{Seed: seed}, f, tt.targets, portsFrom(10000, tt.ports)...)
					for to, r := range got {
						if to.Port()%tt.every != 0 {
							continue
						}
						if open++; r.State != result.StateOpen {
							missed++
						}
					}
				})
			}
			if most := 1 + open/10000; missed > most {
				t.Errorf("%d of %d open ports are missed", missed, open)
			}
			t.Logf("%d of %d open ports are missed", missed, open)
		})
	}
}

// TestTriesForTheLoss checks the number of probes of a silent port while all
// answers came at the first try: an open port is missed less than once in 10,000 if
// 5% get lost each way, either because there are enough probes or because no loss
// would have been seen with no higher probability. It is not much more whatever gets
// lost. With enough answers one retry is enough.
func TestTriesForTheLoss(t *testing.T) {
	for answers := range 2000 {
		n := max(2, triesWithoutLoss(answers))
		miss := func(p float64) float64 {
			return math.Pow(p, float64(n)) * math.Pow(1-p, float64(answers))
		}
		if m := miss(1 - 0.95*0.95); m > 1e-4 {
			t.Errorf("after %d answers without loss, %d probes: %.1e", answers, n, m)
		}
		for p := 0.001; p < 1 && answers > 21; p += 0.001 {
			if m := miss(p); m > 1./3500 {
				t.Errorf("after %d answers without loss, %d probes: %.1e if %.3f are lost", answers, n, m, p)
			}
		}
		if answers > 45 && n != 2 {
			t.Errorf("after %d answers without loss there are %d probes", answers, n)
		}
	}
	if n := triesWithoutLoss(0); n != 4 {
		t.Errorf("%d probes if nothing is known", n)
	}
	if n := tries(1 - 0.95*0.95); n != 5 {
		t.Errorf("%d probes at 5%% each way", n)
	}
}
