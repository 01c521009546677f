package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
)

// TestGreets listens to ports that greet, at once or late, and to those that do
// not: each releases its slot of the host, and nothing is sent.
func TestGreets(t *testing.T) {
	target := netip.MustParseAddrPort("192.0.2.1:10025")
	for name, tt := range map[string]struct {
		play fake
		id   *Identifier
		want bool
	}{
		"at once":       {play: func(c net.Conn) { c.Write([]byte("220 mx.example.org ESMTP\r\n")) }, want: true},
		"too late":      {play: func(c net.Conn) { time.Sleep(time.Second); c.Write([]byte("220 ")) }},
		"never":         {play: swallow},
		"hangs up":      {play: func(net.Conn) {}},
		"out of scope":  {play: func(c net.Conn) { c.Write([]byte("220 ")) }, id: &Identifier{Allowed: func(netip.Addr) bool { return false }}},
		"authorization": {play: func(c net.Conn) { c.Write([]byte("220 ")) }, id: &Identifier{NotAfter: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, held := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					conns := &tally{}
					id := &Identifier{}
					if tt.id != nil {
						id = &Identifier{Allowed: tt.id.Allowed, NotAfter: tt.id.NotAfter}
					}
					id.Slots, id.Dial = hosts.NewSlots(1), conns.dial(tt.play)
					r := scan.Result{Target: target}
					if held {
						if err := id.Slots.Acquire(t.Context(), target.Addr()); err != nil {
							t.Fatal(err)
						}
						c, _ := id.Dial(t.Context(), target)
						r.Conn = id.Slots.Wrap(target.Addr(), c)
					}
					begun := time.Now()
					if got := id.Greets(t.Context(), r, 300*time.Millisecond); got != tt.want {
						t.Errorf("held %t: it greets: %t", held, got)
					}
					if took := time.Since(begun); took > 300*time.Millisecond {
						t.Errorf("held %t: it took %v", held, took)
					}
					conns.fakes.Wait()
					if _, n := id.Slots.InUse(target.Addr()); conns.now != 0 || n != 0 {
						t.Errorf("held %t: %d connections stay open", held, conns.now)
					}
				})
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		conns := &tally{}
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		begun := time.Now()
		id := &Identifier{Dial: conns.dial(swallow)}
		if id.Greets(ctx, scan.Result{Target: target}, time.Minute) || time.Since(begun) > 200*time.Millisecond {
			t.Errorf("a run that was stopped listened for %v", time.Since(begun))
		}
		conns.fakes.Wait()
	})
}

// TestGreetsOnBusyMachine has this machine be late to read something: it waits longer
// for what a port says unprompted, but not without end.
func TestGreetsOnBusyMachine(t *testing.T) {
	const wait = 300 * time.Millisecond
	target := netip.MustParseAddrPort("192.0.2.1:10025")
	for name, tt := range map[string]struct {
		play fake
		late bool
		want bool
		took time.Duration
	}{
		"greets in time":                    {answering(wait*2/3, "220 mx.example.org ESMTP\r\n", nil), false, true, wait * 2 / 3},
		"greets later":                      {answering(3*wait, "220 mx.example.org ESMTP\r\n", nil), false, false, wait},
		"greets later, to a busy machine":   {answering(3*wait, "220 mx.example.org ESMTP\r\n", nil), true, true, 3 * wait},
		"says nothing, to a busy machine":   {swallow, true, false, lateLook * wait},
		"greets too late to a busy machine": {answering(5*wait, "220 mx.example.org ESMTP\r\n", nil), true, false, lateLook * wait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conns := &tally{}
				defer conns.fakes.Wait()
				id := &Identifier{Dial: conns.dial(tt.play)}
				id.late.Store(tt.late)
				begun := time.Now()
				got := id.Greets(t.Context(), scan.Result{Target: target}, wait)
				if took := time.Since(begun); got != tt.want || took != tt.took {
					t.Errorf("it greets: %t, after %v, want %t after %v", got, took, tt.want, tt.took)
				}
			})
		})
	}
}
