package mailtest

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestNetworkIsLikeLoopback has connections end in each way, through memory and
// through loopback: what the client is told is the same.
func TestNetworkIsLikeLoopback(t *testing.T) {
	for name, c := range map[string]struct {
		handler Handler
		send    string
		want    string
		err     error
	}{
		"a close":               {HandlerFunc(func(c *Conn) { c.Say("bye") }), "", "bye", nil},
		"a close over a line":   {HandlerFunc(func(c *Conn) { c.Line(); c.Say("bye") }), "line\n", "bye", nil},
		"a reset":               {HandlerFunc(func(c *Conn) { c.Line(); c.Reset() }), "line\n", "", syscall.ECONNRESET},
		"silence":               {Silent{}, "line\n", "", os.ErrDeadlineExceeded},
		"more than fits at all": {HandlerFunc(func(c *Conn) { c.Say(strings.Repeat("x", 5*window)) }), "", strings.Repeat("x", 5*window), nil},
	} {
		t.Run(name, func(t *testing.T) {
			loopback := Serve(t, c.handler)
			conn, err := net.Dial("tcp", loopback.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			checkConn(t, conn, c.send, c.want, c.err, 300*time.Millisecond)
			synctest.Test(t, func(t *testing.T) {
				n := new(Network)
				conn, err := n.Dial(t.Context(), n.Serve(t, c.handler).Addr())
				if err != nil {
					t.Fatal(err)
				}
				checkConn(t, conn, c.send, c.want, c.err, time.Minute)
			})
		})
	}
}

func checkConn(t *testing.T, c net.Conn, send, want string, wantErr error, wait time.Duration) {
	t.Helper()
	defer c.Close()
	if _, err := io.WriteString(c, send); err != nil {
		t.Fatal(err)
	}
	if errors.Is(wantErr, os.ErrDeadlineExceeded) {
		if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(c)
	if string(got) != want || !errors.Is(err, wantErr) {
		t.Errorf("%T: read %d bytes with %v, want %d with %v", c, len(got), err, len(want), wantErr)
	}
}

// TestNetworkRefuses connects to where nothing listens, and not any more.
func TestNetworkRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(Network)
		s := n.Listen(Silent{})
		s.Close()
		for _, to := range []netip.AddrPort{s.Addr(), netip.MustParseAddrPort("127.0.0.1:25")} {
			if _, err := n.Dial(t.Context(), to); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v, want %v", to, err, syscall.ECONNREFUSED)
			}
		}
	})
}

// TestNetworkEnds uses connections that have ended: reset, closed, and with a
// deadline.
func TestNetworkEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(Network)
		c, err := n.Dial(t.Context(), n.Serve(t, Resetting{}).Addr())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("after a reset: %v, want %v", err, syscall.EPIPE)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after a close: %v, want %v", err, net.ErrClosed)
		}
		// A deadline that is set while a read waits for it.
		c, err = n.Dial(t.Context(), n.Serve(t, Silent{}).Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		time.AfterFunc(time.Minute, func() { c.SetDeadline(time.Now()) })
		begun := time.Now()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != time.Minute {
			t.Errorf("%v after %v, want %v after a minute", err, time.Since(begun), os.ErrDeadlineExceeded)
		}
	})
}
