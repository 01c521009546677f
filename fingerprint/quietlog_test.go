package fingerprint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
)

// TestNoErrorLines holds that a daemon on its usual port is named without a word that it
// logs as an error.
func TestNoErrorLines(t *testing.T) {
	for name, c := range map[string]struct {
		port     uint16
		handler  mailtest.Handler
		product  string
		least    int
		mistaken func(said []byte) bool // whether the daemon would log an error
	}{
		"mta-sts-daemon": { // postfix_mta_sts_resolver/responder.py, handler: "Bad netstring message received"
			8461, netstrings(func(string) (string, bool) { return "9:NOTFOUND ,", false }), "postfix-mta-sts-resolver", 8,
			func(said []byte) bool { return !strings.HasPrefix("8:x .probe,", string(said)) && string(said) != "0:" },
		},
		"olefy": { // olefy.py, eof_received: "Protocol ERROR"; nothing at all is the wait for a greeting
			10050, readsAll{func([]byte) string { return "PONG" }}, "olefy", 9,
			func(said []byte) bool { return len(said) > 0 && !bytes.HasPrefix(said, []byte("PING")) },
		},
		"iRedAPD": { // libs/channel.py: "uncaptured python exception" to an empty line after an attribute
			7777, mailtest.IRedAPD{}, "iRedAPD", 10,
			func(said []byte) bool { return len(said) > 0 && string(said) != "sender=notanaddress\n" },
		},
		"iRedAPD, SRS": {
			7778, answersTo("get ", "500 Not a valid email address, bypassed.\n", 0), "iRedAPD", 9,
			func(said []byte) bool { return len(said) > 0 && string(said) != "get mxsweep-probe\n" },
		},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, c.handler)
			svc := identifyServer(t, n, server, c.port)
			if svc.Product != c.product || svc.Confidence < c.least {
				t.Errorf("called %q with confidence %d, want %q with %d\n%s", svc.Product, svc.Confidence, c.product, c.least, asJSON(svc.Transcript))
			}
			for _, s := range server.Sessions() {
				if c.mistaken(s.Received) {
					t.Errorf("sent %q", s.Received)
				}
			}
		})
	}
}
