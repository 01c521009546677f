package fingerprint

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestAgainOrder repeats two policy daemons whose first dialogue ended in silence
// on a slow host: postfwd 2, which replies only to PING, on a port of other
// policy daemons, and policyd-weight, which closes the connection on some probes
// and is silent on the others. Probes suggested by the port come first, so that
// both are identified.
func TestAgainOrder(t *testing.T) {
	set := load(t)
	for _, c := range []struct {
		target, product string
		reply           func(string) (reply string, hangUp bool)
	}{
		{"192.0.2.1:10031", "postfwd", func(asked string) (string, bool) {
			if asked == "PING\n" {
				return "PONG\n", false
			}
			return "", false
		}},
		{"192.0.2.1:12525", "policyd-weight", func(asked string) (string, bool) {
			switch asked {
			case "\n", "GET / HTTP/1.0\r\n\r\n", "request=delcache mxsweep.invalid\n\n":
				return "", true
			}
			return "", false
		}},
	} {
		t.Run(c.product, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var daemons sync.WaitGroup
				defer daemons.Wait()
				daemon := func(conn net.Conn) {
					buf := make([]byte, 4096)
					for {
						n, err := conn.Read(buf)
						if err != nil {
							return
						}
						time.Sleep(5 * time.Millisecond)
						reply, hangUp := c.reply(string(buf[:n]))
						if hangUp {
							return
						}
						if reply != "" {
							if _, err := conn.Write([]byte(reply)); err != nil {
								return
							}
						}
					}
				}
				id := &Identifier{Signatures: set, Dial: besideMTA(&daemons, 1100*time.Millisecond, daemon)}
				if _, err := id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:25")}); err != nil {
					t.Fatal(err)
				}
				first := &Identification{Service: result.Service{Role: "unknown", Inconclusive: result.InconclusiveNoReply}, Transcript: &Transcript{}}
				for _, probe := range []string{"greeting", "policy-request", "http-get", "tls-hello", "proxy-unknown"} {
					first.Transcript.Exchanges = append(first.Transcript.Exchanges, Exchange{Probe: probe, End: "silence"})
				}
				svc := id.Again(t.Context(), scan.Result{Target: netip.MustParseAddrPort(c.target)}, first)
				if svc.Product != c.product {
					t.Errorf("the service is %q (inconclusive %q), want %q", svc.Product, svc.Inconclusive, c.product)
				}
			})
		})
	}
}
