package mailtest

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

func dial(t *testing.T, s *Server) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// dialogue sends text, closes its side and returns all that came back.
func dialogue(t *testing.T, s *Server, text string) string {
	t.Helper()
	c := dial(t, s)
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func daemon(t *testing.T, name string) *Server {
	t.Helper()
	h, err := Daemon(name)
	if err != nil {
		t.Fatal(err)
	}
	return Serve(t, h)
}

func TestDaemonsParse(t *testing.T) {
	names := Daemons()
	if len(names) < 20 {
		t.Errorf("only %d daemons", len(names))
	}
	for _, name := range names {
		if _, err := Daemon(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := Daemon("nobody"); err == nil {
		t.Error("found a daemon that does not exist")
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"# a\nX: b", `script line 2: unknown step "X"`},
		{"raw: abc", "script line 1: reading"},
		{"pause: soon", "script line 1: reading a pause"},
		{"lines: lf", "lines end in crlf"},
	} {
		if _, err := Parse(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%q): %v, want %q", tt.in, err, tt.want)
		}
	}
}

func TestFits(t *testing.T) {
	for _, tt := range []struct {
		pattern, line string
		want          bool
	}{
		{"quit", "quit", true}, {"quit", "quitx", false}, {"quit*", "quitx", true}, {"", "", true}, {"", "a", false},
		{"*", "", true}, {"* id *", "a2 id nil", true}, {"* id *", "a2 idle", false}, {"a*b*c", "a-b-c", true}, {"a*a", "a", false},
	} {
		if got := fits(tt.pattern, tt.line); got != tt.want {
			t.Errorf("fits(%q, %q) = %v", tt.pattern, tt.line, got)
		}
	}
}

const notRecognized = "500 5.5.2 Error: command not recognized\r\n"

// What each daemon answers to the probes that tell them apart.
func TestSMTPFamily(t *testing.T) {
	const banner = "220 mail.example.net ESMTP Postfix\r\n"
	tests := []struct{ daemon, send, want string }{
		{"postfix", "\r\n", banner + "500 5.5.2 Error: bad syntax\r\n"},
		{"postfix", "NOOP\n\r\n", banner + "250 2.0.0 Ok\r\n500 5.5.2 Error: bad syntax\r\n"},
		{"postfix", "QUITX\r\nNOOP\r\n", banner + notRecognized + "250 2.0.0 Ok\r\n"},
		{"postfix", "0\r\n", banner + "221 2.7.0 Error: I can break rules, too. Goodbye.\r\n"},
		{"dkimproxy", "\r\n", banner},
		{"dkimproxy", "0\r\nNOOP\r\n", banner},
		{"dkimproxy", "NOOP\n", banner},
		{"dkimproxy", "NOOP\n\r\n", banner + "250 2.0.0 Ok\r\n"},
		{"dkimproxy", "QUITX\r\nNOOP\r\n", banner + notRecognized},
		{"dkimproxy", "NOOP\r\nquit\r\nNOOP\r\n", banner + "250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n"},
		{"dkimproxy", "NOOP\nNOOP\r\nHELP\r\n", banner + "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n"},
		{"dkimproxy", "DATAx\r\nNOOP\r\nQUIT\r\n", banner + notRecognized},
		{"dkimproxy", "XFORWARD NAME=a\r\n", banner + "550 5.7.0 Error: insufficient authorization\r\n"},
		{"spampd", "\r\n", banner},
		{"spampd", "QUITX\r\nNOOP\r\n", banner + notRecognized + "250 2.0.0 Ok\r\n"},
		{"spampd", "QUIT\r\nNOOP\r\n", banner + "221 2.0.0 Bye\r\n\r\n"},
		{"exim", "HELO\r\nQUIT\r\n", "220 mail.example.net ESMTP Exim 4.96 Sun, 22 Nov 2026 04:50:50 +0000\r\n500 unrecognized command\r\n221 mail.example.net closing connection\r\n"},
		{"sendmail", "\r\nXYZ\r\n", "220 mail.example.net ESMTP Sendmail 8.17.1.9/8.17.1.9; Sun, 22 Nov 2026 04:50:50 GMT\r\n500 5.5.1 Command unrecognized: \"\"\r\n500 5.5.1 Command unrecognized: \"XYZ\"\r\n"},
		{"opensmtpd", "NOOP\r\nNOOP\r\n", "220 mail.example.net ESMTP OpenSMTPD\r\n500 5.5.1 Invalid command: Pipelining not supported\r\n"},
		{"postfix-refusing", "EHLO a\r\nQUIT\r\n", "554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied\r\n503 5.7.0 Error: access denied for unknown[127.0.0.1]\r\n221 2.0.0 Bye\r\n"},
		{"zimbra-imap", "b2 ID NIL\r\nb3 LOGOUT\r\n", "* OK mail.example.net Zimbra 8.8.15_GA_4717 IMAP4rev1 server ready\r\n" +
			"* ID (\"NAME\" \"Zimbra\" \"VERSION\" \"8.8.15_GA_4717\" \"RELEASE\" \"20230101000000\")\r\nb2 OK ID completed\r\n* BYE mail.example.net Zimbra IMAP4rev1 server closing connection\r\nb3 OK LOGOUT completed\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.daemon+" "+strings.TrimSpace(tt.send), func(t *testing.T) {
			var s *Server
			switch tt.daemon {
			case "dkimproxy":
				s = Serve(t, DKIMproxy{Next: daemon(t, "postfix").Addr().String()})
			case "spampd":
				s = Serve(t, Spampd{Next: daemon(t, "postfix").Addr().String()})
			default:
				s = daemon(t, tt.daemon)
			}
			if got := dialogue(t, s, tt.send); got != tt.want {
				t.Errorf("sent %q, got\n%q, want\n%q", tt.send, got, tt.want)
			}
			if got := string(s.Received()); got != tt.send {
				t.Errorf("kept %q", got)
			}
		})
	}
}

func TestDKIMproxyWithoutNextHop(t *testing.T) {
	gone := Serve(t, Silent{})
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	if got := dialogue(t, Serve(t, DKIMproxy{Next: gone.Addr().String()}), ""); got != "421 Internal error (Next hop is down)\n" {
		t.Errorf("next hop down: %q", got)
	}
	if got := dialogue(t, Serve(t, Spampd{Next: gone.Addr().String()}), ""); got != "" {
		t.Errorf("spampd, next hop down: %q", got)
	}
	if got := dialogue(t, Serve(t, DKIMproxy{Next: Serve(t, Refusing{}).Addr().String()}), "EHLO a\r\n"); got != "\r\n\r\n" {
		t.Errorf("next hop hangs up: %q", got)
	}
	if got := dialogue(t, Serve(t, DKIMproxy{Refuse: true}), ""); got != "" {
		t.Errorf("refused: %q", got)
	}
}

// STARTTLS works with Postfix; through DKIMproxy it is granted and the
// handshake is swallowed.
func TestStartTLS(t *testing.T) {
	postfix := daemon(t, "postfix")
	c := dial(t, postfix)
	read := func(c net.Conn, want string) {
		t.Helper()
		buf := make([]byte, len(want))
		if _, err := io.ReadFull(c, buf); err != nil || string(buf) != want {
			t.Fatalf("read %q (%v), want %q", buf, err, want)
		}
	}
	const banner, ready = "220 mail.example.net ESMTP Postfix\r\n", "220 2.0.0 Ready to start TLS\r\n"
	read(c, banner)
	io.WriteString(c, "STARTTLS\r\n")
	read(c, ready)
	inside := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := inside.Handshake(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(inside, "NOOP\r\n")
	read(inside, "250 2.0.0 Ok\r\n")
	if got := string(postfix.Received()); got != "STARTTLS\r\nNOOP\r\n" {
		t.Errorf("kept %q", got)
	}

	proxy := Serve(t, DKIMproxy{Next: postfix.Addr().String()})
	if got := dialogue(t, proxy, "STARTTLS\r\n\x16\x03\x01\x00\x05hello"); got != banner+ready {
		t.Errorf("through the proxy: %q", got)
	}
}

func TestAmavisKeepsTheRestOfALine(t *testing.T) {
	a := &Amavis{Children: 1}
	s := Serve(t, a)
	const banner = "220 [127.0.0.1] ESMTP amavis service ready\r\n"
	if got := dialogue(t, s, "request=x\n\n"); got != banner {
		t.Errorf("a policy request: %q", got)
	}
	if got := dialogue(t, s, "NOOP\r\n"); !strings.HasPrefix(got, banner+"500 5.5.2 Error: bad syntax") {
		t.Errorf("the next client: %q", got)
	}
	if a.Harmed() != 1 {
		t.Errorf("harmed %d", a.Harmed())
	}
	if got := dialogue(t, s, "request=x\n\n\r\nQUIT\r\n"); !strings.Contains(got, "221 2.0.0") {
		t.Errorf("a line that was ended: %q", got)
	}
	if got := dialogue(t, s, "NOOP\r\nQUIT x\r\nQUITX\r\n"); got != banner+"250 2.0.0 Ok NOOP\r\n501 5.5.4 Error: QUIT does not accept arguments\r\n500 5.5.2 Error: command QUITX not recognized\r\n" {
		t.Errorf("the client after that: %q", got)
	}
	if a.Harmed() != 1 {
		t.Errorf("harmed %d", a.Harmed())
	}
}

func TestAmavisIsBusy(t *testing.T) {
	s := Serve(t, &Amavis{Children: 1})
	first := dial(t, s)
	buf := make([]byte, 3)
	if _, err := io.ReadFull(first, buf); err != nil {
		t.Fatal(err)
	}
	second := dial(t, s)
	first.Close()
	if _, err := io.ReadFull(second, buf); err != nil || string(buf) != "220" {
		t.Errorf("the second client: %q, %v", buf, err)
	}
}

func TestAMPDP(t *testing.T) {
	if got := dialogue(t, Serve(t, AMPDP{}), "\r\n"); !strings.HasPrefix(got, "setreply=450 4.5.0 Failure:%20Missing%20'request'%20field%20at%20") || !strings.HasSuffix(got, "exit_code=75\r\n\r\n") {
		t.Errorf("empty line: %q", got)
	}
}

const (
	minimal = "request=smtpd_access_policy\n\n"
	connect = "request=smtpd_access_policy\nprotocol_state=CONNECT\nclient_address=192.0.2.1\nclient_name=unknown\nsender=\nrecipient=\ninstance=1.2.3\n\n"
	rcpt    = "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.1\nclient_name=unknown\nsender=a@example.org\nrecipient=b@example.org\ninstance=1.2.3\n\n"
)

// Who answers what, and what writes to whose database.
func TestPolicyFamily(t *testing.T) {
	clue := func() Handler { return new(Cluebringer) }
	old := func() Handler { return &Cluebringer{HTTP: true} }
	v1 := func() Handler { return new(PolicydV1) }
	apd := func() Handler { return IRedAPD{} }
	policy := func(name string) func() Handler {
		return func() Handler { return &Policy{Name: name} }
	}
	const probe, get = "request=mxsweep_probe\n\n", "GET / HTTP/1.0\r\n\r\n"
	tests := []struct {
		name    string
		handler func() Handler
		send    string
		want    string
		rows    int
	}{
		{"cluebringer, unknown request", clue, probe, "action=DEFER\n\n", 0},
		{"cluebringer hangs up after it", clue, probe + "x=y\n", "action=DEFER\n\n", 0},
		{"cluebringer, connect", clue, connect, "action=DUNNO\n\n", 0},
		{"cluebringer, recipient", clue, rcpt, "action=DUNNO\n\n", 1},
		{"cluebringer, two at once", clue, connect + connect, "action=DUNNO\n\n", 0},
		{"cluebringer, http", clue, get, "", 0},
		{"cluebringer, new lines", clue, "\n\n\r\nPING\n", "", 0},
		{"cluebringer with http", old, get, cluebringerHTTP, 0},
		{"cluebringer, database down", func() Handler { return &Cluebringer{Down: true} }, rcpt, "action=DEFER\n\n", 0},
		{"cluebringer refuses", func() Handler { return &Cluebringer{Refuse: true} }, "", "", 0},
		{"policyd 1, http", v1, "OPTIONS / HTTP/1.0\r\n\r\n", "action=defer_if_permit Policy Rejection: Invalid data\n\n", 0},
		{"policyd 1, recipient", v1, rcpt, "action=dunno\n\n", 1},
		{"iredapd, new line", apd, "\n", "action=DUNNO\n\n", 0},
		{"iredapd, crlf", apd, "\r\n\r\n", "", 0},
		{"iredapd, unknown request", apd, probe, "", 0},
		{"iredapd, sender", apd, "sender=notanaddress\n", "action=DUNNO Error: Invalid sender address: notanaddress\n\n", 0},
		{"iredapd, connect", apd, connect, "action=DUNNO No enabled plugins\n\n", 0},
		{"postgrey, unknown request", policy("postgrey"), probe, "", 0},
		{"postgrey, minimal", policy("postgrey"), minimal, "action=DUNNO\n\n", 0},
		{"postgrey, connect", policy("postgrey"), connect, "action=DEFER_IF_PERMIT 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/.html\n\n", 1},
		{"sqlgrey, unknown request", policy("sqlgrey"), probe, "", 0},
		{"sqlgrey, minimal", policy("sqlgrey"), minimal, "action=defer_if_permit Greylisted for 5 minutes\n\n", 1},
		{"policyd-weight, unknown request", policy("policyd-weight"), probe, "", 0},
		{"policyd-weight, minimal", policy("policyd-weight"), minimal, "action=DUNNO NULL (<>) Sender\n\n", 0},
		{"postfwd1, ping", policy("postfwd1"), "PING\n", "", 0},
		{"postfwd2, ping", policy("postfwd2"), "PING\n", "PONG\n", 0},
		{"postfwd2, unknown request", policy("postfwd2"), probe, "", 0},
		{"policyd-rate-limit, unknown request", policy("policyd-rate-limit"), probe, "action=dunno\n\n", 0},
		{"policyd-rate-limit, recipient", policy("policyd-rate-limit"), rcpt, "action=dunno\n\n", 1},
		{"mtpolicyd, ping", policy("mtpolicyd"), "PING\n", "", 0},
		{"quota-status, crlf", policy("quota-status"), "\r\n", "action=DUNNO\n\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := tt.handler()
			if got := dialogue(t, Serve(t, h), tt.send); got != tt.want {
				t.Errorf("sent %q, got %q, want %q", tt.send, got, tt.want)
			}
			if w, ok := h.(interface{ Rows() int }); ok && w.Rows() != tt.rows {
				t.Errorf("wrote %d rows, want %d", w.Rows(), tt.rows)
			}
		})
	}
}

func TestMilter(t *testing.T) {
	s := Serve(t, Milter{Actions: 0x111, Steps: 0x100702})
	optneg, err := hex.DecodeString("0000000d4f00000006000001ff001fffff" + "0000000151")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString([]byte(dialogue(t, s, string(optneg)))); got != "0000000d4f000000060000011100100702" {
		t.Errorf("options %s", got)
	}
	wantReset(t, s, "GET / HTTP/1.0\r\n\r\n")
}

func wantReset(t *testing.T, s *Server, send string) {
	t.Helper()
	c := dial(t, s)
	io.WriteString(c, send)
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("ended with %v, want a reset", err)
	}
}

func TestProxied(t *testing.T) {
	h, err := Daemon("dovecot-imap")
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(t, Proxied{Inner: h})
	if got := dialogue(t, s, "PROXY UNKNOWN\r\na LOGOUT\r\n"); !strings.HasPrefix(got, "* OK [CAPABILITY") {
		t.Errorf("after the header: %q", got)
	}
	wantReset(t, s, "EHLO a\r\n")
	if got := dialogue(t, Serve(t, Proxied{Inner: h, Untrusted: true}), ""); got != "" {
		t.Errorf("untrusted: %q", got)
	}
	c := dial(t, Serve(t, Proxied{Inner: h, Postfix: true, Patience: time.Millisecond}))
	if got, err := io.ReadAll(c); err != nil || string(got) != "421 4.3.0 mail.example.net Server local error\r\n" {
		t.Errorf("after the wait: %q, %v", got, err)
	}
}

func TestNoise(t *testing.T) {
	if got := dialogue(t, Serve(t, Echo{}), "request=mxsweep_probe\n\n"); got != "request=mxsweep_probe\n\n" {
		t.Errorf("echo: %q", got)
	}
	if got := dialogue(t, Serve(t, Flood{Text: "x", Bytes: 1 << 20}), ""); len(got) < 1<<20 || strings.Contains(got, "\n") {
		t.Errorf("flood: %d bytes", len(got))
	}
	if got := dialogue(t, Serve(t, Banner{Text: "\x1b[31m\xff\x00"}), ""); got != "\x1b[31m\xff\x00" {
		t.Errorf("banner: %q", got)
	}
	// The RST may come before the kernel tells of the connection.
	if c, err := net.Dial("tcp", Serve(t, Resetting{}).Addr().String()); err == nil {
		if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("reset: %v", err)
		}
		c.Close()
	}
	c := dial(t, Serve(t, Drip{Text: "22", Every: time.Microsecond}))
	buf := make([]byte, 5)
	if _, err := io.ReadFull(c, buf); err != nil || !bytes.Equal(buf, []byte("22222")) {
		t.Errorf("drip: %q, %v", buf, err)
	}
}

// A server that is closed ends what is under way: a client that waits, a
// relay whose next hop is silent, a flood that nobody reads.
func TestCloseEndsEverything(t *testing.T) {
	silent := Serve(t, Silent{})
	for _, h := range []Handler{Silent{}, DKIMproxy{Next: silent.Addr().String()}, Flood{Text: "x"}, Drip{Text: "x", Every: time.Hour}, Proxied{Inner: Silent{}, Patience: time.Hour}, &Amavis{Children: 1}} {
		started := make(chan bool)
		s, err := Listen("", HandlerFunc(func(c *Conn) {
			started <- true
			h.Serve(c)
		}))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			dial(t, s)
			<-started
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if s.MaxOpen() != 2 {
			t.Errorf("%T: %d were open at once", h, s.MaxOpen())
		}
	}
}

func TestStack(t *testing.T) {
	s, err := StartStack(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Services {
		if e.Name == "DKIMproxy, which relays to the Postfix re-injection port" {
			if got := dialogue(t, e.Server, "XFORWARD NAME=a\r\n"); !strings.HasSuffix(got, "250 2.0.0 Ok\r\n") {
				t.Errorf("through DKIMproxy: %q", got)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("S: 220 a\nC: QUIT\nS: 221 b\nclose\n")
	f.Add("raw: \"\\x00\"\npause: 1s\npipelined: x\ntls\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		for _, a := range s.answers {
			fits(a.pattern, text)
		}
	})
}
