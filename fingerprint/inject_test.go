package fingerprint

import (
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
)

// A plaintextQueue is an SMTP server with STARTTLS, which executes inside TLS what came in cleartext
// behind that command, or forgets it, as RFC 3207, Section 6 requires.
type plaintextQueue struct{ keeps bool }

// Serve implements [mailtest.Handler].
func (q plaintextQueue) Serve(c *mailtest.Conn) {
	c.Say("220 mail.example.net ESMTP\r\n")
	for {
		line, err := c.Line()
		if err != nil {
			return
		}
		switch strings.ToUpper(strings.Fields(line + " x")[0]) {
		case "EHLO":
			c.Say("250-mail.example.net\r\n250-STARTTLS\r\n250 SIZE 1000\r\n")
		case "STARTTLS":
			behind := c.Buffered() > 0
			for c.Buffered() > 0 {
				if _, err := c.Line(); err != nil {
					return
				}
			}
			if !c.Say("220 go ahead\r\n") || c.StartTLS() != nil {
				return
			}
			if behind && q.keeps {
				c.Say("250 2.0.0 Ok\r\n")
			}
		case "QUIT":
			c.Say("221 bye\r\n")
			return
		default:
			c.Say("500 what?\r\n")
		}
	}
}

// TestStartTLSInjection: a command behind STARTTLS that is executed inside TLS is observed with one more
// connection, and only by a run that may send intrusive probes.
func TestStartTLSInjection(t *testing.T) {
	set := load(t)
	for name, c := range map[string]struct{ keeps, intrusive, want bool }{
		"executed":               {true, true, true},
		"forgotten":              {false, true, false},
		"executed and not asked": {true, false, false},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			open := &openConns{dialer: n.Dial}
			id := &Identifier{Signatures: set, Dial: open.dial, Intrusive: c.intrusive}
			svc, err := id.Identify(t.Context(), scan.Result{Target: n.Serve(t, plaintextQueue{c.keeps}).Addr()})
			if err != nil {
				t.Fatal(err)
			}
			if svc.Has("starttls-injection") != c.want || !svc.Has("starttls-offered") {
				t.Errorf("observations %q, want an injection: %t\n%v", svc.Observations, c.want, svc.Transcript)
			}
			if all := open.all.Load(); all > maxConns {
				t.Errorf("%d connections", all)
			}
		})
	}
}
