package fingerprint

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestIntrusiveAlone checks that a port without replies is sent an intrusive probe, also
// on the connection on which its greeting was waited for, only if that was asked for,
// and with our name in it.
func TestIntrusiveAlone(t *testing.T) {
	const probe = `probes: [{id: my-trace, why: test, quiet: 100ms, ports: [4242], send: "trace {ehlo}\r\n", read: {until: line, wait: 300ms}, safety: intrusive, connection: own}]`
	set, err := signatures.Load(signatures.Builtin(), signatures.Source{Name: "my", FS: fstest.MapFS{"probes.yaml": {Data: []byte(probe)}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, intrusive := range map[string]bool{"asked for": true, "not asked for": false} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			var mu sync.Mutex
			var said strings.Builder
			server := n.Serve(t, mailtest.HandlerFunc(func(c *mailtest.Conn) {
				b, _ := io.ReadAll(c) // whatever ends it
				mu.Lock()
				defer mu.Unlock()
				said.Write(b)
			}))
			id := &Identifier{Signatures: set, Intrusive: intrusive, EHLO: "scanner.example.org", Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
				return n.Dial(ctx, server.Addr())
			}}
			if _, err := id.Identify(t.Context(), scan.Result{Target: netip.AddrPortFrom(server.Addr().Addr(), 4242)}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // until the server has read all
			mu.Lock()
			defer mu.Unlock()
			if got := strings.Contains(said.String(), "trace scanner.example.org\r\n"); got != intrusive || strings.Contains(said.String(), "{ehlo}") {
				t.Errorf("said %q", said.String())
			}
		})
	}
}
