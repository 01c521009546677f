package scan

import (
	"errors"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// A guarded host is behind a firewall that stops passing probes.
type guarded struct {
	open, closed map[uint16]bool // all other ports are silent
	rejects      bool            // the others answer by ICMP; Dial does not report the sender
	shut         func(n int, since time.Duration) bool

	mu    sync.Mutex
	n     int // SYNs to the host so far
	begun time.Time
}

func (g *guarded) play(to netip.AddrPort, _ int) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.begun.IsZero() {
		g.begun = time.Now()
	}
	g.n++
	switch port := to.Port(); {
	case g.shut != nil && g.shut(g.n, time.Since(g.begun)):
		return 0, errSilent
	case g.open[port]:
		return time.Millisecond, nil
	case g.closed[port]:
		return time.Millisecond, syscall.ECONNREFUSED
	case g.rejects:
		return time.Millisecond, syscall.EHOSTUNREACH
	}
	return 0, errSilent
}

// after has a firewall drop everything after n SYNs.
func after(n int) func(int, time.Duration) bool {
	return func(k int, _ time.Duration) bool { return k > n }
}

// portsFrom returns n ports from first on.
func portsFrom(first uint16, n int) (list []uint16) {
	for i := range n {
		list = append(list, first+uint16(i))
	}
	return list
}

func portSet(list ...uint16) map[uint16]bool {
	set := map[uint16]bool{}
	for _, p := range list {
		set[p] = true
	}
	return set
}

// TestBlocked has a firewall drop everything after some SYNs: silent pairs are
// unknown from then on, and no open port is reported as filtered.
func TestBlocked(t *testing.T) {
	ports := portsFrom(10000, 118)
	for _, n := range []int{10, 40, 80, 200} {
		for seed := range uint64(8) {
			for _, closed := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					g := &guarded{open: portSet(10025, 10001, 10050, 10077), shut: after(n)}
					if closed {
						g.closed = portSet(ports...)
					}
					start := time.Now()
					got, c := sweepAll(t, Config{Seed: seed}, newFakeNet(g.play), "192.0.2.1", ports...)
					count, up := map[result.State]int{}, false
					for _, r := range got {
						count[r.State]++
						up = up || r.FromTarget()
						if r.State == result.StateUnknown && (r.Reason != result.ReasonBlocked || !errors.As(r.Err, new(*BlockedError))) {
							t.Errorf("got %+v", r)
						}
						if g.open[r.Target.Port()] && r.State == result.StateFiltered && up {
							t.Errorf("%v is filtered", r.Target)
						}
					}
					for p := range g.open {
						if r := got[netip.AddrPortFrom(limited, p)]; up && r.State != result.StateOpen && r.State != result.StateUnknown {
							t.Errorf("n %d, seed %d: open port %d is %s", n, seed, p, r.State)
						}
					}
					if closed && n < 118 && count[result.StateUnknown] == 0 {
						t.Errorf("n %d, seed %d: %v", n, seed, count)
					}
					st, blocks := c.Stats(), c.Stats().Blocked
					if blocked := count[result.StateUnknown] > 0; blocked != (len(blocks) == 1) || blocked && (blocks[0].Pairs != uint64(count[result.StateUnknown]) || blocks[0].Addr != limited || st.BlockedPairs != blocks[0].Pairs) {
						t.Errorf("blocks %+v, results %v", blocks, count)
					}
					if d := time.Since(start); d > 75*time.Second {
						t.Errorf("n %d, seed %d, closed %v: took %v, %d SYNs", n, seed, closed, d, g.n)
					}
				})
			}
		}
	}
}

// TestReopened has a port refuse only the first connection, as one behind a load
// balancer may: if a control finds it open, it is open.
func TestReopened(t *testing.T) {
	ports := portsFrom(10000, 118)
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			g := &guarded{}
			got, c := sweepAll(t, Config{Seed: seed}, newFakeNet(func(to netip.AddrPort, try int) (time.Duration, error) {
				if to.Port() != 10040 {
					return g.play(to, try)
				}
				if try == 1 {
					return time.Millisecond, syscall.ECONNREFUSED
				}
				return time.Millisecond, nil
			}), "192.0.2.1", ports...)
			count := map[result.State]int{}
			for _, r := range got {
				count[r.State]++
			}
			r := got[netip.AddrPortFrom(limited, 10040)]
			if r.State != result.StateOpen || !r.WasClosed || r.Reason != result.ReasonSynAck || r.RTT <= 0 || r.Time.IsZero() {
				t.Errorf("got %+v", r)
			}
			if st := c.Stats(); count[result.StateFiltered] != 117 || st.Open != 1 || st.Done != 118 {
				t.Errorf("states %v, stats %+v", count, st)
			}
		})
	}
}

// TestPathDownDuringTheSweep has the path fail for a while: the sweep waits, and
// then finds everything.
func TestPathDownDuringTheSweep(t *testing.T) {
	ports := portsFrom(10000, 118)
	for _, down := range []time.Duration{time.Second, 3 * time.Second, 20 * time.Second} {
		for _, begin := range []time.Duration{20 * time.Millisecond, 500 * time.Millisecond, time.Second} {
			for seed := range uint64(4) {
				synctest.Test(t, func(t *testing.T) {
					g := &guarded{open: portSet(10025, 10001, 10050, 10077, 10099)}
					g.shut = func(_ int, since time.Duration) bool { return since >= begin && since < begin+down }
					got, c := sweepAll(t, Config{Seed: seed}, newFakeNet(g.play), "192.0.2.1", ports...)
					up := false
					for _, r := range got {
						up = up || r.FromTarget()
					}
					for p := range g.open {
						// The sweep does not wait for a host that has not
						// answered: its silence proves nothing.
						if r := got[netip.AddrPortFrom(limited, p)]; r.State != result.StateOpen && up {
							t.Errorf("down %v at %v, seed %d: port %d is %s", down, begin, seed, p, r.State)
						}
					}
					if n := len(c.Stats().Blocked); n > 0 || len(got) != len(ports) {
						t.Errorf("%d blocked, %d results", n, len(got))
					}
				})
			}
		}
	}
}

// TestControlCost counts the packets for controls, and for the retries that they
// require, on a host with 5 open and 113 silent ports: a control of an open port
// is a SYN, an ACK and a RST.
func TestControlCost(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			g := &guarded{open: portSet(10025, 10001, 10050, 10077, 10099)}
			got, c := sweepAll(t, Config{Seed: seed}, newFakeNet(g.play), "192.0.2.1", portsFrom(10000, 118)...)
			st := c.Stats()
			silent := 0
			for _, r := range got {
				if r.State == result.StateFiltered {
					silent++
				}
			}
			const tries = 4
			without := 3*5 + tries*113
			if with := int(st.Sent + 2*5 + 2*st.Controls); silent != 113 || st.Controls == 0 || with < without || float64(with) > 1.05*float64(without) {
				t.Errorf("seed %d: %d silent, %d packets, %d controls among them, %d without them", seed, silent, with, st.Controls, without)
			}
		})
	}
}

// TestControlEvery counts the silent pairs between two controls of a host that
// answers on one port: 32 at first, then twice as many each time, up to 512.
func TestControlEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &guarded{open: portSet(10000)}
		var mu sync.Mutex
		var gaps []int
		silent, answered := map[uint16]bool{}, false
		f := newFakeNet(func(to netip.AddrPort, try int) (time.Duration, error) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case to.Port() != 10000:
				silent[to.Port()] = true
			case answered:
				gaps = append(gaps, len(silent))
				silent = map[uint16]bool{}
			default:
				answered, silent = true, map[uint16]bool{}
			}
			return g.play(to, try)
		})
		const flying = 32
		sweepAll(t, Config{Concurrency: flying, Retries: -1, Timeout: time.Millisecond}, f, "192.0.2.1", portsFrom(10000, 3000)...)
		for i, most := range []int{32, 64, 128, 256, 512, 512, 512, 512} {
			if i >= len(gaps) || gaps[i] > most+flying/2 || i < 4 && gaps[i] < most-flying/2 {
				t.Errorf("after %v silent pairs; control %d was to come after %d", gaps, i+1, most)
				break
			}
		}
		if len(silent) > 0 {
			t.Errorf("%d pairs were asked after the last control", len(silent))
		}
	})
}

// TestPaceBlocked has a firewall that passes only a few SYNs per second:
// everything is found, more slowly.
func TestPaceBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := portsFrom(10000, 118)
		g := &guarded{open: portSet(10025, 10001), closed: portSet(ports...)}
		second, n := time.Duration(0), 0
		g.shut = func(_ int, since time.Duration) bool {
			if since -= since % time.Second; since != second {
				second, n = since, 0
			}
			n++
			return n > 20
		}
		start := time.Now()
		got, c := sweepAll(t, Config{}, newFakeNet(g.play), "192.0.2.1", ports...)
		count := map[result.State]int{}
		for _, r := range got {
			count[r.State]++
		}
		if count[result.StateOpen] != 2 || count[result.StateClosed] != 116 {
			t.Errorf("%v, %d blocked, after %v", count, len(c.Stats().Blocked), time.Since(start))
		}
	})
}

// TestRefusalsThatComeLate simulates Windows, which reports a refusal only after
// about a second: a closed port is closed.
func TestRefusalsThatComeLate(t *testing.T) {
	for _, open := range []uint16{0, 10025} {
		for _, late := range []time.Duration{10 * time.Millisecond, time.Second, 2 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
					if to.Port() == open {
						return 10 * time.Millisecond, nil
					}
					return late, syscall.ECONNREFUSED
				})
				got, _ := sweepAll(t, Config{Concurrency: 100}, f, "192.0.2.1", portsFrom(10000, 118)...)
				for to, r := range got {
					if want := to.Port() == open; (r.State == result.StateOpen) != want || !want && r.State != result.StateClosed {
						t.Errorf("open %d, refusals after %v: %v is %s", open, late, to, r.State)
					}
				}
			})
		}
	}
}

// A sender is a dial error caused by an ICMP message from a known sender.
type sender struct {
	syscall.Errno
	from netip.Addr
}

func (e sender) Unwrap() error { return e.Errno }

// A senderDialer reports the sender of the ICMP messages that cause the errors of
// a simulated dial.
type senderDialer struct{ dialer.Dialer }

func (w senderDialer) Wait(list []dialer.Ending, d time.Duration) []dialer.Ending {
	list = w.Dialer.Wait(list, d)
	for i := range list {
		var s sender
		if errors.As(list[i].Err, &s) {
			list[i].From = s.from
		}
	}
	return list
}

// sweepWith is sweepAll with a network in which the senders of ICMP errors are
// known.
func sweepWith(t *testing.T, cfg Config, f *fakeNet, scope *scope.Set, ports ...uint16) (map[netip.AddrPort]Result, *Connect) {
	t.Helper()
	cfg.Scope, cfg.Dial = scope, f.dial
	c, err := NewConnect(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.dialer = senderDialer{c.dialer}
	got := map[netip.AddrPort]Result{}
	for r := range c.Scan(t.Context(), scopetest.Space(t, scope, ports...)) {
		got[r.Target] = r
	}
	return got, c
}
