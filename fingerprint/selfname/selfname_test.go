package selfname

import (
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/signatures"
)

// said returns a transcript of pairs of a probe and its reply.
func said(pairs ...string) *signatures.Transcript {
	t := new(signatures.Transcript)
	for i := 0; i+1 < len(pairs); i += 2 {
		ex := signatures.Exchange{Probe: pairs[i], Reply: []byte(pairs[i+1]), End: signatures.EndReply}
		if pairs[i] == "smtp-ehlo" {
			ex.Sent = []byte("EHLO scan.example.invalid\r\n")
		}
		t.Exchanges = append(t.Exchanges, ex)
	}
	return t
}

// TestGreetings has greetings of daemons, from the daemons or their manuals, with
// the expected name; "" is none.
func TestGreetings(t *testing.T) {
	for _, c := range []struct{ protocol, greeting, want string }{
		{"smtp", "220 mail.example.org MasqMail 1.0.0 ESMTP", "MasqMail 1.0.0"},
		{"smtp", "220 mail.example.org ESMTP chasquid", "chasquid"},
		{"smtp", "220 mail.example.org ESMTP mox", "mox"},
		{"smtp", "220 mx.example.org Mailpit ESMTP Service ready", "Mailpit"},
		{"smtp", "220 mailhog.example ESMTP MailHog", "MailHog"},
		{"smtp", "220 hercules.example.org ESMTP Hercules", ""},
		{"smtp", "220 Hercules ESMTP Hercules ready", ""},
		{"smtp", "220 wrend.example.org ESMTP Wrend 1.2.3", "Wrend 1.2.3"},
		{"smtp", "220 mx.example.org Inbucket SMTP ready", "Inbucket"},
		{"smtp", "220 mx.example.org KumoMTA", "KumoMTA"},
		{"smtp", "220 mx.example.org ESMTP Postal/4F3A9C", "Postal"},
		{"smtp", "220 mx.example.org ESMTP MDaemon 23.0.1; Sun, 22 Nov 2026 04:50:50 +0000", "MDaemon 23.0.1"},
		{"smtp", "220 mx.example.org ESMTP MSA MDaemon 23.0.1; Sun, 22 Nov 2026 04:50:50 +0000", "MDaemon 23.0.1"},
		{"smtp", "220 mx.example.org Kerio Connect 9.4.1 patch 2 ESMTP ready", "Kerio Connect 9.4.1"},
		{"smtp", "220 mx.example.org Kerio MailServer 6.7.3 ESMTP ready", "Kerio MailServer 6.7.3"},
		{"smtp", "220 mx.example.org ESMTP CommuniGate Pro 6.3.1", "CommuniGate Pro 6.3.1"},
		{"smtp", "220 mx.example.org ESMTP CommuniGate Pro 6.3.1. It is you again :-(", "CommuniGate Pro 6.3.1"},
		{"smtp", "220 mx.example.org ESMTP CommuniGate Pro is glad to see you!", "CommuniGate Pro"},
		{"smtp", "220 mx.example.org ESMTP MailEnable Service, Version: 10.40-- ready at 11/22/26 10:00:00", "MailEnable 10.40"},
		{"smtp", "220 mx.example.org (PowerMTA(TM) v4.5r5) ESMTP service ready", "PowerMTA 4.5r5"},
		{"smtp", "220 2.0.0 mx.example.org ESMTP ecelerity 4.2.38.999 r(Core:4.2.38.0) Sun, 22 Nov 2026 04:50:50 +0000", "ecelerity 4.2.38.999"},
		{"smtp", "220 mx.example.org ESMTP Symantec Messaging Gateway", "Symantec Messaging Gateway"},
		{"smtp", "220 Trend Micro ESMTP 5.6 ready.", ""},
		{"smtp", "220 mx.example.org ESMTP Service (HCL Domino Release 12.0.2) ready at Sun, 22 Nov 2026 04:50:50 +0000", "HCL Domino 12.0.2"},
		{"smtp", "220 mx.example.org ESMTP Service (Lotus Domino Release 8.5.3FP6) ready at Sun, 22 Nov 2026 04:50:50 +0000", "Lotus Domino 8.5.3FP6"},
		{"smtp", "220 mx.example.org GroupWise Internet Agent 18.4.2 Copyright 1993-2022 Micro Focus. All rights reserved. Ready", "GroupWise Internet Agent 18.4.2"},
		{"smtp", "220 mx.example.org ESMTP IceWarp 13.0.2.9; Sun, 22 Nov 2026 04:50:50 +0000", ""},
		{"smtp", "220 mx.example.org ESMTP IceWarp 13.0.2; Sun, 22 Nov 2026 04:50:50 +0000", "IceWarp 13.0.2"},
		{"smtp", "220 mx.example.org Mercury/32 v4.80 ESMTP server ready.", "Mercury/32 4.80"},
		{"smtp", "220 X1 NT-ESMTP Server mx.example.org (IMail 12.5.8 123456-1)", "IMail 12.5.8"},
		{"smtp", "220 <1732251050.1234@mx.example.org> [XMail 1.27 ESMTP Server] service ready; Sun, 22 Nov 2026 04:50:50 +0000", "XMail 1.27"},
		{"smtp", "220 mx.example.org Microsoft ESMTP MAIL Service, Version: 10.0.14393.4169 ready at Sun, 22 Nov 2026 04:50:50 +0000", ""},
		{"smtp", "220 mx.example.org ESMTP Postfix (Debian/GNU)", "Postfix"},
		{"smtp", "220 mx.example.org ESMTP Sendmail 8.17.1/8.17.1; Sun, 22 Nov 2026 04:50:50 GMT", "Sendmail 8.17.1"},
		{"smtp", "220 mx.example.org ESMTP Exim 4.96 Sun, 22 Nov 2026 04:50:50 +0000", "Exim 4.96"},
		{"smtp", "220-mx.example.org ESMTP Exim 4.96 #2 Sun, 22 Nov 2026 04:50:50 +0000 \r\n220-We do not authorize the use of this system to transport unsolicited, \r\n220 and/or bulk e-mail.", "Exim 4.96"},
		{"smtp", "220 mx.example.org ESMTP OpenSMTPD", "OpenSMTPD"},
		{"smtp", "220 mx.example.org ESMTP Haraka/3.0.2 ready", "Haraka 3.0.2"},
		{"smtp", "220 mx.example.org ESMTP Haraka 2.8.27 ready (4F3A9C1E-7B2D)", "Haraka 2.8.27"},
		{"smtp", "220 mx.example.org smtp4dev ready", ""},
		{"smtp", "220 mx.example.org ESMTP Mirapoint 4.2.2-GA; Sun, 22 Nov 2026 04:50:50 +0000", "Mirapoint 4.2.2-GA"},
		{"smtp", "220 mx.example.org SurgeSMTP (Version 7.6b) http://surgemail.com", "SurgeSMTP 7.6b"},
		{"smtp", "220 mx.example.org SMTP/smap Ready.", ""},
		{"smtp", "220 mx.example.org Zoho ESMTP", ""},
		{"smtp", "220 mx.example.org ESMTP Symantec", ""},
		{"smtp", "220 mx.example.org ESMTP Trend Micro 9.1.0.1889 ready", ""},
		{"smtp", "220 mx.example.org ESMTP Universitaet Musterstadt", ""},
		{"smtp", "220 mx.example.org ESMTP Oslo University ready", ""},
		{"smtp", "220 mx.example.org Globex Networks ESMTP ready", ""},
		{"smtp", "220 mx.example.org ESMTP Globex Telecom", ""},
		{"smtp", "220 mx.example.org ESMTP GlobexInc ready", ""},
		{"imap", "* OK Globex Solutions IMAP4rev1 ready", ""},
		{"pop3", "+OK Globex AG POP3 server ready", ""},
		{"smtp", "220 mx.example.org Python SMTP 1.4.4", "Python 1.4.4"},
		{"smtp", "220 mx.example.org ArGoSoft Mail Server Pro for WinNT/2000/XP, Version 1.8 (1.8.9.8)", "ArGoSoft Mail"},
		{"smtp", "220 mx.example.org VPOP3 ESMTP Server Ready", ""},
		{"smtp", "220 mx.example.org ESMTP Proxmox Mail Gateway", "Proxmox Mail Gateway"},
		{"lmtp", "220 mx.example.org DSPAM LMTP 3.10.2 Ready", "DSPAM 3.10.2"},
		{"lmtp", "220 mx.example.org Zimbra LMTP server ready", "Zimbra"},
		{"lmtp", "220 mx.example.org LMTP Mailutils 3.15", "Mailutils 3.15"},
		{"lmtp", "220 mx.example.org Dovecot (Debian) ready.", "Dovecot"},
		// Without a product.
		{"smtp", "220 mx.example.org ESMTP", ""},
		{"smtp", "220 mx.example.org ESMTP Service Ready", ""},
		{"smtp", "220 mx.example.org Service ready", ""},
		{"smtp", "220 mx ESMTP server ready", ""},
		{"smtp", "220 localhost NO UCE NO UBE NO RELAY PROBES", ""},
		{"smtp", "220 smtp.passthru", ""},
		{"smtp", "220 mx.example.org", ""},
		{"smtp", "220 MAILSRV01 ESMTP", ""},
		{"smtp", "220 MAILSRV01 EXCH02 ESMTP ready", ""},
		{"smtp", "220 Welcome to our mail server", ""},
		{"smtp", "220 mx.example.org Welcome", ""},
		{"smtp", "220 mx.example.org ESMTP Welcome", ""},
		{"smtp", "220 mx.example.org ESMTP Unauthorized access prohibited", ""},
		{"smtp", "220 mx.example.org ESMTP spam is not welcome here", ""},
		{"smtp", "220 mx.example.org ESMTP (8d4f0e8a7b6c5d4e3f2a1b0c9d8e7f6a)", ""},
		{"smtp", "220 mx.google.com ESMTP 5b1f17b1804b1-4349f0d9sm123456 - gsmtp", ""},
		{"smtp", "220 mx.example.org ESMTP a1b2c3d4e5si1234567qkf.12", ""},
		{"smtp", "220 mx.example.org ESMTP Sun, 22 Nov 2026 04:50:50 +0000", ""},
		{"smtp", "220 mx.example.org ESMTP ready at 2026-11-22T04:50:50Z", ""},
		{"smtp", "220 mx.example.org ESMTP 22.11.2026", ""},
		{"smtp", "220 mx.example.org SMTP ready at 22.11.26 04:50", ""},
		{"smtp", "220 mx.example.org ESMTP [192.0.2.1] ready for 198.51.100.7", ""},
		{"smtp", "220 mx.example.org ESMTP We accept mail from 2001:db8::1", ""},
		{"smtp", "220 smtp.acme.com ESMTP Acme", ""},
		{"smtp", "220 mx.example.org ESMTP Example Corp. Mail Gateway", ""},
		{"smtp", "220 mx.example.org ESMTP TLS 1.2 required", ""},
		{"smtp", "220 mx.example.org ESMTP RFC 5321 spoken", ""},
		{"smtp", "220 mx.example.org ESMTP (Debian/GNU)", ""},
		{"smtp", "220 mx.example.org ESMTP \x1b]0;owned\aPostfix\x1b[2J", ""},
		{"smtp", "554 mx.example.org ESMTP Postfix", ""},
		// IMAP and POP3
		{"imap", "* OK Hoodiecrow ready for rumble", "Hoodiecrow"},
		{"imap", "* OK WildDuck ready for requests from 127.0.0.1 iqsso44byapal2za", "WildDuck"},
		{"imap", "* OK test ready for requests from 127.0.0.1 iqsso44byapal2za", ""},
		{"imap", "* OK Gimap ready for requests from 192.0.2.1 a640c23a62f3", "Gimap"},
		{"imap", "* OK [CAPABILITY IMAP4rev1 LITERAL+ ID] mail.example.org Cyrus IMAP 3.6.1-Debian-3.6.1-4 server ready", "Cyrus 3.6.1-Debian-3.6.1-4"},
		{"imap", "* OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE STARTTLS AUTH=PLAIN SASL-IR] server ready", ""},
		{"imap", "* OK [CAPABILITY IMAP4rev1] Dovecot (Ubuntu) ready.", "Dovecot"},
		{"imap", "* OK [CAPABILITY IMAP4rev1] Courier-IMAP ready. Copyright 1998-2019 Double Precision, Inc.  See COPYING for distribution information.", "Courier-IMAP"},
		{"imap", "* OK Axigen-10.3.3 (Linux/x64) IMAP4rev1 service is ready", "Axigen 10.3.3"},
		{"imap", "* OK IMAPrev1 Service Ready - hMailServer 5.6.8", "hMailServer 5.6.8"},
		{"imap", "* OK mx.example.org CommuniGate Pro IMAP Server 6.3.1 ready", "CommuniGate Pro 6.3.1"},
		{"imap", "* OK IMAP4rev1 SmarterMail", "SmarterMail"},
		{"imap", "* OK IceWarp 13.0.2 x64 IMAP4rev1 Sun, 22 Nov 2026 04:50:50 +0000", "IceWarp 13.0.2"},
		{"imap", "* OK mx.example.org IMAP4rev1 MDaemon 23.0.1 ready", "MDaemon 23.0.1"},
		{"imap", "* OK Domino IMAP4 Server Release 12.0.2 ready Sun, 22 Nov 2026 04:50:50 +0000", "Domino 12.0.2"},
		{"imap", "* OK GroupWise IMAP4rev1 Server Ready", "GroupWise"},
		{"imap", "* OK mx.example.org IMAP4 Server (Zoho Mail IMAP4rev1 Server version 1.0)", "Zoho Mail 1.0"},
		{"imap", "* OK [CAPABILITY IMAP4rev1] IMAP4rev1 Citadel 9.01 ready", "Citadel 9.01"},
		{"imap", "* OK The Microsoft Exchange IMAP4 service is ready.", "Microsoft Exchange"},
		{"imap", "* OK Stalwart IMAP4rev2 at your service.", "Stalwart"},
		{"imap", "* OK IMAP4rev1 server ready at 22/11/26", ""},
		{"imap", "* OK IMAP4 ready", ""},
		{"imap", "* OK IMAP4rev1 Service Ready", ""},
		{"imap", "* OK mailhub IMAP4rev1 server ready", ""},
		{"imap", "* OK [CAPABILITY IMAP4REV1 LOGIN-REFERRALS] localhost IMAP4rev1 2007e.404 at Sun, 22 Nov 2026 04:50:50 +0000 (UTC)", ""},
		{"imap", "* OK ready", ""},
		{"imap", "* BYE Postfix 3.7 is busy", ""},
		{"pop3", "+OK Mailpit POP3 server", "Mailpit"},
		{"pop3", "+OK Dovecot ready.", "Dovecot"},
		{"pop3", "+OK QPOP (version 4.0.5) at mx.example.org starting.", "QPOP 4.0.5"},
		{"pop3", "+OK mx.example.org Cyrus POP3 3.6.1 server ready <1234.5678@mx.example.org>", "Cyrus 3.6.1"},
		{"pop3", "+OK Microsoft Exchange Server 2016 POP3 service is ready", "Microsoft Exchange"},
		{"pop3", "+OK <31295.1795885069@mail.example.org>", ""},
		{"pop3", "+OK POP3 ready", ""},
		{"pop3", "+OK ", ""},
		{"pop3", "+OK perdition ready on mx.example.org 0002c3a1", ""},
		// ManageSieve
		{"managesieve", `"IMPLEMENTATION" "Dovecot Pigeonhole"`, "Dovecot Pigeonhole"},
		{"managesieve", `"IMPLEMENTATION" "Cyrus timsieved v2.4.17"`, "timsieved 2.4.17"},
		{"managesieve", `"IMPLEMENTATION" "Example1 ManageSieved v001"`, "Example1"},
		{"managesieve", `"IMPLEMENTATION" "Stalwart ManageSieve v0.6.0"`, "Stalwart 0.6.0"},
		{"managesieve", `"IMPLEMENTATION" "ManageSieve"`, ""},
		{"managesieve", `"IMPLEMENTATION" "mx.example.org"`, ""},
		// Protocols in which no name is searched.
		{"ssh", "SSH-2.0-OpenSSH_9.2p1", ""},
	} {
		n := Find(c.protocol, said(signatures.Greeting, c.greeting+"\r\n"))
		if got := strings.TrimSpace(n.Product + " " + n.Version); got != c.want {
			t.Errorf("%s %q says of itself %q, want %q", c.protocol, c.greeting, got, c.want)
		}
	}
}

// TestReplies does the same with other replies.
func TestReplies(t *testing.T) {
	const ready = "220 mx.example.org ESMTP\r\n"
	for _, c := range []struct {
		protocol string
		said     []string
		want     string
	}{
		{"smtp", []string{"greeting", ready, "smtp-help", "214 notqmail home page: https://notqmail.org\r\n"}, "notqmail"},
		{"smtp", []string{"greeting", ready, "smtp-help", "214 qmail home page: http://pobox.com/~djb/qmail.html\r\n"}, "qmail"},
		{"smtp", []string{"greeting", ready, "smtp-help", "214-2.0.0 This is sendmail version 8.17.1\r\n214 2.0.0 End of HELP info\r\n"}, "sendmail 8.17.1"},
		{"smtp", []string{"greeting", ready, "smtp-help", "214 See https://tools.ietf.org/html/rfc5321 for details\r\n"}, ""},
		{"smtp", []string{"greeting", ready, "smtp-help", "214-Commands supported:\r\n214 AUTH HELO EHLO MAIL RCPT DATA\r\n"}, ""},
		{"smtp", []string{"greeting", ready, "smtp-help", "214 2.0.0 Hoy por ti, mañana por mi\r\n"}, ""},
		{"smtp", []string{"greeting", ready, "smtp-help", "500 5.5.2 Error: Exim 4.96 does not know that\r\n"}, ""},
		{"smtp", []string{"greeting", ready, "smtp-ehlo", "250-mx.example.org Wrend/2.1 at your service\r\n250 SIZE\r\n"}, "Wrend 2.1"},
		{"smtp", []string{"greeting", ready, "smtp-ehlo", "250-mx.example.org Hello scan.example.invalid [192.0.2.1], pleased to meet you\r\n250 DSN\r\n"}, ""},
		{"smtp", []string{"greeting", "220 inbucket Inbucket SMTP ready\r\n", "smtp-ehlo", "250-Great, let's get this show on the road\r\n250 SIZE\r\n"}, ""},
		{"smtp", []string{"greeting", "220 mx ESMTP Sparrow\r\n", "smtp-ehlo", "250-Sparrow\r\n250 SIZE\r\n"}, ""},
		{"imap", []string{"greeting", "* OK ready\r\n", "imap-id", "* ID (\"name\" \"Cyrus IMAPD\" \"version\" \"3.6.1\" \"vendor\" \"Project Cyrus\")\r\na2 OK Completed\r\n"}, "Cyrus IMAPD 3.6.1"},
		{"imap", []string{"greeting", "* OK ready\r\n", "imap-id", "* ID (\"NAME\" \"Zimbra\" \"VERSION\" \"8.8.15_GA_4717\" \"USER\" NIL)\r\na2 OK ID completed\r\n"}, "Zimbra 8.8.15_GA_4717"},
		{"imap", []string{"greeting", "* OK ready\r\n", "imap-id", "* ID NIL\r\na2 OK ID completed\r\n"}, ""},
		{"imap", []string{"greeting", "* OK ready\r\n", "imap-id", "* ID (\"name\" \"test\" \"version\" \"1\")\r\na2 OK ID completed\r\n"}, ""},
		{"imap", []string{"greeting", "* OK ready\r\n", "imap-id", "* ID (\"name\" \"mx.example.org\")\r\na2 OK\r\n"}, ""},
		{"imap", []string{"greeting", "* OK ready\r\n", "imap-id", "* ID (\"name\" \"Post\\\"fix\r\na2 OK\r\n"}, ""},
		{"pop3", []string{"greeting", "+OK ready\r\n", "pop3-capa", "+OK list\r\nTOP\r\nIMPLEMENTATION Mailpit\r\n.\r\n"}, "Mailpit"},
		{"pop3", []string{"greeting", "+OK ready\r\n", "pop3-capa", "+OK list\r\nIMPLEMENTATION Shlemazle-Plotz-v302\r\n.\r\n"}, "Shlemazle-Plotz 302"},
		{"pop3", []string{"greeting", "+OK ready\r\n", "pop3-capa", "+OK list\r\nIMPLEMENTATION Cyrus POP3 3.6.1\r\n.\r\n"}, "Cyrus 3.6.1"},
		{"http", []string{"http-get", "HTTP/1.1 200 OK\r\nServer: Caddy\r\n\r\n"}, "Caddy"},
		{"http", []string{"http-get", "HTTP/1.1 200 OK\r\nserver: lighttpd/1.4.69\r\n\r\n"}, "lighttpd 1.4.69"},
		{"http", []string{"http-get", "HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/10.0\r\n\r\n"}, "Microsoft-IIS 10.0"},
		{"http", []string{"http-get", "HTTP/1.1 200 OK\r\nServer: WSGIServer/0.2 CPython/3.10.6\r\n\r\n"}, "WSGIServer 0.2"},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\nServer: Apache-Coyote/1.1\r\n\r\n"}, "Apache-Coyote 1.1"},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\nServer: gunicorn\r\n\r\n"}, "gunicorn"},
		{"smtp", []string{signatures.Greeting, "220 mail ESMTP Hercules\r\n", "smtp-ehlo", "250-hercules.example.org\r\n250 SIZE\r\n"}, ""},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\nServer: mx.example.org\r\n\r\n"}, ""},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\nServer: Server\r\n\r\n<title>404 Not Found</title>"}, ""},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\n\r\n<html><head><title>MailHog</title>"}, "MailHog"},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\n\r\n<title>Login - Roundcube</title>"}, "Roundcube"},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\n\r\n<title>Roundcube Webmail :: Welcome to Roundcube Webmail</title>"}, "Roundcube Webmail"},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\n\r\n<title>Welcome to nginx!</title>"}, ""},
		{"http", []string{"http-get", "HTTP/1.0 200 OK\r\n\r\n<title>Index of /</title>"}, ""},
		{"http", []string{"http-get", "no HTTP at all: Server: Postfix\r\n"}, ""},
	} {
		n := Find(c.protocol, said(c.said...))
		if got := strings.TrimSpace(n.Product + " " + n.Version); got != c.want {
			t.Errorf("%s %q says of itself %q, want %q", c.protocol, c.said, got, c.want)
		}
	}
}
