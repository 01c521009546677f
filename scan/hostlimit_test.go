package scan

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

var limited = netip.MustParseAddr("192.0.2.1")

// TestHostLimitShares: probes and dialogues have as many places each as was
// asked for, and together a quarter more.
func TestHostLimitShares(t *testing.T) {
	l := NewHostLimit(8)
	for i := range 8 {
		if !l.probe(limited) {
			t.Fatalf("probe %d has no place", i+1)
		}
	}
	if l.probe(limited) {
		t.Error("a ninth probe has a place")
	}
	for range 2 {
		if err := l.Enter(t.Context(), limited); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if err := l.Enter(ctx, limited); err != why {
		t.Errorf("the eleventh connection: %v, want %v", err, why)
	}
	if !NewHostLimit(8).probe(limited) || l.Talks(limited) != 2 {
		t.Errorf("%d dialogues have a place, want 2", l.Talks(limited))
	}
}

// TestHostLimitTurns: who waits comes first, the sweep is told of the place
// that it had lacked, and an address that nobody is connected to is forgotten.
func TestHostLimitTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewHostLimit(1) // and one place more together
		told := 0
		l.tell(func(netip.Addr) { told++ })
		if !l.probe(limited) || l.Enter(t.Context(), limited) != nil {
			t.Fatal("no place for the first of each")
		}
		entered := make(chan error, 1)
		go func() { entered <- l.Enter(t.Context(), limited) }()
		synctest.Wait()
		if l.probe(limited) {
			t.Error("a second probe has a place")
		}
		select {
		case <-entered:
			t.Error("a second dialogue has a place")
		default:
		}
		l.Leave(limited)
		if err := <-entered; err != nil || told != 1 {
			t.Errorf("the next dialogue: %v, the sweep was told %d times, want 1", err, told)
		}
		l.probed(limited)
		l.Leave(limited)
		if len(l.hosts) != 0 {
			t.Errorf("%d addresses are remembered", len(l.hosts))
		}
	})
}

// TestHostLimitReserve: the sweep goes on beside dialogues that wait, with the
// places that are not for them.
func TestHostLimitReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewHostLimit(4)
		ctx, cancel := context.WithCancel(t.Context())
		for range 4 {
			l.Enter(ctx, limited)
		}
		go l.Enter(ctx, limited)
		synctest.Wait()
		if !l.probe(limited) || l.probe(limited) {
			t.Error("the sweep has not just the one place that is left to it")
		}
		if l.keep(limited) {
			t.Error("a connection that was found took the turn of who waits")
		}
		cancel()
		synctest.Wait()
		if g := l.hosts[limited]; len(g.waiting) != 0 || g.talks != 4 {
			t.Errorf("%d wait, %d talk, want 0 and 4", len(g.waiting), g.talks)
		}
	})
}

// TestSweepSharesLimit: a sweep and the connections that it handed on never
// have more places at a host together than the limit says, and all pairs are
// asked though each connection is held for a while.
func TestSweepSharesLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet(func(netip.AddrPort, int) (time.Duration, error) { return 5 * time.Millisecond, nil })
		limit := NewHostLimit(4)
		most := 0
		look := func() {
			limit.mu.Lock()
			defer limit.mu.Unlock()
			if g := limit.hosts[limited]; g != nil {
				most = max(most, g.probes+g.talks)
			}
		}
		scope := mustScope(t, "192.0.2.1:1-40")
		c, err := NewConnect(Config{Scope: scope, Dial: f.dial, Limit: limit, PerHost: 4, HandOn: true})
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for r := range c.Scan(t.Context(), mustSpace(t, scope)) {
			if r.State != result.StateOpen {
				t.Errorf("%v is %v", r.Target, r.State)
			}
			seen++
			look()
			if r.Conn != nil {
				go func(conn net.Conn) {
					time.Sleep(time.Second)
					conn.Close()
					conn.Close() // the place is left once
				}(r.Conn)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		limit.mu.Lock()
		defer limit.mu.Unlock()
		if seen != 40 || most > 5 || len(limit.hosts) != 0 {
			t.Errorf("%d ports seen, want 40; %d places taken at once, want 5 at most; %d addresses remembered", seen, most, len(limit.hosts))
		}
	})
}

// TestHostLimitRelease: a connection that gave its place back stays open, and
// closing it takes no other's place.
func TestHostLimitRelease(t *testing.T) {
	l := NewHostLimit(8)
	near, far := net.Pipe()
	defer far.Close()
	for range 2 {
		if err := l.Enter(t.Context(), limited); err != nil {
			t.Fatal(err)
		}
	}
	c := l.Hold(limited, near)
	l.Release(c)
	l.Release(c)
	l.Release(far) // which has none
	if n := l.Talks(limited); n != 1 {
		t.Errorf("%d places are taken after the release, want 1", n)
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Errorf("the connection is closed: %v", err)
	}
	c.Close()
	if n := l.Talks(limited); n != 1 {
		t.Errorf("%d places are taken at the end, want 1", n)
	}
}
