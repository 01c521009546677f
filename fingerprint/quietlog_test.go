package fingerprint

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/internal/mailtest"
)

// TestFewErrorLines bounds how often a daemon on a port of which nothing is known gets
// what it logs as an error. Olefy does that for the connection on which nothing is asked,
// too.
func TestFewErrorLines(t *testing.T) {
	for name, c := range map[string]struct {
		handler  mailtest.Handler
		product  string
		most     int
		mistaken func(said []byte) bool
	}{
		"olefy": { // olefy.py, eof_received
			readsAll{func([]byte) string { return `[ { "error": "Protocol error" } ]` }}, "olefy", 2,
			func([]byte) bool { return true },
		},
		"iRedAPD": { // libs/channel.py: to an attribute and an empty line, and to what is not UTF-8
			mailtest.IRedAPD{}, "iRedAPD", 0,
			func(said []byte) bool {
				return bytes.Contains(said, []byte("=")) && bytes.Contains(said, []byte("\n\n")) || !utf8.Valid(said)
			},
		},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, c.handler)
			svc := identifyServer(t, n, server, 20777)
			if svc.Product != c.product {
				t.Errorf("called %q, want %q\n%s", svc.Product, c.product, asJSON(svc.Transcript))
			}
			errors := 0
			for _, s := range server.Sessions() {
				if c.mistaken(s.Received) {
					errors++
				}
			}
			if errors > c.most {
				t.Errorf("it would log %d errors, want at most %d", errors, c.most)
			}
		})
	}
}

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
