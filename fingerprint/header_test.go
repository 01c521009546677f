package fingerprint

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// A noted connection tells what is written to it.
type noted struct {
	net.Conn
	write func(c net.Conn, b []byte)
}

func (c noted) Write(b []byte) (int, error) {
	c.write(c.Conn, b)
	return c.Conn.Write(b)
}

// TestHeadersAreFilled checks that a header of a user's probe, which is sent where another
// one was believed, has the addresses of its own connection.
func TestHeadersAreFilled(t *testing.T) {
	const probes = `probes:
  - {id: my-header, why: test, after: [{probe: greeting, proxied: true, bytes: {min: 1}}], layer: proxy, send: "PROXY {addresses}\r\n", read: {until: greeting, wait: 1s}, safety: safe, connection: own}`
	set, err := signatures.Load(signatures.Builtin(), signatures.Source{Name: "my", FS: fstest.MapFS{"probes.yaml": {Data: []byte(probes)}}})
	if err != nil {
		t.Fatal(err)
	}
	inMemory(t, "haproxy", func(t *testing.T, n *mailtest.Network) {
		server := n.Serve(t, mailtest.Parser{Inner: daemon(t, "postfix"), Of: "haproxy"})
		var mu sync.Mutex
		filled := 0
		note := func(c net.Conn, b []byte) {
			mu.Lock()
			defer mu.Unlock()
			if bytes.Contains(b, []byte("{addresses}")) {
				t.Errorf("sent %q", b)
			}
			if bytes.HasPrefix(b, []byte("PROXY TCP4 127.0.0.1 ")) {
				filled++
			}
		}
		id := &Identifier{Signatures: set, Record: true, Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			c, err := n.Dial(ctx, to)
			if err != nil {
				return nil, err
			}
			return noted{c, note}, nil
		}}
		svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if ex := svc.Transcript.Find("my-header"); ex == nil || len(ex.Reply) == 0 || filled == 0 {
			t.Errorf("%d headers with addresses, exchange %+v", filled, ex)
		}
	})
}
