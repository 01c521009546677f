package fingerprint

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
)

// A fronted is a port behind which a proxy, or a parser of PROXY headers, stands, and
// what must be said of it.
type fronted struct {
	handler                 mailtest.Handler
	product, behind, parser string
	least                   int // of the confidence
}

// fronteds are proxies of all kinds, and the same daemons without one.
func fronteds(t *testing.T) map[string]fronted {
	t.Helper()
	daemons := map[string]string{"postfix": "Postfix smtpd", "dovecot-imap": "Dovecot", "nginx-imap": "nginx", "exim": "Exim", "opensmtpd": "OpenSMTPD"}
	all := map[string]fronted{}
	const long = time.Minute
	parser := func(of string, inner mailtest.Handler, keeps time.Duration) mailtest.Handler {
		return mailtest.TCPProxy{Inner: mailtest.Parser{Inner: inner, Of: of}, Keeps: keeps}
	}
	for script, product := range daemons {
		d := daemon(t, script)
		all[product] = fronted{handler: d, product: product, least: 7}
		all["HAProxy before "+product] = fronted{mailtest.TCPProxy{Inner: d, Keeps: long}, "HAProxy", product, "", 5}
		all["docker-proxy before "+product] = fronted{mailtest.TCPProxy{Inner: d, Keeps: long, Splices: true}, "docker-proxy", product, "", 5}
		all["HAProxy behind a firewall before "+product] = fronted{mailtest.TCPProxy{Inner: d, Keeps: long, Clears: true}, "TCP proxy", product, "", 6}
		all["socat before "+product] = fronted{mailtest.TCPProxy{Inner: d, Keeps: 500 * time.Millisecond}, "socat", product, "", 5}
		all["accept-proxy before "+product] = fronted{parser("haproxy", d, long), "HAProxy", product, "HAProxy", 9}
		nginx := fronted{parser("nginx", d, 0), "nginx", product, "nginx", 8}
		if product == "nginx" {
			nginx.behind = ""
		}
		all["nginx stream before "+product] = nginx
	}
	for of, d := range map[string]string{"dovecot": "dovecot-imap", "postfix": "postfix", "postscreen": "postfix", "exim": "exim", "opensmtpd": "opensmtpd"} {
		name := map[string]string{"dovecot": "Dovecot", "postfix": "Postfix smtpd", "postscreen": "Postfix postscreen", "exim": "Exim", "opensmtpd": "OpenSMTPD"}[of]
		all["the parser of "+of] = fronted{parser(of, daemon(t, d), 0), daemons[d], "", name, 8}
	}
	chasquid := mailtest.HandlerFunc(func(c *mailtest.Conn) { replay{readTranscripts(t, "testdata/transcripts")["chasquid"]}.Serve(c) })
	all["the parser of chasquid"] = fronted{parser("chasquid", chasquid, 0), "chasquid", "", "chasquid", 9}
	// A daemon that is not known to reset says nothing by taking bytes.
	unknown, err := mailtest.Parse("S: 220 mx.example.org ESMTP\nC: EHLO *\nS: 250 mx.example.org\nC: QUIT\nS: 221 Bye\nclose\nC: *\nS: 500 what")
	if err != nil {
		t.Fatal(err)
	}
	all["another daemon that takes bytes"] = fronted{handler: mailtest.TCPProxy{Inner: unknown, Keeps: long}}
	all["accept-proxy before another daemon"] = fronted{parser("haproxy", unknown, long), "HAProxy", "", "HAProxy", 9}
	// Who ends TLS hands on what the daemon says in cleartext.
	inTLS := func(d mailtest.Handler) mailtest.Handler {
		return mailtest.HandlerFunc(func(c *mailtest.Conn) {
			if c.StartTLS() == nil {
				d.Serve(c)
			}
		})
	}
	all["TLS before Postfix"] = fronted{inTLS(daemon(t, "postfix")), "TLS proxy", "Postfix smtpd", "", 6}
	all["TLS of Dovecot"] = fronted{inTLS(daemon(t, "dovecot-imap")), "Dovecot", "", "", 7}
	all["TLS of HAProxy before Postfix"] = fronted{inTLS(mailtest.TCPProxy{Inner: daemon(t, "postfix"), Keeps: long}), "HAProxy", "Postfix smtpd", "", 5}
	// Two signs that contradict each other tell nothing.
	all["a strict stranger"] = fronted{parser("haproxy", daemon(t, "dovecot-imap"), 0), "Dovecot", "", "", 8}
	return all
}

// check compares what is said of the port with what must be. Where something may not
// have been received, nothing said is right, and what is said must be.
func (f *fronted) check(t *testing.T, svc *Identification, incomplete bool) {
	t.Helper()
	behind := ""
	if svc.Behind != nil {
		behind = svc.Behind.Product
	}
	own := f.behind
	if own == "" {
		own = f.product
	}
	if incomplete && behind == f.behind && slices.Contains(svc.Alternatives, f.product) {
		return // it may also be another one
	}
	unknown := behind == "" && svc.ProxyParser == "" && (svc.Product == own || svc.Product == "")
	if incomplete && (unknown || svc.Product == "" && behind == "" && svc.ProxyParser == f.parser) {
		return
	}
	// Its name needs one connection more than may be left: in which order the questions
	// before end, when several end at the same time, decides how many are asked.
	if f.product == "chasquid" && svc.Transcript.Find("smtp-empty-line") == nil && svc.Product == "" && behind == "" && svc.ProxyParser == f.parser {
		return
	}
	if f.behind != "" && svc.ProtocolConfidence() < 7 && !incomplete {
		t.Errorf("the confidence in what is behind is %d, want that of the daemon", svc.ProtocolConfidence())
	}
	if svc.Product != f.product || behind != f.behind || svc.ProxyParser != f.parser || !incomplete && svc.Confidence < f.least {
		t.Errorf("called %q (%d, %s) before %q with the parser of %q, want %q (%d) before %q with that of %q\n%s", svc.Product, svc.Confidence, svc.MatchedRule,
			behind, svc.ProxyParser, f.product, f.least, f.behind, f.parser, asJSON(svc.Transcript))
	}
}

// frontPorts are ports on which the questions come in another order: zero for the
// server's own, on which nothing is expected, and those that a probe names first or that
// are known for a PROXY header.
func frontPorts(t *testing.T) []uint16 {
	t.Helper()
	p := load(t).Probe("proxy-unknown")
	if p == nil || len(p.FirstOn) == 0 {
		t.Fatal("no port is asked for a PROXY header first")
	}
	return append([]uint16{0}, p.Ports...)
}

// onPort is the address of a server as if it were on a port; zero for its own.
func onPort(server *mailtest.Server, port uint16) netip.AddrPort {
	if port == 0 {
		return server.Addr()
	}
	return netip.AddrPortFrom(server.Addr().Addr(), port)
}

// TestFronts names what stands in front of a daemon, and whose parser reads the PROXY
// header, with at most two connections more than the daemon itself needs, and on every
// port the same.
func TestFronts(t *testing.T) {
	set := load(t)
	for name, f := range fronteds(t) {
		for _, port := range frontPorts(t) {
			inMemory(t, fmt.Sprintf("%s on %d", name, port), func(t *testing.T, n *mailtest.Network) {
				server := n.Serve(t, f.handler)
				id := &Identifier{Signatures: set, Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) { return n.Dial(ctx, server.Addr()) }}
				svc, err := id.Identify(t.Context(), scan.Result{Target: onPort(server, port), Conn: found(t, n, server)})
				if err != nil {
					t.Fatal(err)
				}
				f.check(t, svc, false)
				if conns := server.Connections(); conns > 10 {
					t.Errorf("%d connections, want at most 10", conns)
				}
			})
		}
	}
}

// found is the connection with which a scanner found the port.
func found(t *testing.T, n *mailtest.Network, server *mailtest.Server) net.Conn {
	t.Helper()
	conn, err := n.Dial(t.Context(), server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestFrontsUnheard has every packet of the other side come 50 ms late, or lets a part
// of the connections end without a byte: what is said then must be right.
func TestFrontsUnheard(t *testing.T) {
	set := load(t)
	for name, f := range fronteds(t) {
		if name == "a strict stranger" {
			continue // half of its signs are those of HAProxy
		}
		for i := range 8 {
			seed, port := i%4, frontPorts(t)[i/4] // where a header is not expected, and where it is
			inMemory(t, fmt.Sprintf("%s on %d", name, port), func(t *testing.T, n *mailtest.Network) {
				server := n.Serve(t, f.handler)
				var made atomic.Int64
				id := &Identifier{Signatures: set, Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
					made := int(made.Add(1))
					conn, err := n.Dial(ctx, server.Addr())
					if err != nil {
						return nil, err
					}
					return &slowConn{Conn: conn, deaf: seed > 0 && made%3 == seed%3, silent: seed > 0 && made%2 == seed%2}, nil
				}}
				svc, err := id.Identify(t.Context(), scan.Result{Target: onPort(server, port), Conn: &slowConn{Conn: found(t, n, server)}, RTT: 100 * time.Millisecond})
				id.limit.Await(t.Context())
				if err == nil {
					f.check(t, svc, true)
				}
			})
		}
	}
}

// A slowConn is a connection whose other side is 50 ms away.
type slowConn struct {
	net.Conn
	deaf   bool // nobody tells what became of what is sent
	silent bool // a reset never arrives
}

func (c *slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	time.Sleep(50 * time.Millisecond)
	return n, err
}

func (c *slowConn) Ended() (hungUp, reset bool) {
	hungUp, reset = c.Conn.(interface{ Ended() (bool, bool) }).Ended()
	return hungUp && !c.deaf, reset && !c.silent
}

// Unacked is what the kernel tells of bytes that nothing acknowledged.
func (c *slowConn) Unacked() bool {
	_, reset := c.Conn.(interface{ Ended() (bool, bool) }).Ended()
	return reset && c.silent
}

func (c *slowConn) SendUrgent(b byte) bool {
	return c.Conn.(interface{ SendUrgent(b byte) bool }).SendUrgent(b)
}

func (c *slowConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// TestHeadersAreTrue holds that no PROXY header claims another address than our own.
func TestHeadersAreTrue(t *testing.T) {
	set := load(t)
	for name, f := range fronteds(t) {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, f.handler)
			id := &Identifier{Signatures: set, Dial: n.Dial}
			if _, err := id.Identify(t.Context(), scan.Result{Target: server.Addr(), Conn: found(t, n, server)}); err != nil {
				t.Fatal(err)
			}
			for _, s := range server.Sessions() {
				checkHeader(t, s)
			}
		})
	}
}

// checkHeader holds the PROXY header with which a connection began against what may be
// sent.
func checkHeader(t *testing.T, s mailtest.Session) {
	t.Helper()
	line, _, _ := strings.Cut(string(s.Received), "\r\n")
	words := strings.Fields(line)
	switch {
	case len(words) == 0 || words[0] != "PROXY", len(words) > 1 && words[1] == "UNKNOWN":
	case len(words) != 6 || words[2] != s.Remote.Addr().String() || words[4] != "39999":
		t.Errorf("the header %q is not of our address %v", line, s.Remote)
	}
	if len(s.Received) >= 16 && s.Received[0] == '\r' && s.Received[1] == '\n' && s.Received[12]&0xf0 == 0x20 && (s.Received[14] != 0 || s.Received[15] != 0) {
		t.Errorf("the header %x has addresses", s.Received[:16])
	}
}

// TestRelays names what ends both sides of a connection as soon as one has ended, and
// asks for it only where not everybody goes anyway.
func TestRelays(t *testing.T) {
	set := load(t)
	for name, c := range map[string]struct {
		product, behind string
		wait            time.Duration // until the greeting
		port            uint16
		relayed         bool
	}{
		"nginx":              {"nginx", "Dovecot", 0, 0, true},
		"sslh":               {"sslh", "Dovecot", 2 * time.Second, 0, true},
		"nobody":             {"Dovecot", "", 0, 0, false},
		"nobody, and late":   {"Dovecot", "", 2 * time.Second, 0, false},
		"nginx, everybody's": {"Dovecot", "", 0, 143, true},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			dovecot := daemon(t, "dovecot-imap")
			late := mailtest.HandlerFunc(func(conn *mailtest.Conn) {
				if conn.Wait(c.wait) {
					dovecot.Serve(conn)
				}
			})
			server := n.Serve(t, late)
			if c.relayed {
				server = n.Serve(t, mailtest.Relay{Next: server.Addr().String()})
			}
			id := &Identifier{Signatures: set, Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) { return n.Dial(ctx, server.Addr()) }}
			svc, err := id.Identify(t.Context(), scan.Result{Target: onPort(server, c.port), Conn: found(t, n, server)})
			if err != nil {
				t.Fatal(err)
			}
			behind := ""
			if svc.Behind != nil {
				behind = svc.Behind.Product
			}
			if svc.Product != c.product || behind != c.behind {
				t.Errorf("called %q (%s) before %q, want %q before %q\n%s", svc.Product, svc.MatchedRule, behind, c.product, c.behind, asJSON(svc.Transcript))
			}
		})
	}
}
