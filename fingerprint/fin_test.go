package fingerprint

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
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

// TestFin asks daemons that wait for the end of what is said, on the ports of
// olefy alone.
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
		"olefy on another port": {10056, olefy, "", ""}, // where it is not asked
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
