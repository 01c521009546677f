package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
)

// netstrings simulates a daemon that reads netstrings, and closes the connection
// on anything else. It waits for the rest of an incomplete one.
func netstrings(answer func(payload string) (string, bool)) mailtest.Handler {
	length := regexp.MustCompile(`^(\d{1,6}):`)
	return mailtest.Bytes{Answer: func(got string) (string, bool) {
		m := length.FindStringSubmatch(got)
		if m == nil {
			return "", strings.Trim(got, "0123456789") != "" || len(got) > 6
		}
		payload, ok := strings.CutSuffix(got[len(m[0]):], ",")
		if !ok {
			return "", false
		}
		return answer(payload)
	}}
}

// closer simulates a daemon that closes the connection on all probes but one.
func closer(question, reply string) mailtest.Handler {
	return mailtest.Bytes{Answer: func(got string) (string, bool) {
		if strings.HasPrefix(got, question) {
			return reply, true
		}
		return "", len(got) >= len(question) || !strings.HasPrefix(question, got)
	}}
}

// qmail simulates qmail-qmtpd or qmail-qmqpd, which send nothing before a message
// is complete, and open the queue for each length that is not zero.
func qmail(most int, opened *bool) mailtest.Handler {
	return mailtest.Bytes{Answer: func(got string) (string, bool) {
		digits := len(got) - len(strings.TrimLeft(got, "0123456789"))
		switch rest := got[digits:]; {
		case rest == "":
			return "", most > 0 && len(got) > most
		case rest[0] == ':' && strings.Trim(got[:digits], "0") != "":
			*opened = true
		}
		return "", true
	}}
}

// TestProtocolsWithoutLines runs dialogues with daemons whose protocols are used
// in, or near, mail systems, on their usual ports.
func TestProtocolsWithoutLines(t *testing.T) {
	set := load(t)
	opened := false
	script := func(text string) mailtest.Handler {
		s, err := mailtest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	lookedUp := func(key string) bool { return !strings.HasPrefix(key, "x .") }
	for name, c := range map[string]struct {
		port                    uint16
		handler                 mailtest.Handler
		protocol, product, role string
	}{
		"mta-sts-daemon": {8461, netstrings(func(key string) (string, bool) {
			if lookedUp(key) {
				t.Errorf("mta-sts-daemon looks up %q", key)
			}
			return "9:NOTFOUND ,", false
		}), "socketmap", "postfix-mta-sts-resolver", "policy"},
		"a map that hangs up on a part": {8461, closer("8:x .probe,", "9:NOTFOUND ,"), "socketmap", "", "policy"},
		"PostSRSd 2":                    {10003, netstrings(func(string) (string, bool) { return "17:PERM Invalid map.,", false }), "socketmap", "PostSRSd", "policy"},
		"a map":                         {8461, netstrings(func(string) (string, bool) { return "19:TEMP no such table.,", false }), "socketmap", "", "policy"},
		"postfix-tlspol": {8642, mailtest.Bytes{Answer: func(got string) (string, bool) {
			switch {
			case strings.HasPrefix(got, "GET "):
				return "HTTP/1.0 404 Not Found\r\nContent-Length: 10\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nnot found\n", true
			case got == "8:x .probe,":
				return "5:PERM ,", true
			}
			return "", true
		}}, "socketmap", "postfix-tlspol", "policy"},
		"qmail-qmtpd":        {209, qmail(0, &opened), "qmtp", "qmail-qmtpd", "mta"},
		"qmail-qmqpd":        {628, qmail(100, &opened), "qmqp", "qmail-qmqpd", "reinjection"},
		"gromox event":       {33333, script("S: OK\nC: PING\nS: TRUE\nC: QUIT\nS: BYE\nclose\nC: *\nS: FALSE\n"), "gromox", "Gromox", "admin"},
		"gromox, not for us": {33333, mailtest.Resetting{Text: "FALSE Access denied"}, "gromox", "Gromox", "admin"},
		"Dovecot director":   {9090, mailtest.Banner{Text: "VERSION\tdirector\t1\t9\nME\t192.0.2.10\t9090\t1795620181\n"}, "dovecot-director", "Dovecot director", "proxy"},
		"NNTP":               {119, script("S: 200 news.example.org InterNetNews NNRP server INN 2.7.0 ready (posting ok)\nC: *\nS: 500 What?\n"), "nntp", "", "not-mail"},
		"NNTP, terse":        {119, script("S: 201 ready\nC: *\nS: 500 Unknown command\n"), "nntp", "", "not-mail"},
		"NATS":               {4222, mailtest.Banner{Text: "INFO {\"server_id\":\"NDMN\",\"version\":\"2.9.10\",\"proto\":1} \r\n"}, "nats", "NATS", "not-mail"},
		"beanstalkd":         {11300, script("C: *\nS: UNKNOWN_COMMAND\n"), "beanstalk", "beanstalkd", "not-mail"},
		"XMPP": {5222, closer("GET ", "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='' version='1.0' xmlns='jabber:client'>"+
			"<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"), "xmpp", "", "not-mail"},
		"IRC":           {6667, script("C: *\nS: :irc.example.org 451 * :Connection not registered\n"), "irc", "", "not-mail"},
		"IRC that bans": {6667, closer("GET ", "ERROR :Closing Link: [192.0.2.1] (HTTP command from IRC connection (ATTACK?))\r\n"), "irc", "", "not-mail"},
		"MQTT":          {1883, closer("\x10\x0c\x00\x04MQTT\x7f", " \x02\x00\x01"), "mqtt", "", "not-mail"},
		"DNS": {53, mailtest.Bytes{Answer: func(got string) (string, bool) {
			switch {
			case len(got) < 2 || got[0] == 0 && got[1] == 12 && len(got) < 14:
				return "", false
			case got[0] == 0 && got[1] < 12:
				return "", true
			case got[0] == 0:
				return "\x00\x0c" + got[2:4] + "\x90\x04" + strings.Repeat("\x00", 8), false
			}
			return "", false // the length of a long message
		}}, "dns", "", "not-mail"},
		"git":         {9418, closer("002bgit-upload-pack /\x00", "0034ERR access denied or repository not exported: /\n"), "git", "git daemon", "not-mail"},
		"hangs up":    {209, closer("\x00never", ""), "", "", "unknown"},
		"hangs up, 2": {8461, closer("\x00never", ""), "", "", "unknown"},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, c.handler)
			open := &openConns{dialer: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) { return n.Dial(ctx, server.Addr()) }}
			svc, err := (&Identifier{Signatures: set, Dial: open.dial}).Identify(t.Context(), scan.Result{Target: netip.AddrPortFrom(server.Addr().Addr(), c.port)})
			if err != nil {
				t.Fatal(err)
			}
			if svc.Name != c.protocol || svc.Product != c.product || string(svc.Role) != c.role {
				t.Errorf("service is %q %q in the role %q (%s), want %q %q %q\n%v", svc.Name, svc.Product, svc.Role, svc.MatchedRule, c.protocol, c.product, c.role, svc.Transcript)
			}
			if n := open.all.Load(); n > maxConns {
				t.Errorf("%d connections in all, want at most %d", n, maxConns)
			}
			server.Close()
			for _, s := range server.Sessions() {
				if sent := string(s.Received); netstring([]byte(sent)) && strings.HasSuffix(sent, "\r\n") {
					t.Errorf("a line ends what is a netstring: %q", sent)
				}
			}
		})
	}
	if opened {
		t.Error("qmail has opened a file in its queue")
	}
}
