package fingerprint

import (
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestProxiedOfEveryProtocol probes listeners that require a PROXY header, in
// clear text and with TLS after it: the daemon is identified, and the trust
// reported.
func TestProxiedOfEveryProtocol(t *testing.T) {
	set := load(t)
	for _, s := range speakers {
		for _, way := range []string{"starttls", "implicit"} {
			inMemory(t, s.protocol+"/"+way, func(t *testing.T, n *mailtest.Network) {
				server := n.Serve(t, mailtest.Proxied{Inner: s.handler(t, way)})
				id := &Identifier{Signatures: set, Dial: n.Dial}
				svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
				if err != nil {
					t.Fatal(err)
				}
				tunnel := map[string]result.Tunnel{"implicit": result.TunnelTLS}[way]
				if svc.Name != s.protocol || svc.Tunnel != tunnel || !svc.Has("proxy-trusted") {
					t.Errorf("service is %q in the tunnel %q with %q, want %q, %q and proxy-trusted\n%v",
						svc.Name, svc.Tunnel, svc.Observations, s.protocol, tunnel, svc.Transcript)
				}
				checkTLS(t, svc.TLS)
			})
		}
	}
}

// TestProxiedGreetingInParts has a daemon behind a PROXY header send each line of
// its greeting in a packet of its own.
func TestProxiedGreetingInParts(t *testing.T) {
	set := load(t)
	inMemory(t, "managesieve", func(t *testing.T, n *mailtest.Network) {
		sieve := mailtest.HandlerFunc(func(c *mailtest.Conn) {
			for _, line := range []string{`"IMPLEMENTATION" "Example"`, `"SASL" ""`, `"SIEVE" "fileinto"`, "OK"} {
				c.Say(line + "\r\n")
				time.Sleep(20 * time.Millisecond)
			}
			for {
				line, err := c.Line()
				if err != nil {
					return
				}
				if line == "LOGOUT" {
					c.Say("OK \"Bye\"\r\n")
					return
				}
				c.Say("NO \"Unknown command\"\r\n")
			}
		})
		server := n.Serve(t, mailtest.Proxied{Inner: sieve})
		id := &Identifier{Signatures: set, Dial: n.Dial}
		svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
		if err != nil {
			t.Fatal(err)
		}
		if svc.Name != "managesieve" || !svc.Has("proxy-trusted") {
			t.Errorf("service is %q with %q\n%v", svc.Name, svc.Observations, svc.Transcript)
		}
	})
}
