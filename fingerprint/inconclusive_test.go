package fingerprint

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// turnsAway sends one line and closes the connection.
func turnsAway(line string) fake {
	return func(c net.Conn) { io.WriteString(c, line) }
}

// firstOnly serves the first n connections and refuses the others.
func firstOnly(n int32, serve fake, line string) fake {
	var conns atomic.Int32
	return func(c net.Conn) {
		if conns.Add(1) > n {
			io.WriteString(c, line)
			return
		}
		serve(c)
	}
}

// laterOnly refuses the first n connections and serves the others.
func laterOnly(n int32, line string, serve fake) fake {
	var conns atomic.Int32
	return func(c net.Conn) {
		if conns.Add(1) <= n {
			io.WriteString(c, line)
			return
		}
		serve(c)
	}
}

// nthOnly serves the n-th connection and refuses the others.
func nthOnly(n int32, serve, away fake) fake {
	var conns atomic.Int32
	return func(c net.Conn) {
		if conns.Add(1) == n {
			serve(c)
			return
		}
		away(c)
	}
}

// TestInconclusive checks the result of inconclusive dialogues: it depends on the
// code and its position, not on the text.
func TestInconclusive(t *testing.T) {
	set := load(t)
	postfix := map[string]string{
		"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "HELP": "500 5.5.2 Error: command not recognized\r\n",
		"": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
	}
	busy := map[string]string{"EHLO": "421 later\r\n", "HELP": "421 later\r\n", "": "421 later\r\n"}
	served := answering(0, "220 mx.example.org ESMTP Postfix\r\n", postfix)
	for name, c := range map[string]struct {
		fake     fake
		protocol string
		why      result.Inconclusive
		words    string
	}{
		"421, RFC 5321's words":  {turnsAway("421 mx.example.org Service not available\r\n"), "smtp", result.InconclusiveRefused, "421 mx.example.org Service not available\r\n"},
		"421, enhanced code":     {turnsAway("421 4.7.0 Too many connections\r\n"), "smtp", result.InconclusiveRefused, "421 4.7.0 Too many connections\r\n"},
		"421, other words":       {turnsAway("421 #4.4.5 nope\r\n"), "smtp", result.InconclusiveRefused, "421 #4.4.5 nope\r\n"},
		"450":                    {turnsAway("450 Greylisted\r\n"), "smtp", result.InconclusiveRefused, "450 Greylisted\r\n"},
		"554 is for good":        {turnsAway("554 No SMTP service here\r\n"), "smtp", "", ""},
		"-ERR":                   {turnsAway("-ERR Too many connections\r\n"), "pop3", result.InconclusiveRefused, "-ERR Too many connections\r\n"},
		"BYE of IMAP":            {turnsAway("* BYE busy\r\n"), "imap", result.InconclusiveRefused, "* BYE busy\r\n"},
		"BYE of Sieve":           {turnsAway("BYE \"busy\"\r\n"), "managesieve", result.InconclusiveRefused, "BYE \"busy\"\r\n"},
		"421 to each command":    {answering(0, "220 mx.example.org\r\n", busy), "smtp", result.InconclusiveRefused, "421 later\r\n"},
		"BYE to a command":       {answering(0, "* OK ready\r\n", map[string]string{"a1": "* BYE busy\r\n"}), "imap", result.InconclusiveRefused, "* BYE busy\r\n"},
		"hangs up at EHLO":       {answering(0, "220 mx.example.org ESMTP\r\n", map[string]string{"EHLO": ""}), "smtp", result.InconclusiveUnfinished, ""},
		"cut off":                {turnsAway("220-mx.example.org ESMTP"), "smtp", result.InconclusiveCutOff, "220-mx.example.org ESMTP"},
		"cut between lines":      {turnsAway("220-mx.example.org ESMTP\r\n"), "smtp", result.InconclusiveCutOff, "220-mx.example.org ESMTP\r\n"},
		"a greeting without end": {drip(strings.Repeat("220-mx.example.org ESMTP\r\n", 40), 400*time.Millisecond), "smtp", result.InconclusiveUnfinished, "220-mx"},
		"nothing":                {swallow, "", result.InconclusiveNoReply, ""},
		"hangs up at once":       {func(net.Conn) {}, "", "", ""},
		"served at the second":   {laterOnly(1, "421 busy\r\n", served), "smtp", "", ""},
		"behind an empty line":   {answering(0, "\r\n\n220 mx.example.org ESMTP Postfix\r\n", postfix), "smtp", "", ""},
		"replies behind one": {answering(0, "220 mx.example.org ESMTP Postfix\r\n", map[string]string{
			"EHLO": "\r\n250 mx.example.org\r\n", "HELP": "\r\n500 5.5.2 Error: command not recognized\r\n"}), "smtp", "", ""},
		"greets at each command": {answering(0, "220 mx.example.org ESMTP\r\n", map[string]string{
			"EHLO": "220 mx.example.org ESMTP\r\n", "HELP": "220 mx.example.org ESMTP\r\n", "": "220 mx.example.org ESMTP\r\n"}), "smtp", "", ""},
		"byte by byte":             {drip("220 mx.example.org ESMTP Postfix\r\n", 300*time.Millisecond), "smtp", result.InconclusiveCutOff, ""},
		"empty lines without end":  {drip(strings.Repeat("\r\n", 40), time.Second), "", result.InconclusiveUnfinished, "\r\n"},
		"only the first is served": {firstOnly(1, served, "421 busy\r\n"), "smtp", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			svc, _, _ := identify(t, set, c.fake)
			if svc.Name != c.protocol || svc.Inconclusive != c.why || !strings.HasPrefix(svc.Refusal, strings.TrimSpace(c.words)) || c.words == "" && c.why == "" && svc.Refusal != "" {
				t.Errorf("service is %q, inconclusive %q with %q, want %q, %q, %q", svc.Name, svc.Inconclusive, svc.Refusal, c.protocol, c.why, c.words)
			}
		})
	}
}

// TestServedRarely serves one connection of many. Whichever it is, a port whose
// other connections wait is never reported as an unknown service.
func TestServedRarely(t *testing.T) {
	set := load(t)
	served := answering(0, "220 mx.example.org ESMTP Postfix\r\n", map[string]string{
		"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "HELP": "500 5.5.2 Error: command not recognized\r\n",
		"": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
	})
	for n := int32(1); n <= 10; n++ {
		if svc, _, _ := identify(t, set, nthOnly(n, served, swallow)); svc.Name != "smtp" && svc.Inconclusive == "" {
			t.Errorf("connection %d served: %+v", n, svc)
		}
	}
	for n := int32(1); n <= 2; n++ {
		if svc, _, _ := identify(t, set, nthOnly(n, served, func(net.Conn) {})); svc.Name != "smtp" {
			t.Errorf("connection %d served, others closed: protocol %q, want smtp", n, svc.Name)
		}
	}
}
