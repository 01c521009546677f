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
	"github.com/mxsweep/mxsweep/scan/hosts"
)

// TestHostTimeout limits the time of a host with silent ports, next to one that
// refuses everything: nothing is sent to the first after its time, its results
// are kept, and the other is not affected.
func TestHostTimeout(t *testing.T) {
	slow, quick := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for name, up := range map[string]bool{"never answered": false, "up": true, "stops answering": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const most = 3 * time.Second
				var mu sync.Mutex
				first, last, begun := time.Time{}, time.Time{}, time.Now()
				f := newFakeNet(func(to netip.AddrPort, _ int) (time.Duration, error) {
					mu.Lock()
					defer mu.Unlock()
					if to.Addr() == quick {
						return 5 * time.Millisecond, syscall.ECONNREFUSED
					}
					if last = time.Now(); first.IsZero() {
						first = last
					}
					switch stopped := name == "stops answering" && time.Since(begun) > time.Second; {
					case up && !stopped && to.Port()%40 == 0:
						return 5 * time.Millisecond, nil
					case up && !stopped && to.Port()%40 == 1:
						return 5 * time.Millisecond, syscall.ECONNREFUSED
					}
					return 0, errSilent
				})
				ports := portsFrom(10000, 118)
				clock := hosts.NewClock(most)
				got, _ := sweepAll(t, Config{Clock: clock, Rate: 100, PerHost: 2}, f, "192.0.2.1 192.0.2.2", ports...)
				end := first.Add(most)
				if !last.Before(end) {
					t.Errorf("a probe left %v after the end", last.Sub(end))
				}
				if len(got) != 2*len(ports) {
					t.Errorf("%d results", len(got))
				}
				count := map[result.State]int{}
				for pair, r := range got {
					if pair.Addr() == quick {
						if r.State != result.StateClosed {
							t.Errorf("got %+v", r)
						}
						continue
					}
					count[r.State]++
					if over := r.State == result.StateUnknown; over != (r.Reason == result.ReasonHostTimeout) || over != errors.As(r.Err, new(*hosts.TimeoutError)) {
						t.Errorf("got %+v", r)
					}
				}
				if count[result.StateUnknown] == 0 || up != (count[result.StateOpen]+count[result.StateClosed] > 0) {
					t.Errorf("%v", count)
				}
				if !clock.Short(slow) || clock.Short(quick) || !clock.AnyShort() {
					t.Error("the clock does not know who was short of time")
				}
			})
		})
	}
}

// TestHostTimeoutEnough does not affect a sweep whose hosts have enough time.
func TestHostTimeoutEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &guarded{open: portSet(10001), closed: portSet(10002)}
		clock := hosts.NewClock(time.Hour)
		ports := portsFrom(10000, 118)
		got, _ := sweepAll(t, Config{Clock: clock}, newFakeNet(g.play), "192.0.2.1", ports...)
		for _, r := range got {
			if r.State == result.StateUnknown {
				t.Errorf("got %+v", r)
			}
		}
		if len(got) != len(ports) || clock.AnyShort() {
			t.Errorf("%d results, short: %v", len(got), clock.AnyShort())
		}
	})
}

// TestHostTimeoutForgotten has a sweep return to hosts whose entries were removed
// and whose time is over.
func TestHostTimeoutForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return 0, syscall.ECONNREFUSED })
		const most = time.Second
		clock := hosts.NewClock(most)
		got, _ := sweepAll(t, Config{Clock: clock, Rate: 10000, Retries: -1}, f, "10.0.0.0/17", 25, 26)
		count := map[result.Reason]int{}
		for _, r := range got {
			count[r.Reason]++
		}
		if count[result.ReasonConnRefused] < 1<<14 || count[result.ReasonHostTimeout] < 1<<14 || len(got) != 1<<16 {
			t.Errorf("%v", count)
		}
	})
}
