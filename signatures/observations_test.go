package signatures

import (
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// heard returns a transcript of lines "PROBE: REPLY", in which | is the end of a
// line; "tls" or "proxied" after the probe says inside which layer it was sent.
func heard(lines ...string) *Transcript {
	t := new(Transcript)
	for _, line := range lines {
		head, reply, _ := strings.Cut(line, ": ")
		words := strings.Fields(head)
		t.Exchanges = append(t.Exchanges, Exchange{
			Probe: words[0], Sent: []byte("?"), Reply: []byte(strings.ReplaceAll(reply, "|", "\r\n")), End: EndReply,
			TLS: slices.Contains(words, "tls"), Proxied: slices.Contains(words, "proxied"),
		})
	}
	return t
}

// TestObservations checks each observation about the protection of a dialogue, or
// about whom the daemon trusts, with replies for which it holds and others for
// which it does not.
func TestObservations(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	smtp, imap := "greeting: 220 mx.example.org|", "greeting: * OK ready|"
	for _, tt := range []struct {
		id    string
		holds bool
		seen  *Transcript
	}{
		{"xclient-offered", true, heard(smtp, "smtp-ehlo: 250-mx|250 XCLIENT NAME ADDR LOGIN|")},
		{"xclient-offered", true, heard(smtp, "smtp-ehlo: 500 what?|", "lmtp-lhlo: 250-mx|250-XCLIENT ADDR PORT TTL TIMEOUT|250 PIPELINING|")},
		{"xclient-offered", false, heard(smtp, "smtp-ehlo: 250-XCLIENTS.example.org|250 SIZE|")},
		{"xforward-offered", true, heard(smtp, "smtp-ehlo: 250-mx|250-XFORWARD NAME ADDR|250 DSN|")},
		{"xforward-offered", true, heard(smtp, "lmtp-lhlo: 250-mx|250 XFORWARD NAME ADDR|")},
		{"xforward-offered", false, heard(smtp, "smtp-ehlo: 250-mx|250 DSN|")},
		{"auth-offered-cleartext", true, heard(smtp, "smtp-ehlo: 250-mx|250-AUTH CRAM-MD5 PLAIN|250 STARTTLS|")},
		{"auth-offered-cleartext", true, heard(smtp, "smtp-ehlo: 250-mx|250 AUTH=LOGIN|")},
		{"auth-offered-cleartext", false, heard(smtp, "smtp-ehlo: 250-mx|250 AUTH CRAM-MD5|")},
		{"auth-offered-cleartext", false, heard(smtp, "smtp-ehlo tls: 250-mx|250 AUTH PLAIN|")},
		{"auth-offered-cleartext", false, heard(smtp, "smtp-ehlo: 250-mx|250 STARTTLS|", "smtp-tls-ehlo tls: 250-mx|250 AUTH PLAIN|")},
		{"auth-offered-cleartext", true, heard(smtp, "lmtp-lhlo: 250-mx|250 AUTH PLAIN|")},
		{"auth-offered-cleartext", true, heard(imap, "imap-capability: * CAPABILITY IMAP4rev1 AUTH=PLAIN|a1 OK|")},
		{"auth-offered-cleartext", true, heard(imap, "imap-capability: * CAPABILITY IMAP4rev1 STARTTLS|a1 OK|")},
		{"auth-offered-cleartext", false, heard(imap, "imap-capability: * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED|a1 OK|")},
		{"auth-offered-cleartext", false, heard(imap, "imap-capability tls: * CAPABILITY IMAP4rev1 AUTH=PLAIN|a1 OK|")},
		{"auth-offered-cleartext", false, heard(imap, "imap-capability: a1 BAD what?|")},
		{"auth-offered-cleartext", true, heard("greeting: +OK|", "pop3-capa: +OK|TOP|USER|.|")},
		{"auth-offered-cleartext", true, heard("greeting: +OK|", "pop3-capa: +OK|SASL CRAM-MD5 PLAIN|.|")},
		{"auth-offered-cleartext", false, heard("greeting: +OK|", "pop3-capa: +OK|SASL|STLS|.|")},
		{"auth-offered-cleartext", true, heard(`greeting: "IMPLEMENTATION" "x"|"SASL" "PLAIN"|OK|`)},
		{"auth-offered-cleartext", false, heard(`greeting: "IMPLEMENTATION" "x"|"SASL" ""|"STARTTLS"|OK|`)},
		{"auth-offered", true, heard(smtp, "smtp-ehlo: 250-mx|250 STARTTLS|", "smtp-tls-ehlo tls: 250-mx|250 AUTH PLAIN|")},
		{"starttls-absent", true, heard(smtp, "smtp-ehlo: 250-mx|250 AUTH PLAIN|")},
		{"starttls-absent", false, heard(smtp, "smtp-ehlo: 250-mx|250 STARTTLS|")},
		{"starttls-absent", false, heard(smtp, "smtp-ehlo tls: 250-mx|250 AUTH PLAIN|")},
		{"starttls-absent", false, heard(smtp, "smtp-ehlo: 500 what?|", "lmtp-lhlo: 250-mx|250 STARTTLS|")},
		{"starttls-absent", true, heard(`greeting: "IMPLEMENTATION" "x"|"SASL" "PLAIN"|OK|`)},
		{"starttls-refused", true, heard(smtp, "smtp-ehlo: 250-mx|250 STARTTLS|", "smtp-starttls: 454 4.7.0 TLS not available due to local problem|")},
		{"starttls-refused", true, heard(smtp, "smtp-ehlo: 250-mx|250 STARTTLS|", "smtp-starttls: 502 5.5.1 Command not implemented|")},
		{"starttls-refused", true, heard(imap, "imap-starttls: a3 BAD TLS support isn't enabled.|")},
		{"starttls-refused", true, heard(imap, "imap-starttls: * NO why?|a3 NO not now|")},
		{"starttls-refused", false, heard(imap, "imap-starttls: a3 OK Begin TLS negotiation now.|")},
		{"starttls-refused", true, heard("greeting: +OK|", "pop3-stls: -ERR STLS is not available|")},
		{"starttls-refused", true, heard(`greeting: "STARTTLS"|OK|`, `sieve-starttls: NO "TLS is not available."|`)},
		{"starttls-refused", false, heard(smtp, "smtp-ehlo: 250-mx|250 STARTTLS|", "smtp-starttls: 220 2.0.0 Ready to start TLS|")},
		{"starttls-injection", true, heard(smtp, "smtp-injected tls: 250 2.0.0 Ok|")},
		{"starttls-injection", true, heard(smtp, "smtp-injected tls: 502 5.5.2 Error: command not recognized|")},
		{"starttls-injection", false, heard(smtp, "smtp-injected tls: ")},
		{"starttls-injection", false, heard(smtp, "smtp-injected tls: 220 mx.example.org ESMTP|")},
		{"starttls-injection", false, heard(smtp, "smtp-injected tls: 421 4.4.2 Error: timeout exceeded|")},
		{"starttls-injection", false, heard(smtp, "smtp-injected: 250 2.0.0 Ok|")},
		{"proxy-trusted", true, heard("greeting proxied: * OK ready|")},
		{"proxy-trusted", false, heard("greeting: * OK ready|")},
		{"next-hop-down", true, heard("greeting: |")},
		{"next-hop-down", false, heard("greeting: 421 too busy|")},
		{"doveadm-noauth", true, heard("doveadm-version: +\n")},
		{"doveadm-noauth", false, heard("doveadm-version: -\n")},
		{"rspamd-open", true, heard("rspamd-stat: HTTP/1.1 200 OK|")},
		{"rspamd-open", false, heard("rspamd-stat: HTTP/1.1 401 Unauthorized|")},
		{"rspamd-guarded", true, heard("rspamd-stat: HTTP/1.1 401 Unauthorized|")},
		{"store-open", true, heard("postfwd-ping: +PONG|")},
		{"store-open", false, heard("postfwd-ping: -NOAUTH Authentication required.|")},
		{"store-open", true, heard("memcached-version: VERSION 1.6.18|")},
		{"store-open", false, heard("memcached-version: CLIENT_ERROR unauthenticated|")},
		{"store-open", true, heard("http-get: HTTP/1.0 200 OK||{|  \"tagline\" : \"You Know, for Search\"|}|")},
		{"store-open", false, heard("http-get: HTTP/1.0 401 Unauthorized||{\"reason\":\"missing authentication credentials for REST request [/]\"}")},
		{"metrics-offered", true, heard("http-get: HTTP/1.0 200 OK||<p><a href='/metrics'>Metrics</a></p>")},
		{"metrics-offered", true, heard("http-get: HTTP/1.0 200 OK|Content-Type: text/plain||smtp-server (pid: 1, host: mx.example.org)")},
		{"metrics-offered", false, heard("http-get: HTTP/1.0 401 Unauthorized||<a href='/metrics'>Metrics</a>")},
		{"profiler-offered", true, heard("http-get: HTTP/1.0 200 OK||<li><a href=\"/debug/pprof\">pprof</a>")},
		{"profiler-offered", false, heard("http-get: HTTP/1.0 404 Not Found||<li><a href=\"/debug/pprof\">pprof</a>")},
		{"relays", true, heard("smtp-relay-rcpt: 250 2.1.5 Ok|")},
		{"relays", false, heard("smtp-relay-rcpt: 454 4.7.1 Relay access denied|")},
		{"acl-refused", true, heard("greeting: 554 5.7.1 Client host rejected: Access denied|")},
		{"acl-refused", false, heard(smtp)},
	} {
		i := slices.IndexFunc(set.Observations, func(o *Observation) bool { return o.ID == tt.id })
		if i < 0 {
			t.Fatalf("no observation %q", tt.id)
		}
		if got := All(set.Observations[i].When, tt.seen) == True; got != tt.holds {
			t.Errorf("%s is %v, want %v, of %v", tt.id, got, tt.holds, tt.seen)
		}
	}
}

// TestUnheardShowsNothing checks that in an incomplete exchange only what was
// received counts: what is missing, and how it ended, show nothing.
func TestUnheardShowsNothing(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	for _, tt := range []struct {
		id   string
		seen Exchange
		want Truth
	}{
		{"xclient-offered", Exchange{Probe: "smtp-ehlo", Reply: []byte("250-mx\r\n250-XCLIENT NAME\r\n"), End: EndSilence, Incomplete: true}, True},
		{"xclient-offered", Exchange{Probe: "smtp-ehlo", Reply: []byte("250-mx\r\n"), End: EndSilence, Incomplete: true}, Unknown},
		{"starttls-absent", Exchange{Probe: "smtp-ehlo", Reply: []byte("250-mx\r\n"), End: EndSilence, Incomplete: true}, Unknown},
		{"starttls-absent", Exchange{Probe: "smtp-ehlo", Reply: []byte("250 mx\r\n"), End: EndReply}, True},
		{"starttls-broken", Exchange{Probe: "smtp-starttls", End: EndSilence, Handshake: HandshakeFailed, Incomplete: true}, Unknown},
	} {
		i := slices.IndexFunc(set.Observations, func(o *Observation) bool { return o.ID == tt.id })
		if got := All(set.Observations[i].When, &Transcript{Exchanges: []Exchange{tt.seen}}); got != tt.want {
			t.Errorf("%s is %v of %+v, want %v", tt.id, got, tt.seen, tt.want)
		}
	}
}
