package fingerprint

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// readsAll answers when its client has said all, as olefy does.
type readsAll struct{ answer func(said []byte) string }

// Serve plays one connection.
func (r readsAll) Serve(c *mailtest.Conn) {
	said, err := io.ReadAll(c)
	if err == nil {
		c.Say(r.answer(said))
	}
}

// TestFin asks daemons that wait for the end of what is said, on the ports of olefy and on
// another.
func TestFin(t *testing.T) {
	olefy := func(said []byte) string {
		if bytes.HasPrefix(said, []byte("PING")) {
			return "PONG"
		}
		return `[ { "error": "Protocol error" } ]`
	}
	echo := func(said []byte) string { return string(said) }
	for name, c := range map[string]struct {
		port              uint16
		answer            func([]byte) string
		protocol, product string
	}{
		"olefy":                 {10055, olefy, "olefy", "olefy"},
		"olefy on another port": {10056, olefy, "olefy", "olefy"}, // by its error
		"an echo":               {10055, echo, "", ""},
		"another answer":        {10055, func([]byte) string { return "PONG?" }, "", ""},
		"no answer":             {10055, func([]byte) string { return "" }, "", ""},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, readsAll{c.answer})
			id := &Identifier{Signatures: load(t), Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
				return n.Dial(ctx, server.Addr())
			}}
			svc, err := id.Identify(t.Context(), scan.Result{Target: netip.AddrPortFrom(server.Addr().Addr(), c.port)})
			if err != nil {
				t.Fatal(err)
			}
			if svc.Name != c.protocol || svc.Product != c.product {
				t.Errorf("called %q %q, want %q %q\n%s", svc.Name, svc.Product, c.protocol, c.product, asJSON(svc.Transcript))
			}
		})
	}
}

// TestEndAfterFin: a port that says nothing and ends the connection because we have
// ended it has not replied, also as it is read from the state of an earlier run.
func TestEndAfterFin(t *testing.T) {
	inMemory(t, "mute", func(t *testing.T, n *mailtest.Network) {
		server := n.Serve(t, readsAll{func([]byte) string { return "" }})
		var silent []bool
		id := &Identifier{Signatures: load(t), Idle: func(_ netip.AddrPort, s bool) { silent = append(silent, s) },
			Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) { return n.Dial(ctx, server.Addr()) }}
		svc, err := id.Identify(t.Context(), scan.Result{Target: netip.AddrPortFrom(server.Addr().Addr(), 10055)})
		if err != nil {
			t.Fatal(err)
		}
		if svc.Inconclusive != result.InconclusiveNoReply {
			t.Errorf("inconclusive: %q, want %q", svc.Inconclusive, result.InconclusiveNoReply)
		}
		if len(silent) == 0 || slices.Contains(silent, false) {
			t.Errorf("silent while it was slow: %v, want it always", silent)
		}
		text, err := json.Marshal(svc.Transcript)
		if err != nil {
			t.Fatal(err)
		}
		var read signatures.Transcript
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		asked := false
		for i := range read.Exchanges {
			asked = asked || read.Exchanges[i].End == signatures.EndClosed
			if read.Exchanges[i].HungUp() {
				t.Errorf("after %s: it hung up", read.Exchanges[i].Probe)
			}
		}
		if !asked {
			t.Errorf("no connection was ended: %s", text)
		}
	})
}
