package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
)

// ampdp answers every empty line after a while, and reads on, as amavisd does on its port
// for AM.PDP. It notices a reset when it reads the next line.
func ampdp(after time.Duration) mailtest.Handler {
	return mailtest.HandlerFunc(func(c *mailtest.Conn) {
		for {
			line, err := c.Line()
			if err != nil {
				return
			}
			if line == "" {
				time.Sleep(after)
				c.Say("setreply=450 4.5.0 Failure:%20Missing%20'request'%20field\r\nreturn_value=tempfail\r\nexit_code=75\r\n\r\n")
			}
		}
	})
}

// greetsIn greets in pieces, with a while before each, and reads on.
func greetsIn(after time.Duration, pieces ...string) mailtest.Handler {
	return mailtest.HandlerFunc(func(c *mailtest.Conn) {
		for _, piece := range pieces {
			time.Sleep(after)
			c.Say(piece)
		}
		for {
			line, err := c.Line()
			if err != nil {
				return
			}
			time.Sleep(after)
			if c.Say("500 5.5.2 Error: command not recognized\r\n"); strings.HasPrefix(line, "QUIT") {
				return
			}
		}
	})
}

// TestNoReset lets each daemon read the end of every dialogue in order, also those that
// answer after the wait for the answer, or are in the middle of a greeting: a daemon logs
// a reset as an error.
func TestNoReset(t *testing.T) {
	handlers := map[string]mailtest.Handler{
		"AM.PDP":                        ampdp(0),
		"AM.PDP, slow":                  ampdp(700 * time.Millisecond),
		"AM.PDP, later than any answer": ampdp(2500 * time.Millisecond),
		"a slow greeting":               greetsIn(time.Second, "220 mx.example.org ESMTP\r\n"),
		"a greeting in pieces":          greetsIn(400*time.Millisecond, "220-mx.example", ".org ESMTP\r\n", "220 ready\r\n"),
		"a milter":                      mailtest.Milter{},
		"iRedAPD":                       mailtest.IRedAPD{},
		"silence":                       mailtest.Silent{},
	}
	for _, name := range mailtest.Daemons() {
		handlers[name] = daemon(t, name)
	}
	for name, h := range handlers {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, h)
			slots := hosts.NewSlots(0)
			id := &Identifier{Signatures: load(t), Slots: slots, Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
				return n.Dial(ctx, server.Addr())
			}}
			if _, err := id.Identify(t.Context(), scan.Result{Target: netip.AddrPortFrom(server.Addr().Addr(), 9998)}); err != nil {
				t.Fatal(err)
			}
			slots.Await(t.Context())
			if got := server.Resets(); got > 0 {
				t.Errorf("%d of %d connections were reset", got, server.Connections())
			}
		})
	}
}

// TestOneRequest sends no line end that a daemon could take for a request of its own,
// where its number suggests that it reads lines which end in LF.
func TestOneRequest(t *testing.T) {
	inMemory(t, "", func(t *testing.T, n *mailtest.Network) {
		server := n.Serve(t, ampdp(0))
		id := &Identifier{Signatures: load(t), Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
			return n.Dial(ctx, server.Addr())
		}}
		if _, err := id.Identify(t.Context(), scan.Result{Target: netip.AddrPortFrom(server.Addr().Addr(), 9998)}); err != nil {
			t.Fatal(err)
		}
		for _, s := range server.Sessions() {
			if text := string(s.Received); strings.Contains(text, "\n\r\n") && !strings.Contains(text, "\r\n\r\n") {
				t.Errorf("%q was sent: the last line end is a request of its own", text)
			}
		}
	})
}
