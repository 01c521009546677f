package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
)

// A family is a daemon and its expected identification.
type family struct {
	handler           mailtest.Handler
	protocol, product string
	role, version     string
	least             int // minimum confidence
}

// families returns daemons that no distribution ships or that send no greeting.
func families(t *testing.T) map[string]family {
	t.Helper()
	policy := func(name string) mailtest.Handler { return &mailtest.Policy{Name: name} }
	imap := daemon(t, "dovecot-imap")
	return map[string]family{
		"Cluebringer with HTTP": {&mailtest.Cluebringer{HTTP: true}, "postfix-policy", "Cluebringer", "policy", "2.1.x-201205100639", 10},
		"Cluebringer":           {new(mailtest.Cluebringer), "postfix-policy", "Cluebringer", "policy", "", 5},
		"Cluebringer, no store": {&mailtest.Cluebringer{Down: true}, "postfix-policy", "Cluebringer", "policy", "", 5},
		"Policyd v1":            {new(mailtest.PolicydV1), "postfix-policy", "Policyd v1", "policy", "", 9},
		"iRedAPD":               {mailtest.IRedAPD{}, "postfix-policy", "iRedAPD", "policy", "", 9},
		"policyd-weight":        {policy("policyd-weight"), "postfix-policy", "policyd-weight", "policy", "", 5},
		"policyd-rate-limit":    {policy("policyd-rate-limit"), "postfix-policy", "policyd-rate-limit", "policy", "", 5},
		"quota-status":          {policy("quota-status"), "postfix-policy", "Dovecot quota-status", "policy", "", 5},
		"postfwd 2":             {policy("postfwd2"), "postfix-policy", "postfwd", "policy", "", 5},
		"mtpolicyd":             {policy("mtpolicyd"), "postfix-policy", "mtpolicyd", "policy", "", 5},
		"postgrey":              {policy("postgrey"), "postfix-policy", "Postgrey", "policy", "", 5},
		"SQLgrey":               {policy("sqlgrey"), "", "", "unknown", "", 0},
		"postfwd 1":             {policy("postfwd1"), "postfix-policy", "postfwd", "policy", "", 10},
		"AM.PDP":                {mailtest.AMPDP{}, "am.pdp", "amavisd-new", "content-filter", "", 10},
		"OpenDKIM":              {mailtest.Milter{Actions: 0x111, Steps: 0x100702}, "milter", "OpenDKIM", "milter", "", 7},
		"another milter":        {mailtest.Milter{Actions: 0x1, Steps: 0x7f}, "milter", "", "milter", "", 6},
		"Dovecot IMAP":          {imap, "imap", "Dovecot", "imap", "", 9},
		"Dovecot behind PROXY":  {mailtest.Proxied{Inner: imap}, "imap", "Dovecot", "imap", "", 9},
		"nginx IMAP":            {daemon(t, "nginx-imap"), "imap", "nginx", "imap-proxy", "", 9},
		"Zimbra IMAP":           {daemon(t, "zimbra-imap"), "imap", "Zimbra", "imap-backend", "8.8.15_GA_4717", 9},
		"Zimbra POP3":           {daemon(t, "zimbra-pop3"), "pop3", "Zimbra", "pop3-backend", "", 9},
		"Zimbra proxy":          {daemon(t, "zimbra-proxy-imap"), "imap", "Zimbra nginx", "imap-proxy", "", 9},
		"Zimbra LMTP":           {daemon(t, "zimbra-lmtp"), "lmtp", "Zimbra LMTP", "lmtp", "", 7},
		"Exchange IMAP":         {daemon(t, "exchange-imap"), "imap", "Microsoft Exchange", "imap", "", 9},
		"Exchange POP3":         {daemon(t, "exchange-pop3"), "pop3", "Microsoft Exchange", "pop3", "", 9},
		"Exchange SMTP":         {daemon(t, "exchange-smtp"), "smtp", "Microsoft Exchange", "mta", "", 7},
		"Mirapoint IMAP":        {daemon(t, "mirapoint-imap"), "imap", "Mirapoint", "imap", "4.2.2-GA", 9},
		"Mirapoint POP3":        {daemon(t, "mirapoint-pop3"), "pop3", "Mirapoint", "pop3", "4.2.2-GA", 9},
		"Mirapoint SMTP":        {daemon(t, "mirapoint-smtp"), "smtp", "Mirapoint", "mta", "4.2.2-GA", 7},
		"Sendmail":              {daemon(t, "sendmail"), "smtp", "Sendmail", "mta", "8.17.1.9", 8},
		"SSH":                   {daemon(t, "ssh"), "ssh", "OpenSSH", "not-mail", "9.2p1", 9},
		"a web server":          {daemon(t, "http"), "http", "nginx", "not-mail", "1.22.1", 8},
		"echo":                  {mailtest.Echo{}, "echo", "", "not-mail", "", 8},
		"a silent port":         {mailtest.Silent{}, "", "", "unknown", "", 0},
		"a line without an end": {mailtest.Flood{Text: "x"}, "", "", "unknown", "", 0},
		"resets":                {mailtest.Resetting{Text: "220 gone\r\n"}, "", "", "unknown", "", 0},
		"escapes":               {mailtest.Banner{Text: "\x1b]0;owned\a\x1b[2J\xff\xfe\x00 IMAP SMTP Postfix\r\n"}, "", "", "unknown", "", 0},
	}
}

// TestFamilies runs dialogues with all of them, with the waits of a run, in the
// time of the test.
func TestFamilies(t *testing.T) {
	set := load(t)
	for name, c := range families(t) {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server, open := n.Serve(t, c.handler), &openConns{dialer: n.Dial}
			id := &Identifier{Signatures: set, Dial: open.dial}
			svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil && c.least > 0 {
				t.Fatal(err)
			}
			if svc.Name != c.protocol || svc.Product != c.product || string(svc.Role) != c.role || svc.Version != c.version || svc.Confidence < c.least {
				t.Errorf("service is %q %q %q in the role %q with confidence %d (%s), want %q %q %q %q with %d\n%v",
					svc.Name, svc.Product, svc.Version, svc.Role, svc.Confidence, svc.MatchedRule,
					c.protocol, c.product, c.version, c.role, c.least, svc.Transcript)
			}
			server.Close()
			if n := open.most.Load(); n > maxPerPort {
				t.Errorf("%d connections were open at once, want at most %d", n, maxPerPort)
			}
			if n := open.all.Load(); n > maxConns {
				t.Errorf("%d connections in all, want at most %d", n, maxConns)
			}
			for line := range strings.Lines(strings.ToLower(string(server.Received()))) {
				for _, word := range []string{"data", "bdat", "mail", "rcpt", "auth", "request=smtpd_access_policy\n"} {
					if strings.HasPrefix(line, word) {
						t.Errorf("a line begins with %q: %q", word, line)
					}
				}
			}
			if w, ok := c.handler.(interface{ Rows() int }); ok && w.Rows() > 0 {
				t.Errorf("%d rows were written", w.Rows())
			}
		})
	}
}

// TestIntrusive sends intrusive probes to policy daemons that reply to nothing
// else.
func TestIntrusive(t *testing.T) {
	set := load(t)
	for name, c := range map[string]struct {
		product, version string
		alternatives     []string
	}{
		"sqlgrey":  {"SQLgrey", "", nil},
		"postfwd1": {"postfwd", "1.35", nil},
		"postgrey": {"Postgrey", "", nil},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, &mailtest.Policy{Name: name})
			id := &Identifier{Signatures: set, Dial: n.Dial, Intrusive: true}
			svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			if svc.Name != "postfix-policy" || svc.Product != c.product || svc.Version != c.version || !slices.Equal(svc.Alternatives, c.alternatives) {
				t.Errorf("service is %q %q %q or %q, want %q %q or %q", svc.Name, svc.Product, svc.Version, svc.Alternatives, c.product, c.version, c.alternatives)
			}
		})
	}
}

// openConns counts connections on the client's side, at once and in total: the
// server learns of a close only later.
type openConns struct {
	dialer         func(context.Context, netip.AddrPort) (net.Conn, error)
	now, most, all atomic.Int64
}

func (o *openConns) dial(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	c, err := o.dialer(ctx, target)
	if err != nil {
		return nil, err
	}
	o.all.Add(1)
	n := o.now.Add(1)
	for most := o.most.Load(); n > most && !o.most.CompareAndSwap(most, n); most = o.most.Load() {
	}
	return &countedConn{Conn: c, open: o}, nil
}

type countedConn struct {
	net.Conn
	open *openConns
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.now.Add(-1) })
	return c.Conn.Close()
}
