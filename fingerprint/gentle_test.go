package fingerprint

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
)

// answersTo reads all that comes on a connection, and answers what begins with a text.
func answersTo(question, answer string, after time.Duration) mailtest.Handler {
	return mailtest.HandlerFunc(func(c *mailtest.Conn) {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if bytes.HasPrefix(buf[:n], []byte(question)) {
				time.Sleep(after)
				c.Say(answer)
			}
		}
	})
}

// identifyServer has a dialogue with a daemon as if it were on a port.
func identifyServer(t *testing.T, n *mailtest.Network, server *mailtest.Server, port uint16) *Identification {
	t.Helper()
	id := &Identifier{Signatures: load(t), Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
		return n.Dial(ctx, server.Addr())
	}}
	svc := identifyWhole(t, id, scan.Result{Target: netip.AddrPortFrom(server.Addr().Addr(), port)})
	id.limit.Await(t.Context())
	return svc
}

// TestFirstOn asks a daemon on its port what it understands, and nothing else once it has
// answered: all else would be an error in its log. Elsewhere it is named as well.
func TestFirstOn(t *testing.T) {
	for name, c := range map[string]struct {
		port                      uint16
		question, answer, product string
	}{
		"spamd":    {783, "PING SPAMC/1.5\r\n", "SPAMD/1.5 0 PONG\r\n", "SpamAssassin spamd"},
		"clamd":    {3310, "zVERSION\x00", "ClamAV 1.4.6\x00", "ClamAV clamd"},
		"doveadm":  {24245, "VERSION\tdoveadm-server\t1\t0\n", "-\n", "Dovecot doveadm"},
		"AM.PDP":   {9998, "\n", "setreply=450 4.5.0 Failure:%20Missing%20'request'%20field\r\n\r\n", "amavisd-new"},
		"OpenDKIM": {8891, "\x00\x00\x00\rO", "\x00\x00\x00\rO\x00\x00\x00\x06\x00\x00\x01\x11\x00\x10\x07\x02", "OpenDKIM"},
		"a milter": {8894, "\x00\x00\x00\rO", "\x00\x00\x00\rO\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x00\x7f", ""},
		"iRedAPD":  {7777, "sender=notanaddress\n", "action=DUNNO Error: Invalid sender address: notanaddress\n\n", "iRedAPD"},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, answersTo(c.question, c.answer, 0))
			if svc := identifyServer(t, n, server, c.port); svc.Product != c.product {
				t.Errorf("called %q, want %q\n%s", svc.Product, c.product, asJSON(svc.Transcript))
			}
			for _, s := range server.Sessions() {
				if len(s.Received) > 0 && !bytes.HasPrefix(s.Received, []byte(c.question)) {
					t.Errorf("asked %q", s.Received)
				}
			}
		})
	}
}

// TestFirstOnNames plays the daemons of the signatures on each port where a question that
// they answer goes first: a signature that says less must not end the dialogue.
func TestFirstOnNames(t *testing.T) {
	set := load(t)
	for _, sig := range set.Signatures {
		for _, example := range sig.Examples {
			for _, p := range set.Probes {
				if ex := example.Seen.Find(p.ID); sig.Product == "" || example.File == "" || ex == nil || len(ex.Reply) == 0 {
					continue
				}
				for _, port := range p.FirstOn {
					inMemory(t, fmt.Sprintf("%s, %d", sig.ID, port), func(t *testing.T, n *mailtest.Network) {
						svc := identifyReplay(t, n, set, &example.Seen, port)
						if svc.Product != sig.Product || svc.ProtocolConfidence() < min(plain, sig.Confidence) {
							t.Errorf("called %q with confidence %d, want %q with %d\n%s", svc.Product, svc.ProtocolConfidence(), sig.Product, sig.Confidence, asJSON(svc.Transcript))
						}
					})
				}
			}
		}
	}
}

// TestMilterAsRspamd asks a milter that says what Rspamd says one more question, by which
// the two differ, and no others.
func TestMilterAsRspamd(t *testing.T) {
	for name, c := range map[string]struct {
		handler mailtest.Handler
		product string
	}{
		"Rspamd":   {mailtest.Milter{Actions: 0x1ff, Steps: 0xff080, HangsUp: true}, "Rspamd proxy"},
		"a milter": {mailtest.Milter{Actions: 0x1ff, Steps: 0xff080}, ""},
	} {
		for _, port := range []uint16{8890, 9900, 11332} {
			inMemory(t, fmt.Sprintf("%s, %d", name, port), func(t *testing.T, n *mailtest.Network) {
				server := n.Serve(t, c.handler)
				if svc := identifyServer(t, n, server, port); svc.Product != c.product || svc.Name != "milter" {
					t.Errorf("called %q %q, want %q\n%s", svc.Name, svc.Product, c.product, asJSON(svc.Transcript))
				}
				for _, s := range server.Sessions() {
					if said := string(s.Received); said != "" && said[0] != 0 && !strings.HasPrefix("GET / HTTP/1.0\r\n\r\n", said) {
						t.Errorf("sent %q", said)
					}
				}
			})
		}
	}
}

// TestTextFirst sends nothing but text to a port that answers text, however late the
// answer is, and no bytes before text had its outcome.
func TestTextFirst(t *testing.T) {
	for name, c := range map[string]struct {
		question, answer string
		after            time.Duration
	}{
		"an answer to HTTP":           {"GET ", "ERROR unknown command\r\n", 0},
		"a late answer to HTTP":       {"GET ", "ERROR unknown command\r\n", 900 * time.Millisecond},
		"an answer to a request":      {"request=delcache", "action=dunno\n\n", 0},
		"a late answer to a request":  {"request=delcache", "action=dunno\n\n", 1400 * time.Millisecond},
		"policyd-rate-limit's answer": {"request=", "action=dunno\n\n", 50 * time.Millisecond},
	} {
		for _, port := range []uint16{8552, 10031, 14000} {
			inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
				server := n.Serve(t, answersTo(c.question, c.answer, c.after))
				identifyServer(t, n, server, port)
				for _, s := range server.Sessions() {
					for _, b := range s.Received {
						if b >= 0x80 || b < ' ' && !bytes.Contains([]byte("\t\r\n"), []byte{b}) {
							t.Errorf("port %d: sent %q", port, s.Received)
							break
						}
					}
				}
			})
		}
	}
}
