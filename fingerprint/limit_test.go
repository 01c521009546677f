package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"mxsweep/scan"
)

// A tally counts the connections that are open at once, and those in all.
type tally struct {
	mu             sync.Mutex
	now, most, all int
	ports          map[netip.AddrPort]int
}

// dial connects to a fake that plays on every port.
func (t *tally) dial(f fake) func(context.Context, netip.AddrPort) (net.Conn, error) {
	return func(_ context.Context, target netip.AddrPort) (net.Conn, error) {
		ours, theirs := net.Pipe()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now, t.all = t.now+1, t.all+1
		t.most = max(t.most, t.now)
		if t.ports == nil {
			t.ports = map[netip.AddrPort]int{}
		}
		t.ports[target]++
		go func() {
			f(theirs)
			theirs.Close()
		}()
		return &counted{Conn: ours, closed: sync.OnceFunc(func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.now--
		})}, nil
	}
}

// TestConnectionsOfAHost: a sweep that goes on while what it found is talked
// to has no more than ten connections to a host at once, and no more than ten
// to a port in all; every port is found and asked.
func TestConnectionsOfAHost(t *testing.T) {
	set := load(t)
	for name, f := range map[string]fake{
		"silent":   swallow,
		"greeting": answering(0, "220 mx.example.org ESMTP Postfix\r\n", nil),
		"closing":  func(net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var conns tally
				limit := scan.NewHostLimit(8)
				targets, err := new(scan.Parser).Targets(t.Context(), []string{"192.0.2.1:10001-10030"})
				if err != nil {
					t.Fatal(err)
				}
				scope, err := scan.NewScope(scan.Bounds{Targets: targets})
				if err != nil {
					t.Fatal(err)
				}
				space, err := scan.NewSpace(scope, nil)
				if err != nil {
					t.Fatal(err)
				}
				c, err := scan.NewConnect(scan.Config{Scope: scope, Dial: conns.dial(f), Limit: limit, HandOn: true})
				if err != nil {
					t.Fatal(err)
				}
				id := &Identifier{Signatures: set, Dial: conns.dial(f), Limit: limit}
				var talks sync.WaitGroup
				asked := 0
				for r := range c.Scan(t.Context(), space) {
					asked++
					talks.Go(func() {
						if _, err := id.Identify(t.Context(), r); err != nil {
							t.Error(err)
						}
					})
				}
				talks.Wait()
				if asked != 30 || conns.most > 10 || conns.now != 0 {
					t.Errorf("%d ports asked, want 30; %d connections at once, want 10 at most; %d are left", asked, conns.most, conns.now)
				}
				for port, n := range conns.ports {
					if n > maxConns {
						t.Errorf("%d connections to %v, want %d at most", n, port, maxConns)
					}
				}
			})
		})
	}
}
