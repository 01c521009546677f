package fingerprint

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/signatures"
)

// A tally counts connections, at once and in total.
type tally struct {
	fakes          sync.WaitGroup
	mu             sync.Mutex
	now, most, all int
	ports          map[netip.AddrPort]int
}

// dial connects to a fake on every port.
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
		t.fakes.Go(func() {
			f(theirs)
			theirs.Close()
		})
		return &counted{Conn: ours, closed: sync.OnceFunc(func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.now--
		})}, nil
	}
}

// TestConnectionsOfAHost checks that a sweep with concurrent dialogues never has
// more connections to a host than its slots, apart from those without any data,
// and no more than ten to a port in total; every port is found and probed.
func TestConnectionsOfAHost(t *testing.T) {
	set := load(t)
	for name, f := range map[string]fake{
		"silent":   swallow,
		"greeting": answering(0, "220 mx.example.org ESMTP Postfix\r\n", nil),
		"closing":  func(net.Conn) {},
	} {
		for _, c := range []struct{ each, ports, slots, waiting int }{
			{8, manyUnproductive - 1, 10, 8 * maxDetached}, {2, manyUnproductive - 1, 3, 2 * maxDetached}, {2, 60, 3, 2 * maxDetachedMany},
		} {
			if name == "closing" {
				c.waiting = 0
			}
			t.Run(fmt.Sprintf("%s on %d ports with %d slots", name, c.ports, c.each), func(t *testing.T) {
				holdConnections(t, set, f, c.each, c.ports, c.slots+c.waiting)
			})
		}
	}
}

// holdConnections finds open ports of a host, runs dialogues with them at the
// same time and checks how many connections are open at once.
func holdConnections(t *testing.T, set *signatures.Set, f fake, each, ports, most int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var conns tally
		defer conns.fakes.Wait()
		limit := hosts.NewSlots(each)
		targets, err := new(scope.Parser).Targets(t.Context(), []string{fmt.Sprintf("192.0.2.1:10001-%d", 10000+ports)})
		if err != nil {
			t.Fatal(err)
		}
		allowed, err := scope.New(scope.Bounds{Targets: targets})
		if err != nil {
			t.Fatal(err)
		}
		space, err := scope.NewSpace(allowed, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := scan.NewConnect(scan.Config{Scope: allowed, Dial: conns.dial(f), Slots: limit, HandOn: true})
		if err != nil {
			t.Fatal(err)
		}
		id := &Identifier{Signatures: set, Dial: conns.dial(f), Slots: limit}
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
		if asked != ports || conns.most > most || conns.now != 0 {
			t.Errorf("%d ports asked, want %d; %d connections at once, want %d at most; %d are left", asked, ports, conns.most, most, conns.now)
		}
		for port, n := range conns.ports {
			if n > maxConns {
				t.Errorf("%d connections to %v, want %d at most", n, port, maxConns)
			}
		}
	})
}

// onlyTo replies to one probe, and closes the connection on every other.
func onlyTo(question, answer string) fake {
	return func(c net.Conn) {
		b := make([]byte, 4096) // a ClientHello
		if n, err := c.Read(b); err == nil && strings.HasPrefix(string(b[:n]), question) {
			io.WriteString(c, answer)
			c.Read(b)
		}
	}
}

// holdingOn replies to one probe, and is silent on every other.
func holdingOn(question, answer string) fake {
	return func(c net.Conn) {
		b := make([]byte, 4096) // a ClientHello
		if n, err := c.Read(b); err == nil && strings.HasPrefix(string(b[:n]), question) {
			io.WriteString(c, answer)
		}
		swallow(c)
	}
}

const (
	pgsqlQuestion = "\x00\x00\x00\x08\x04\xd2\x16\x2f"
	ldapQuestion  = "\x30\x4d\x02\x01"
	ldapAnswer    = "\x30\x30\x02\x01\x01\x64\x2b\x04\x00\x30\x27\x30\x25\x04\x0bobjectClass1\x16\x04\x03top\x04\x0fOpenLDAProotDSE0\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00"
	statsAnswer   = "reset_timestamp\tlast_update\tnum_logins\tnum_cmds\tnum_connected_sessions\tuser_cpu\tsys_cpu\n1795620181\t0.000000\t0\t0\t0\t0.0\t0.0\n\n"
)

// TestHangingUp checks that a daemon that closes the connection on all probes but
// its own is identified within ten connections, the more common ones on any port.
func TestHangingUp(t *testing.T) {
	set := load(t)
	for _, c := range []struct {
		product string
		fake    fake
		ports   []uint16
	}{
		{"PostgreSQL", onlyTo(pgsqlQuestion, "S"), []uint16{5432, 40000, 10024}},
		{"OpenLDAP", onlyTo(ldapQuestion, ldapAnswer), []uint16{389, 40000, 10024}},
		{"Dovecot doveadm", onlyTo("VERSION\tdoveadm", "-\n"), []uint16{12345, 40000, 10024}},
		{"Java RMI", onlyTo("JRMI", "\x4e\x00\x09127.0.0.1\x00\x00\xa7\xc2"), []uint16{9999}},
		{"Dovecot", onlyTo("EXPORT", statsAnswer), []uint16{24242}},
	} {
		for _, port := range c.ports {
			synctest.Test(t, func(t *testing.T) {
				var conns tally
				defer conns.fakes.Wait()
				id := &Identifier{Signatures: set, Dial: conns.dial(c.fake)}
				target := netip.AddrPortFrom(limitedHost, port)
				first, err := id.Dial(t.Context(), target)
				if err != nil {
					t.Fatal(err)
				}
				svc, err := id.Identify(t.Context(), scan.Result{Target: target, State: result.StateOpen, Conn: first})
				if err != nil || !strings.HasPrefix(svc.Product, c.product) || conns.all > maxConns {
					t.Errorf("on port %d: %q, want %q, with %d connections: %v\n%+v", port, svc.Product, c.product, conns.all, err, svc.Transcript)
				}
			})
		}
	}
}

var limitedHost = netip.MustParseAddr("192.0.2.1")

// TestManyQuietDaemons checks that daemons that reply to only one probe are
// identified, however many of them share the slots of a host.
func TestManyQuietDaemons(t *testing.T) {
	set := load(t)
	for name, f := range map[string]fake{
		"Postgrey": holdingOn("request=smtpd_access_policy\r\n\r\n", "action=DUNNO\n\n"),
		"postfwd":  holdingOn("PING\n", "PONG\n"),
		"OpenDKIM": holdingOn("\x00\x00\x00\x0d\x4f", "\x00\x00\x00\x0d\x4f\x00\x00\x00\x06\x00\x00\x01\x11\x00\x10\x07\x02"),
	} {
		for _, ports := range []int{4, 9, 16, 30} {
			synctest.Test(t, func(t *testing.T) {
				var conns tally
				defer conns.fakes.Wait()
				limit := hosts.NewSlots(8)
				id := &Identifier{Signatures: set, Dial: conns.dial(f), Slots: limit}
				var talks sync.WaitGroup
				turns := make(chan struct{}, 4)
				named := make(chan bool, ports)
				for i := range ports {
					talks.Go(func() {
						turns <- struct{}{}
						defer func() { <-turns }()
						target := netip.AddrPortFrom(limitedHost, uint16(41000+i))
						svc, err := id.Identify(t.Context(), scan.Result{Target: target, State: result.StateOpen})
						if err != nil {
							t.Error(err)
						}
						named <- svc.Product == name
					})
				}
				talks.Wait()
				close(named)
				right := 0
				for is := range named {
					if is {
						right++
					}
				}
				if right != ports || conns.most > 8+8*maxDetached {
					t.Errorf("%d of %d ports are called %s, with %d connections at once", right, ports, name, conns.most)
				}
			})
		}
	}
}

// TestSecondConversation checks that a port with a second dialogue, because
// others of its host reply, has ten connections in total too.
func TestSecondConversation(t *testing.T) {
	set := load(t)
	for name, f := range map[string]fake{
		"silent":     swallow,
		"hanging up": onlyTo("nothing", ""),
		"slow": func(c net.Conn) {
			c.Read(make([]byte, 100))
			time.Sleep(400 * time.Millisecond)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			var conns tally
			defer conns.fakes.Wait()
			greets := answering(0, "220 mx.example.org ESMTP Postfix\r\n", nil)
			id := &Identifier{Signatures: set, Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
				if to.Port() == 25 {
					return conns.dial(greets)(ctx, to)
				}
				return conns.dial(f)(ctx, to)
			}}
			for _, port := range []uint16{25, 40000} {
				target := netip.AddrPortFrom(limitedHost, port)
				if _, err := id.Identify(t.Context(), scan.Result{Target: target, State: result.StateOpen}); err != nil {
					t.Error(err)
				}
				if n := conns.ports[target]; n >= maxConns { // one found the port
					t.Errorf("%s: %d connections to port %d, want less than %d", name, n, port, maxConns)
				}
			}
		})
	}
}

// TestLDAPS identifies a directory inside TLS that closes the connection on what
// it cannot parse.
func TestLDAPS(t *testing.T) {
	set := load(t)
	made := httptest.NewUnstartedServer(nil)
	made.StartTLS()
	config := &tls.Config{Certificates: made.TLS.Certificates}
	made.Close()
	for _, port := range []uint16{636, 40000} {
		synctest.Test(t, func(t *testing.T) {
			var conns tally
			defer conns.fakes.Wait()
			id := &Identifier{Signatures: set, Dial: conns.dial(func(c net.Conn) {
				inside := tls.Server(c, config)
				if inside.Handshake() == nil {
					onlyTo(ldapQuestion, ldapAnswer)(inside)
				}
			})}
			target := netip.AddrPortFrom(limitedHost, port)
			svc, err := id.Identify(t.Context(), scan.Result{Target: target, State: result.StateOpen})
			if err != nil || svc.Product != "OpenLDAP" || svc.Tunnel != "ssl" {
				t.Errorf("on port %d: %q in %q with %d connections: %v\n%+v", port, svc.Product, svc.Tunnel, conns.all, err, svc.Transcript)
			}
		})
	}
}
