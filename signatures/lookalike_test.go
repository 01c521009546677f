package signatures

import (
	"bytes"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// TestLookalikes matches daemons that resemble others against all signatures: no
// product is better than a wrong one.
func TestLookalikes(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	smtp := func(empty, quitx Exchange) []Exchange {
		empty.Probe, quitx.Probe = "smtp-empty-line", "smtp-quitx"
		return []Exchange{
			{Probe: Greeting, Reply: []byte("220 mx.example.org ready\r\n"), End: EndReply},
			{Probe: "smtp-ehlo", Reply: []byte("250 mx.example.org\r\n"), End: EndReply},
			empty, quitx,
		}
	}
	web := func(reply string) []Exchange {
		return []Exchange{{Probe: "http-get", Reply: []byte(reply), End: EndClosed}}
	}
	answers := func(greeting, ehlo, help, empty string) []Exchange {
		said := []Exchange{{Probe: Greeting, Reply: []byte(greeting)}, {Probe: "smtp-ehlo", Reply: []byte(ehlo)}, {Probe: "smtp-help", Reply: []byte(help)}, {Probe: "smtp-empty-line", Reply: []byte(empty)}}
		for i := range said {
			said[i].End = EndReply
		}
		return said
	}
	imap := func(greeting string) []Exchange {
		return []Exchange{
			{Probe: Greeting, Reply: []byte(greeting), End: EndReply},
			{Probe: "imap-capability", Reply: []byte("* CAPABILITY IMAP4rev1 XIMAPPROXY\r\na1 OK Completed\r\n"), End: EndReply},
		}
	}
	for name, tt := range map[string]struct {
		seen    []Exchange
		product string
		most    int // of the confidence
	}{
		"a server that ends at an empty line and at what begins with QUIT": {
			smtp(Exchange{End: EndClosed}, Exchange{Reply: []byte("221 bye\r\n"), End: EndClosed}), "", 6},
		"a server that ends at an empty line": {
			smtp(Exchange{End: EndClosed}, Exchange{Reply: []byte("500 what?\r\n"), End: EndSilence}), "spampd", 8},
		"a realm that anybody may have": {
			web("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"security\"\r\n\r\n"), "", 7},
		"another API under gunicorn": {
			web("HTTP/1.0 404 Not Found\r\nServer: gunicorn\r\ncontent-type: application/json\r\n\r\n{\"title\": \"404 Not Found\"}"), "", 7},
		"nginx that sends people to SOGo": {
			web("HTTP/1.1 302 Found\r\nServer: nginx\r\nLocation: /SOGo/\r\n\r\n"), "nginx", 8},
		"imapproxy before Courier":  {imap("* OK Courier-IMAP ready. Copyright 1998-2019 Double Precision, Inc.\r\n"), "imapproxy", 10},
		"imapproxy before Exchange": {imap("* OK The Microsoft Exchange IMAP4 service is ready.\r\n"), "imapproxy", 10},
		"imapproxy before Zimbra":   {imap("* OK mail.example.net Zimbra IMAP4rev1 server ready\r\n"), "imapproxy", 10},
		"imapproxy before Cyrus":    {imap("* OK mail.example.org Cyrus IMAP4 v2.2.13 server ready\r\n"), "imapproxy", 10},
		"another API that knows no such page": {
			web("HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\n\r\n{\"error\":\"Not found\"}"), "", 7},
		"a page about a mail catcher": {
			web("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n<title>Inbucket or MailHog</title>"), "nginx", 8},
		"a server made of what MailCatcher is made of": {
			answers("220 mx.example.org ready\r\n", "250-mx\r\n250-NO-SOLICITING\r\n250 SIZE 1000\r\n", "250 Ok, but unimplemented\r\n", "500 Unknown command\r\n"), "EventMachine", 6},
		"a server made of what Mailpit is made of": {
			answers("220 mx.example.org ESMTP Service ready\r\n", "250-mx greets scan\r\n250 8BITMIME\r\n", "502 5.5.1 Command not implemented\r\n", "500 5.5.2 Syntax error, command unrecognized\r\n"), "Mailpit", 6},
		"a server made of what MailHog is made of": {
			answers("220 mx.example.org ready\r\n", "250-Hello scan\r\n250 PIPELINING\r\n", "500 Unrecognised command\r\n", "500 Unrecognised command\r\n"), "MailHog", 6},
		"a server that greets clients as smtp4dev does": {
			answers("220 mx.example.org ready\r\n", "250-Nice to meet you.\r\n250 8BITMIME\r\n", "500 what?\r\n", "500 what?\r\n"), "", 4},
		"a server that answers as postscreen does, and lets clients pipeline": {
			answers("220 mx.example.org ESMTP ready\r\n", "250-mx\r\n250-PIPELINING\r\n250-DSN\r\n250 8BITMIME\r\n", "502 5.5.2 Error: command not recognized\r\n", "502 5.5.2 Error: command not recognized\r\n"), "", 4},
		"a server that answers as postscreen does, and has no extensions": {
			answers("220 mx.example.org ESMTP ready\r\n", "250 mx\r\n", "502 5.5.2 Error: command not recognized\r\n", "502 5.5.2 Error: command not recognized\r\n"), "", 4},
		"a server that is busy": {
			[]Exchange{{Probe: Greeting, Reply: []byte("421 All lines are busy\n"), End: EndClosed}}, "", 3},
		"a greeting of two lines": {
			answers("220-mx.example.org ESMTP\r\n220 mx.example.org ready\r\n", "250 mx\r\n", "500 no\r\n", "500 no\r\n"), "", 4},
		"a POP3 server that is down": {
			[]Exchange{{Probe: Greeting, Reply: []byte("-ERR network is down\r\n"), End: EndClosed}}, "", 3},
		"a POP3 server with the words of RFC 2449": {
			[]Exchange{
				{Probe: Greeting, Reply: []byte("+OK POP3 ready\r\n"), End: EndReply},
				{Probe: "pop3-capa", Reply: []byte("+OK Capability list follows\r\nTOP\r\nUSER\r\nUIDL\r\n.\r\n"), End: EndReply},
			}, "", 7},
		"an IMAP gateway of somebody": {
			[]Exchange{{Probe: Greeting, Reply: []byte("* OK [CAPABILITY IMAP4rev1] IMAP gateway ready\r\n"), End: EndReply}}, "", 5},
		"a policy daemon that says dunno to everything": {
			[]Exchange{
				{Probe: "policy-request", Reply: []byte("action=dunno\n\n"), End: EndSilence},
				{Probe: "policy-newline", Reply: []byte("action=dunno\n\n"), End: EndReply},
				{Probe: "http-get", Reply: []byte("action=dunno\n\n"), End: EndSilence},
			}, "policyd-spf (python)", 6},
	} {
		t.Run(name, func(t *testing.T) {
			got := best(set, &Transcript{tt.seen})
			if got == nil || got.Product != tt.product || got.Confidence > tt.most {
				t.Errorf("got %+v, want product %q with at most %d", got, tt.product, tt.most)
			}
		})
	}
}

// TestThroughLineProxies puts the daemon of each SMTP and LMTP example behind
// DKIMproxy and spampd, which relay all its replies but close the connection on
// an empty line: it must not be taken for the daemon that the client reached, nor
// LMTP for SMTP, and it must be identified as the daemon behind.
func TestThroughLineProxies(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	for _, sig := range set.Signatures {
		if sig.Protocol != "smtp" && sig.Protocol != "lmtp" {
			continue
		}
		for _, e := range sig.Examples {
			greets := e.Seen.Find(Greeting)
			if e.Seen.Find("smtp-empty-line") == nil || !bytes.HasPrefix(greets.Reply, []byte("2")) || hangsUpItself(sig, &e.Seen) {
				continue
			}
			for product, end := range map[string]string{"DKIMproxy": EndClosed, "spampd": EndSilence} {
				seen := new(Transcript)
				for _, ex := range e.Seen.Exchanges {
					if ex.Probe != "smtp-empty-line" && ex.Probe != "smtp-quitx" {
						seen.Exchanges = append(seen.Exchanges, ex)
					}
				}
				for probe, protocol := range map[string]string{"smtp-ehlo": "smtp", "lmtp-lhlo": "lmtp"} {
					if sig.Protocol == protocol && seen.Find(probe) == nil {
						seen.Exchanges = append(seen.Exchanges, Exchange{Probe: probe, Reply: []byte("250 mx\r\n"), End: EndReply})
					}
				}
				seen.Exchanges = append(seen.Exchanges, Exchange{Probe: "smtp-empty-line", End: EndClosed},
					Exchange{Probe: "smtp-quitx", Reply: []byte("500 what?\r\n"), End: end})
				got := best(set, seen)
				if got == nil || got.Product != product {
					t.Errorf("%s behind %s is called %+v", sig.ID, product, got)
				}
				if got == nil {
					continue
				}
				if got.Protocol != sig.Protocol {
					t.Errorf("%s behind %s is called %s by %s", sig.ID, product, got.Protocol, got.ID)
				}
				if next, _ := set.Behind(got, seen); len(sig.Behind) == 0 && sig.Product != "" && (next == nil || next.Contradicts(sig)) {
					t.Errorf("%s behind %s is not named: %+v", sig.ID, product, next)
				}
			}
		}
	}
}

// TestThroughFilters puts the daemon of each SMTP example behind ClamSMTP, which
// has its own greeting and list of extensions and relays the rest.
func TestThroughFilters(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	for _, sig := range set.Signatures {
		for _, e := range sig.Examples {
			if sig.Protocol != "smtp" || e.Seen.Find("smtp-ehlo") == nil || len(sig.Behind) > 0 || hangsUpItself(sig, &e.Seen) {
				continue
			}
			for _, greeting := range []string{"220 smtp.passthru\r\n", "220 mx.example.org ready\r\n"} {
				seen := new(Transcript)
				for _, ex := range e.Seen.Exchanges {
					switch ex.Probe {
					case Greeting:
						ex.Reply = []byte(greeting)
					case "smtp-ehlo":
						ex.Reply = []byte("250-mx.example.org\r\n250-SIZE 1000\r\n250 XFILTERED\r\n")
					}
					seen.Exchanges = append(seen.Exchanges, ex)
				}
				if got := best(set, seen); got == nil || got.Product != "ClamSMTP" || got.Confidence > 6 || !slices.Contains(got.Alternatives, "ProxSMTP") {
					t.Errorf("%s behind ClamSMTP is called %+v", sig.ID, got)
				}
			}
		}
	}
}

// hangsUpItself reports whether a daemon ends the session at an empty line, as the
// line proxies do: behind one it looks as it does alone.
func hangsUpItself(sig *Signature, seen *Transcript) bool {
	empty := seen.Find("smtp-empty-line")
	return len(sig.Behind) == 0 && sig.Product != "" && empty != nil && empty.End == EndClosed
}

// TestGreetingsAndCapabilities adds to the greeting by which a product is known what any
// server of its protocol says of its capabilities: that is no reason to forget the name.
func TestGreetingsAndCapabilities(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	capabilities := map[string]Exchange{
		"imap": {Probe: "imap-capability", Reply: []byte("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done\r\n"), End: EndReply},
		"pop3": {Probe: "pop3-capa", Reply: []byte("+OK\r\nUSER\r\nUIDL\r\n.\r\n"), End: EndReply},
		"smtp": {Probe: "smtp-ehlo", Reply: []byte("250-mx\r\n250 8BITMIME\r\n"), End: EndReply},
		"lmtp": {Probe: "lmtp-lhlo", Reply: []byte("250-mx\r\n250 8BITMIME\r\n"), End: EndReply},
	}
	tried := 0
	for _, sig := range set.Signatures {
		said, known := capabilities[sig.Protocol]
		if !known || sig.Product == "" || sig.Confidence < 7 {
			continue
		}
		for _, e := range sig.Examples {
			if len(e.Seen.Exchanges) != 1 || e.Seen.Find(Greeting) == nil {
				continue
			}
			tried++
			if got := best(set, &Transcript{append(slices.Clone(e.Seen.Exchanges), said)}); got == nil || got.Product != sig.Product {
				t.Errorf("%s is called %+v once it tells its capabilities", sig.ID, got)
			}
		}
	}
	if tried < 30 {
		t.Errorf("%d greetings were tried, want at least 30", tried)
	}
}
