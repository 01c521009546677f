package scan

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// A fakeNet simulates hosts for an injected Dial and records the probes.
type fakeNet struct {
	// play determines the result of the n-th try, from 1, for a pair.
	play func(to netip.AddrPort, n int) (rtt time.Duration, err error)

	mu       sync.Mutex
	tries    map[netip.AddrPort]int
	now      map[netip.Addr]int
	all      int
	mostHost int
	mostAll  int
	times    []time.Time
	open     int // not closed yet
}

// errSilent as the error means that there is no answer.
var errSilent = errors.New("silence")

func newFakeNet(play func(netip.AddrPort, int) (time.Duration, error)) *fakeNet {
	return &fakeNet{play: play, tries: map[netip.AddrPort]int{}, now: map[netip.Addr]int{}}
}

func (f *fakeNet) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	f.mu.Lock()
	f.tries[to]++
	n := f.tries[to]
	f.now[to.Addr()]++
	f.all++
	f.mostHost = max(f.mostHost, f.now[to.Addr()])
	f.mostAll = max(f.mostAll, f.all)
	f.times = append(f.times, time.Now())
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now[to.Addr()]--
		f.all--
		f.mu.Unlock()
	}()
	rtt, err := f.play(to, n)
	if err == errSilent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(rtt):
	}
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	f.mu.Lock()
	f.open++
	f.mu.Unlock()
	return &fakeConn{f: f}, nil
}

// A fakeConn counts that it is closed.
type fakeConn struct {
	net.Conn
	f     *fakeNet
	local net.Addr
	once  sync.Once
}

func (c *fakeConn) LocalAddr() net.Addr { return c.local }

func (c *fakeConn) Close() error {
	c.once.Do(func() {
		c.f.mu.Lock()
		c.f.open--
		c.f.mu.Unlock()
	})
	return nil
}

// sweepAll runs a scan over targets and returns its results by pair.
func sweepAll(t *testing.T, cfg Config, f *fakeNet, targets string, ports ...uint16) (map[netip.AddrPort]Result, *Connect) {
	t.Helper()
	scope := scopetest.Set(t, strings.Fields(targets)...)
	if cfg.Scope == nil {
		cfg.Scope = scope
	}
	cfg.Dial = f.dial
	c, err := NewConnect(cfg)
	if err != nil {
		t.Fatal(err)
	}
	got := map[netip.AddrPort]Result{}
	for r := range c.Scan(t.Context(), scopetest.Space(t, scope, ports...)) {
		if first, twice := got[r.Target]; twice && !(r.WasClosed && first.State == result.StateClosed) {
			t.Errorf("%v has two results", r.Target)
		}
		got[r.Target] = r
		if r.Conn != nil {
			r.Conn.Close()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open != 0 || f.all != 0 {
		t.Errorf("%d connections and %d dials are left", f.open, f.all)
	}
	return got, c
}

func TestStates(t *testing.T) {
	always := func(err error) func(netip.AddrPort, int) (time.Duration, error) {
		return func(netip.AddrPort, int) (time.Duration, error) { return 10 * time.Millisecond, err }
	}
	first := func(k int, err error) func(netip.AddrPort, int) (time.Duration, error) {
		return func(_ netip.AddrPort, n int) (time.Duration, error) {
			if n <= k {
				return 0, err
			}
			return 10 * time.Millisecond, nil
		}
	}
	for _, c := range []struct {
		name     string
		play     func(netip.AddrPort, int) (time.Duration, error)
		state    result.State
		reason   result.Reason
		attempts int
	}{
		{"accept", always(nil), result.StateOpen, result.ReasonSynAck, 1},
		{"refuse", always(syscall.ECONNREFUSED), result.StateClosed, result.ReasonConnRefused, 1},
		{"accept and reset", always(syscall.ECONNRESET), result.StateOpen, result.ReasonSynAck, 1},
		{"silence", always(errSilent), result.StateFiltered, result.ReasonNoResponse, 3},
		{"kernel timeout", always(syscall.ETIMEDOUT), result.StateFiltered, result.ReasonNoResponse, 3},
		{"no route to host", always(syscall.EHOSTUNREACH), result.StateFiltered, result.ReasonHostUnreach, 3},
		{"no route to net", always(syscall.ENETUNREACH), result.StateFiltered, result.ReasonNetUnreach, 3},
		{"prohibited", always(syscall.EACCES), result.StateFiltered, result.ReasonAdminProhibited, 3},
		{"prohibited once", first(1, syscall.EACCES), result.StateOpen, result.ReasonSynAck, 2},
		{"firewalled here", always(syscall.EPERM), result.StateFiltered, result.ReasonAdminProhibited, 3},
		{"out of files for a while", first(3, syscall.EMFILE), result.StateOpen, result.ReasonSynAck, 1},
		{"out of files", always(syscall.EMFILE), result.StateUnknown, result.ReasonUnknown, 0},
		{"out of buffers", always(syscall.ENOBUFS), result.StateUnknown, result.ReasonUnknown, 0},
		{"out of ports", always(syscall.EADDRNOTAVAIL), result.StateUnknown, result.ReasonUnknown, 0},
		{"no such family", always(syscall.EAFNOSUPPORT), result.StateUnknown, result.ReasonUnknown, 1},
		{"lost once", first(1, errSilent), result.StateOpen, result.ReasonSynAck, 2},
		{"lost twice", first(2, errSilent), result.StateOpen, result.ReasonSynAck, 3},
		{"slow", func(netip.AddrPort, int) (time.Duration, error) { return 2900 * time.Millisecond, nil }, result.StateOpen, result.ReasonSynAck, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, _ := sweepAll(t, Config{}, newFakeNet(c.play), "192.0.2.1", 25)
				r := got[netip.MustParseAddrPort("192.0.2.1:25")]
				if r.State != c.state || r.Reason != c.reason || c.attempts > 0 && r.Attempts != c.attempts {
					t.Errorf("got %+v", r)
				}
				if answered := r.State == result.StateOpen || r.State == result.StateClosed; answered != (r.RTT > 0) {
					t.Errorf("round trip %v", r.RTT)
				}
				if (r.State == result.StateUnknown) != (r.Err != nil) {
					t.Errorf("error %v", r.Err)
				}
				if r.Time.IsZero() {
					t.Error("no time")
				}
			})
		})
	}
}

// TestSelfConnect has a connection reach itself, as happens if the kernel chooses
// the probed port as the source port.
func TestSelfConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(nil)
		to := netip.MustParseAddrPort("127.0.0.1:33000")
		dials := 0
		c, err := NewConnect(Config{Scope: scopetest.Set(t, "127.0.0.1"), Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
			if dials++; dials == 1 {
				f.open++
				return &fakeConn{f: f, local: net.TCPAddrFromAddrPort(to)}, nil
			}
			return nil, syscall.ECONNREFUSED
		}})
		if err != nil {
			t.Fatal(err)
		}
		for r := range c.Scan(t.Context(), scopetest.Space(t, scopetest.Set(t, "127.0.0.1"), to.Port())) {
			if r.State != result.StateClosed || r.Attempts != 1 {
				t.Errorf("got %+v", r)
			}
		}
		if f.open != 0 {
			t.Error("the connection to ourselves is left open")
		}
	})
}

// TestCaps checks that neither limit is ever exceeded, and that both are used:
// the limit on connections to a host, if none of its ports is silent, and the
// total limit.
func TestCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			return time.Duration(1+to.Port()%9) * time.Millisecond, syscall.ECONNREFUSED
		})
		ports := make([]uint16, 40)
		for i := range ports {
			ports[i] = uint16(i + 1)
		}
		got, _ := sweepAll(t, Config{Concurrency: 20, PerHost: 3}, f, "192.0.2.0/28", ports...)
		if len(got) != 16*40 {
			t.Errorf("%d results", len(got))
		}
		if f.mostHost != 3 || f.mostAll != 20 {
			t.Errorf("%d at one host, %d in all", f.mostHost, f.mostAll)
		}
	})
}

// TestHostDoesNotBlockOthers has one host with thousands of silent ports among
// hosts that answer at once.
func TestHostDoesNotBlockOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			if to.Addr() == netip.MustParseAddr("198.51.100.9") {
				return 0, errSilent
			}
			return time.Millisecond, syscall.ECONNREFUSED
		})
		start := time.Now()
		scope := scopetest.Set(t, "192.0.2.0/24", "198.51.100.9:1-2000")
		c, err := NewConnect(Config{Scope: scope, Dial: f.dial, Concurrency: 2000})
		if err != nil {
			t.Fatal(err)
		}
		var quick time.Duration
		n := 0
		for r := range c.Scan(t.Context(), scopetest.Space(t, scope, 25, 143)) {
			if n++; r.State == result.StateClosed {
				quick = time.Since(start)
			}
		}
		if n != 512+2000 {
			t.Errorf("%d results", n)
		}
		if quick > time.Second {
			t.Errorf("the hosts that answer took %v, of %v in all", quick, time.Since(start))
		}
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return time.Millisecond, syscall.ECONNREFUSED })
		start := time.Now()
		sweepAll(t, Config{Rate: 200}, f, "10.0.0.0/24", 25, 143, 783, 10025)
		if d := time.Since(start); d < 5*time.Second || d > 5500*time.Millisecond {
			t.Errorf("1024 probes at 200 a second took %v", d)
		}
		for i := range f.times {
			if j := i + 210; j < len(f.times) && f.times[j].Sub(f.times[i]) < time.Second {
				t.Fatalf("more than 210 probes within a second")
			}
		}
	})
}

// TestRateIsShared has the rest of the program open a connection for each probe:
// the sweep takes twice as long.
func TestRateIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return time.Millisecond, syscall.ECONNREFUSED })
		start, told := time.Now(), 0
		var asked atomic.Int64
		play := f.play
		f.play = func(to netip.AddrPort, n int) (time.Duration, error) {
			asked.Add(1)
			return play(to, n)
		}
		others := func() int {
			n := int(asked.Load()) - told
			told += n
			return n
		}
		sweepAll(t, Config{Rate: 200, Others: others}, f, "10.0.0.0/24", 25, 143, 783, 10025)
		if d := time.Since(start); d < 9500*time.Millisecond || d > 11*time.Second {
			t.Errorf("1024 probes beside as many connections at 200 a second took %v", d)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			if to.Port() == 25 {
				return time.Millisecond, syscall.ECONNREFUSED
			}
			return 0, errSilent
		})
		scope := scopetest.Set(t, "10.0.0.0/24")
		c, err := NewConnect(Config{Scope: scope, Dial: f.dial, Concurrency: 50})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("the user has seen enough")
		time.AfterFunc(200*time.Millisecond, func() { cancel(why) })
		start := time.Now()
		states := map[result.State]int{}
		for r := range c.Scan(ctx, scopetest.Space(t, scope, 25, 143, 783)) {
			states[r.State]++
			if r.State == result.StateUnknown && (!errors.Is(r.Err, why) || r.Attempts < 1) {
				t.Errorf("got %+v", r)
			}
		}
		if d := time.Since(start); d != 200*time.Millisecond {
			t.Errorf("took %v", d)
		}
		asked := len(f.tries)
		if total := states[result.StateClosed] + states[result.StateFiltered] + states[result.StateUnknown]; total != asked || states[result.StateUnknown] == 0 || asked == 768 {
			t.Errorf("%d pairs asked, results %v", asked, states)
		}
		if f.all != 0 {
			t.Errorf("%d dials left", f.all)
		}
	})
}

// TestConsumerStops leaves the loop over the results: everything ends, nothing
// stays open.
func TestConsumerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return time.Millisecond, nil })
		scope := scopetest.Set(t, "10.0.0.0/22")
		c, err := NewConnect(Config{Scope: scope, Dial: f.dial, HandOn: true})
		if err != nil {
			t.Fatal(err)
		}
		for r := range c.Scan(t.Context(), scopetest.Space(t, scope, 25)) {
			r.Conn.Close()
			break
		}
		synctest.Wait()
		if f.open != 0 || f.all != 0 {
			t.Errorf("%d connections, %d dials left", f.open, f.all)
		}
	})
}

// TestSlowConsumer takes results slowly: the sweep continues, with a limited
// number of waiting connections.
func TestSlowConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return time.Millisecond, nil })
		scope := scopetest.Set(t, "10.0.0.0/22")
		c, err := NewConnect(Config{Scope: scope, Dial: f.dial, HandOn: true, Waiting: 10})
		if err != nil {
			t.Fatal(err)
		}
		with, without := 0, 0
		for r := range c.Scan(t.Context(), scopetest.Space(t, scope, 25)) {
			if with+without == 0 {
				time.Sleep(time.Minute)
				if s := c.Stats(); s.Done != 1024 {
					t.Errorf("the sweep stands at %d", s.Done)
				}
				if f.open > 11 {
					t.Errorf("%d connections wait", f.open)
				}
			}
			if r.State != result.StateOpen {
				t.Errorf("got %+v", r)
			}
			if r.Conn == nil {
				without++
				continue
			}
			with++
			r.Conn.Close()
		}
		if with < 10 || with > 11 || with+without != 1024 {
			t.Errorf("%d with a connection, %d without", with, without)
		}
	})
}

// TestScopeIsCheckedBeforeEachProbe sweeps a space with addresses outside the
// scope.
func TestScopeIsCheckedBeforeEachProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return time.Millisecond, nil })
		narrow := scopetest.Set(t, "10.0.0.0/28", "!10.0.0.4")
		got, _ := sweepAll(t, Config{Scope: narrow}, f, "10.0.0.0/24", 25)
		for to, r := range got {
			if in := narrow.Allows(to.Addr()); in != (r.State == result.StateOpen) || !in && (r.State != result.StateSkipped || r.Reason != result.ReasonOutOfScope || r.Err == nil) {
				t.Errorf("%v: %+v", to, r)
			}
			if f.tries[to] > 0 && !narrow.Allows(to.Addr()) {
				t.Errorf("%v was asked", to)
			}
		}
		if len(got) != 256 {
			t.Errorf("%d results", len(got))
		}
	})
}

func TestConfigErrors(t *testing.T) {
	scope := scopetest.Set(t, "127.0.0.1")
	for _, cfg := range []Config{{}, {Scope: scope, Rate: -1}, {Scope: scope, PerHost: -1}, {Scope: scope, Timeout: -1}} {
		if _, err := NewConnect(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	if n := fileBudget(0); n != 1 {
		t.Errorf("without files to spare: %d", n)
	}
}

// TestSameSeedSameOrder scans twice, one pair at a time.
func TestSameSeedSameOrder(t *testing.T) {
	run := func(seed uint64) string {
		var order []string
		synctest.Test(t, func(t *testing.T) {
			scope := scopetest.Set(t, "10.0.0.0/29")
			c, err := NewConnect(Config{Scope: scope, Seed: seed, Concurrency: 1, Dial: func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
				order = append(order, to.String())
				return nil, syscall.ECONNREFUSED
			}})
			if err != nil {
				t.Fatal(err)
			}
			for range c.Scan(t.Context(), scopetest.Space(t, scope, 25, 143)) {
			}
		})
		return fmt.Sprint(order)
	}
	first := run(1)
	if again := run(1); again != first {
		t.Error("the same seed gives another order")
	}
	if run(2) == first {
		t.Error("another seed gives the same order")
	}
}

// limited is the host of most tests.
var limited = netip.MustParseAddr("192.0.2.1")

// TestSweepSharesLimit checks that a sweep and the connections that it handed on
// never have more slots of a host together than the limit, and that all pairs are
// probed although each connection is held for a while.
func TestSweepSharesLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return 5 * time.Millisecond, nil })
		limit := hosts.NewSlots(4)
		most := 0
		look := func() {
			probes, dialogues := limit.InUse(limited)
			most = max(most, probes+dialogues)
		}
		scope := scopetest.Set(t, "192.0.2.1:1-40")
		c, err := NewConnect(Config{Scope: scope, Dial: f.dial, Slots: limit, PerHost: 4, HandOn: true})
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for r := range c.Scan(t.Context(), scopetest.Space(t, scope)) {
			if r.State != result.StateOpen {
				t.Errorf("%v is %v", r.Target, r.State)
			}
			seen++
			look()
			if r.Conn != nil {
				go func(conn net.Conn) {
					time.Sleep(time.Second)
					conn.Close()
					conn.Close() // releases the slot only once
				}(r.Conn)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if look(); seen != 40 || most > 5 {
			t.Errorf("%d ports seen, want 40; %d slots taken at once, want 5 at most", seen, most)
		}
		if probes, dialogues := limit.InUse(limited); probes != 0 || dialogues != 0 {
			t.Errorf("%d probes and %d dialogues have a slot at the end", probes, dialogues)
		}
	})
}
