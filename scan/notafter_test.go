package scan

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// TestNotAfter ends the authorization in the middle of a sweep: nothing is sent
// after it, no connection stays open, and every pair has a result.
func TestNotAfter(t *testing.T) {
	for _, silent := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
				switch {
				case to.Port()%3 == 0:
					return 5 * time.Millisecond, nil
				case silent:
					return 0, errSilent
				}
				return 5 * time.Millisecond, syscall.ECONNREFUSED
			})
			end := time.Now().Add(300 * time.Millisecond)
			got, _ := sweepAll(t, Config{NotAfter: end, Rate: 1000, HandOn: true}, f, "192.0.2.0/28", portsFrom(10000, 118)...)
			if len(got) != 16*118 {
				t.Errorf("%d results", len(got))
			}
			for _, at := range f.times {
				if !at.Before(end) {
					t.Errorf("a probe left %v after the end", at.Sub(end))
				}
			}
			count := map[result.State]int{}
			for _, r := range got {
				if count[r.State]++; r.State == result.StateUnknown && !errors.As(r.Err, new(*ExpiredError)) {
					t.Errorf("got %+v", r)
				}
			}
			if count[result.StateOpen] == 0 || count[result.StateUnknown] == 0 {
				t.Errorf("%v", count)
			}
		})
	}
}

// TestNotAfterControls has the authorization end during the pause of a host: its
// pairs are unknown, and no control is sent later.
func TestNotAfterControls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := portsFrom(10000, 118)
		g := &guarded{closed: portSet(ports...), shut: after(40)}
		f := newFakeNet(g.play)
		end := time.Now().Add(2500 * time.Millisecond)
		got, _ := sweepAll(t, Config{NotAfter: end}, f, "192.0.2.1", ports...)
		if last := f.times[len(f.times)-1]; !last.Before(end) || len(got) != len(ports) {
			t.Errorf("the last probe left %v before the end, %d results", end.Sub(last), len(got))
		}
		if d := time.Since(end); d > time.Millisecond {
			t.Errorf("went on for %v", d)
		}
	})
}

// TestEarlier continues with a host that was up in an earlier run and is silent
// now, which proves nothing.
func TestEarlier(t *testing.T) {
	for _, answers := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := &guarded{closed: portSet(9)}
			if !answers {
				g.shut = after(0)
			}
			earlier := []Result{
				{Target: netip.AddrPortFrom(limited, 9), State: result.StateClosed},
				{Target: netip.MustParseAddrPort("192.0.2.2:9"), State: result.StateFiltered, Reason: result.ReasonNoResponse},
			}
			got, _ := sweepAll(t, Config{Earlier: slices.Values(earlier)}, newFakeNet(g.play), "192.0.2.1-2", portsFrom(10000, 20)...)
			for to, r := range got {
				want := result.StateFiltered
				if to.Addr() == limited && !answers {
					want = result.StateUnknown
				}
				if r.State != want {
					t.Errorf("host answers: %v: %v is %s (%s)", answers, to, r.State, r.Reason)
				}
			}
		})
	}
}

// TestCancelHeld stops a sweep while silent pairs wait for their control: they
// are unknown, with the reason that the sweep was stopped.
func TestCancelHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &guarded{closed: portSet(10000)}
		f := newFakeNet(g.play)
		scope := scopetest.Set(t, "192.0.2.1")
		c, err := NewConnect(Config{Scope: scope, Dial: f.dial})
		if err != nil {
			t.Fatal(err)
		}
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(4*time.Second, func() { cancel(why) })
		for r := range c.Scan(ctx, scopetest.Space(t, scope, portsFrom(10000, 40)...)) {
			if r.State != result.StateClosed && (r.State != result.StateUnknown || !errors.Is(r.Err, why) || r.Attempts == 0) && r.State != result.StateFiltered {
				t.Errorf("got %+v", r)
			}
		}
	})
}

// TestSenders has ICMP errors come from the target and from a router.
func TestSenders(t *testing.T) {
	router := netip.MustParseAddr("198.51.100.254")
	scope := scopetest.Set(t, "192.0.2.1-3")
	synctest.Test(t, func(t *testing.T) {
		last := func(to netip.AddrPort) byte { return to.Addr().As4()[3] }
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			from := to.Addr()
			switch {
			case last(to) == 1 && to.Port() == 10000: // up, but for the router
				return time.Millisecond, syscall.ECONNREFUSED
			case last(to) == 1:
				from = router
			case last(to) == 3 && n == 1 && to.Port() == 10005:
				from = router
			case last(to) == 3 && to.Port() == 10005:
				return time.Millisecond, nil
			case last(to) == 3:
				from = router
			}
			return time.Millisecond, sender{syscall.EHOSTUNREACH, from}
		})
		got, c := sweepWith(t, Config{}, f, scope, portsFrom(10000, 20)...)
		for to, r := range got {
			want := Result{State: result.StateFiltered, Reason: result.ReasonHostUnreach, From: router}
			switch {
			case last(to) == 2:
				want.From = to.Addr()
			case last(to) == 1 && to.Port() == 10000:
				want = Result{State: result.StateClosed, Reason: result.ReasonConnRefused}
			case last(to) == 3 && to.Port() == 10005:
				want = Result{State: result.StateOpen, Reason: result.ReasonSynAck}
			}
			if r.State != want.State || r.Reason != want.Reason || r.From != want.From || r.Attempts < 2 && want.From.IsValid() {
				t.Errorf("%v: %+v, want %+v", to, r, want)
			}
			if r.FromTarget() != (last(to) == 2 || want.State != result.StateFiltered) {
				t.Errorf("%v shows that its host is up: %v", to, r.FromTarget())
			}
		}
		if st := c.Stats(); st.Answered != 60 || st.Done != 60 {
			t.Errorf("%+v", st)
		}
	})
}

// TestControlsByICMP has a host answer one port by ICMP and no other: its
// controls are sent a second after any other probe, because the host limits the
// rate of such errors.
func TestControlsByICMP(t *testing.T) {
	scope := scopetest.Set(t, "192.0.2.1")
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var last time.Time // when the last probe was sent
		controls := 0
		f := newFakeNet(func(to netip.AddrPort, n int) (time.Duration, error) {
			mu.Lock()
			defer mu.Unlock()
			before := last
			last = time.Now()
			if to.Port() != 10000 {
				return 0, errSilent
			}
			if n > 1 {
				controls++
				if quiet := last.Sub(before); quiet < time.Second {
					t.Errorf("control %d left %v after another probe", controls, quiet)
				}
			}
			return time.Millisecond, sender{syscall.EHOSTUNREACH, to.Addr()}
		})
		got, _ := sweepWith(t, Config{Concurrency: 16, Retries: -1, Timeout: time.Millisecond}, f, scope, portsFrom(10000, 200)...)
		for to, r := range got {
			if r.State != result.StateFiltered {
				t.Errorf("%v is %s", to, r.State)
			}
		}
		if controls < 2 {
			t.Errorf("%d controls", controls)
		}
	})
}
