package hosts_test

import (
	"context"
	"io"
	"net"
	"net/netip"
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
