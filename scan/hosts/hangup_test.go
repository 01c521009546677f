package hosts_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan/hosts"
)

// TestHangUp ends connections with a daemon that still has something to say: it reads
// the end, and is not reset, if it says so in time.
func TestHangUp(t *testing.T) {
	for _, c := range []struct {
		after  time.Duration // the daemon speaks, and speaks again
		resets int
	}{{0, 0}, {time.Second, 0}, {10 * time.Second, 1}} {
		synctest.Test(t, func(t *testing.T) {
			n := new(mailtest.Network)
			server := n.Serve(t, mailtest.HandlerFunc(func(conn *mailtest.Conn) {
				for range 2 {
					time.Sleep(c.after)
					conn.Say("220 mx.example.org ESMTP\r\n")
				}
				conn.Swallow()
			}))
			slots := hosts.NewSlots(0)
			addr := server.Addr().Addr()
			if err := slots.Acquire(t.Context(), addr); err != nil {
				t.Fatal(err)
			}
			raw, err := n.Dial(t.Context(), server.Addr())
			if err != nil {
				t.Fatal(err)
			}
			slots.Wrap(addr, raw).Close()
			if _, held := slots.InUse(addr); held > 0 {
				t.Error("a connection that was ended has a slot")
			}
			slots.Await(t.Context())
			time.Sleep(time.Minute)
			if got := server.Resets(); got != c.resets {
				t.Errorf("a daemon that speaks after %v: %d resets, want %d", c.after, got, c.resets)
			}
		})
	}
}

// TestHangUpNotAfter resets connections when nothing may be sent any more: those that end
// then, and those that were ended before and whose daemon has not.
func TestHangUpNotAfter(t *testing.T) {
	for _, before := range []time.Duration{0, time.Second} { // the end of the connection, before that of the run
		synctest.Test(t, func(t *testing.T) {
			n := new(mailtest.Network)
			server := n.Serve(t, mailtest.HandlerFunc((*mailtest.Conn).Swallow))
			slots := hosts.NewSlots(0)
			slots.NotAfter = time.Now().Add(before)
			raw, err := n.Dial(t.Context(), server.Addr())
			if err != nil {
				t.Fatal(err)
			}
			conn := &lingering{Conn: raw}
			if err := slots.HangUp(conn); err != nil {
				t.Error(err)
			}
			slots.Await(t.Context())
			if took := time.Since(slots.NotAfter); took > 0 || before == 0 && !conn.lingers.Load() {
				t.Errorf("ended %v before: closed %v after the end, reset %t", before, took, conn.lingers.Load())
			}
		})
	}
}

// A lingering connection says whether it is to be reset.
type lingering struct {
	net.Conn
	lingers atomic.Bool
}

// SetLinger is that of [net.TCPConn].
func (c *lingering) SetLinger(int) error {
	c.lingers.Store(true)
	return nil
}

// TestHangUpFew listens to no more connections after their end than it may.
func TestHangUpFew(t *testing.T) {
	for ending, want := range map[int]int{-1: 256, 0: 256, 1: 1, 7: 7, 1000: 256} {
		synctest.Test(t, func(t *testing.T) {
			slots := hosts.NewSlots(0)
			slots.Ending = ending
			n := new(mailtest.Network)
			server := n.Serve(t, mailtest.HandlerFunc(func(c *mailtest.Conn) {
				c.Swallow()
				time.Sleep(time.Second) // after the end
			}))
			got := 0
			for ; slots.CanHangUp(); got++ {
				conn, err := n.Dial(t.Context(), server.Addr())
				if err != nil {
					t.Fatal(err)
				}
				if err := slots.HangUp(conn); err != nil {
					t.Fatal(err)
				}
			}
			if got != want {
				t.Errorf("of %d, %d connections are listened to after their end, want %d", ending, got, want)
			}
			slots.Await(t.Context())
		})
	}
}

// TestHangUpMany closes connections at once when many are listened to after their end
// already, and does not wait for a daemon longer than the caller wants.
func TestHangUpMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := hosts.NewSlots(0)
		n := new(mailtest.Network)
		server := n.Serve(t, mailtest.HandlerFunc(func(c *mailtest.Conn) {
			c.Swallow()
			time.Sleep(10 * time.Second) // after the end
		}))
		var conns []net.Conn
		for slots.CanHangUp() {
			conn, err := n.Dial(t.Context(), server.Addr())
			if err != nil {
				t.Fatal(err)
			}
			if err := slots.HangUp(conn); err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		conn, err := n.Dial(t.Context(), server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := slots.HangUp(conn); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Errorf("connection %d is still open", len(conns)+1)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		slots.Await(ctx)
		if got := time.Since(begun); got != time.Second {
			t.Errorf("waited %v, want 1s", got)
		}
		slots.Await(t.Context())
		if _, err := conns[0].Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("reading after the end: %v, want an error", err)
		}
		slots.Await(t.Context()) // nothing to wait for
		if err := slots.Acquire(t.Context(), netip.MustParseAddr("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
	})
}
