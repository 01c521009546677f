package fingerprint

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// A replay is a daemon that sends the replies of a transcript. On a probe that is
// not in the transcript it is silent, or closes the connection, as the daemon did
// on a policy request.
type replay struct{ said *Transcript }

// Serve handles one connection.
func (r replay) Serve(c *mailtest.Conn) {
	greeting := r.said.Find(signatures.Greeting)
	if greeting != nil && !play(c, greeting) {
		return
	}
	tls := false
	var asked, all []byte
	for {
		one := make([]byte, 1)
		if _, err := c.Read(one); err != nil {
			if ex, _ := r.answer(all, tls); ex != nil && err == io.EOF {
				play(c, ex) // of a daemon that waits for the end of what is said
			}
			return
		}
		asked, all = append(asked, one[0]), append(all, one[0])
		if bytes.Equal(asked, []byte{0x16, 3}) { // a TLS ClientHello
			if ex := r.said.Find("tls-hello"); ex == nil || ex.End == signatures.EndSilence {
				c.Swallow()
			}
			return
		}
		ex, more := r.answer(asked, tls)
		switch {
		case ex != nil:
			if !play(c, ex) {
				return
			}
			if ex.Handshake == signatures.HandshakeComplete {
				if c.StartTLS() != nil {
					return
				}
				tls = true
			}
		case more || one[0] != '\n':
			continue
		case r.hangsUp(string(asked)):
			return
		case bytes.HasPrefix(asked, []byte("HELO ")) && !c.Say("250 mx.example.org\r\n"): // any mail server supports it
			return
		}
		asked = nil
	}
}

// play sends the reply of an exchange and reports whether the connection stays
// open.
func play(c *mailtest.Conn, ex *Exchange) bool {
	if len(ex.Reply) > 0 && (!c.Wait(ex.First) || !c.Say(string(ex.Reply))) {
		return false
	}
	switch ex.End {
	case signatures.EndClosed:
		return len(ex.Reply) == 0 && !c.Wait(ex.Took) // never continues
	case signatures.EndReset:
		c.Reset()
		return false
	}
	return true
}

// answer returns the exchange for what was received, or whether more may complete
// one.
func (r replay) answer(asked []byte, tls bool) (whole *Exchange, more bool) {
	for i := range r.said.Exchanges {
		switch ex := &r.said.Exchanges[i]; {
		case len(ex.Sent) == 0 || ex.TLS != tls:
		case bytes.Equal(ex.Sent, asked):
			if whole == nil {
				whole = ex
			}
		case bytes.HasPrefix(ex.Sent, asked):
			more = true
		}
	}
	if more && whole != nil && len(whole.Reply) == 0 && whole.End == signatures.EndSilence {
		whole = nil // which is as silent while more may come
	}
	return whole, more && whole == nil
}

// hangsUp reports whether the daemon closes the connection on a line that is not
// in the transcript.
func (r replay) hangsUp(line string) bool {
	if slices.Contains([]string{"QUIT", "LOGOUT", "a9 LOGOUT"}, strings.TrimSpace(line)) {
		return true
	}
	ex := r.said.Find("policy-request")
	return ex != nil && ex.End == signatures.EndClosed
}

// A truth is the expected identification of a transcript's daemon.
type truth struct {
	protocol, product, behind string
	least, most               int      // confidence; most is unlimited if zero
	alternatives              []string // that must be among those named
	port                      uint16   // its own, where questions for other ports would take all connections
}

// readTranscripts reads the transcripts of a folder, by file name.
func readTranscripts(t *testing.T, dir string) map[string]*Transcript {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s holds no transcripts (%v)", dir, err)
	}
	said := make(map[string]*Transcript)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tr := new(Transcript)
		if err := json.Unmarshal(b, tr); err != nil {
			t.Fatalf("reading %s: %v", path, err)
		}
		said[strings.TrimSuffix(filepath.Base(path), ".json")] = tr
	}
	return said
}

// replayAll runs a dialogue with the daemon of each transcript, and compares the
// result with the truth.
func replayAll(t *testing.T, said map[string]*Transcript, truths map[string]truth) {
	set := load(t)
	for name, tr := range said {
		want, known := truths[name]
		if !known {
			t.Errorf("transcript %q: what the truth is does not stand in the test", name)
			continue
		}
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			want.check(t, identifyReplay(t, n, set, tr, want.port))
		})
	}
}

// identifyReplay runs a dialogue with the daemon of a transcript, on a port of its own
// unless that is 0.
func identifyReplay(t *testing.T, n *mailtest.Network, set *signatures.Set, tr *Transcript, port uint16) *Identification {
	t.Helper()
	server := n.Serve(t, replay{tr})
	target := server.Addr()
	if port != 0 {
		target = netip.AddrPortFrom(target.Addr(), port)
	}
	id := &Identifier{Signatures: set, Dial: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
		return n.Dial(ctx, server.Addr())
	}}
	return identifyWhole(t, id, scan.Result{Target: target})
}

// check compares an identification with the truth.
func (want truth) check(t *testing.T, svc *Identification) {
	t.Helper()
	behind := ""
	if svc.Behind != nil {
		behind = svc.Behind.Product
	}
	missing := slices.ContainsFunc(want.alternatives, func(a string) bool { return !slices.Contains(svc.Alternatives, a) })
	if svc.Name != want.protocol || svc.Product != want.product || behind != want.behind || missing || svc.Confidence < want.least || want.most > 0 && svc.Confidence > want.most {
		t.Errorf("called %q %q before %q with confidence %d (%s) or %q, want %q %q before %q, %d to %d or %q\n%s",
			svc.Name, svc.Product, behind, svc.Confidence, svc.MatchedRule, svc.Alternatives,
			want.protocol, want.product, want.behind, want.least, want.most, want.alternatives, asJSON(svc.Transcript))
	}
}

func asJSON(tr *Transcript) string {
	b, err := json.MarshalIndent(tr, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestSharedTranscripts replays the transcripts of real daemons outside the
// project, if they are there.
func TestSharedTranscripts(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "cases", "transcripts")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("../shared/cases/transcripts is not here: %v", err)
	}
	replayAll(t, readTranscripts(t, dir), sharedTruths)
}

// sharedTruths are the truths of the transcripts outside the project.
var sharedTruths = map[string]truth{
	"chasquid":                        {protocol: "smtp", product: "chasquid"},
	"courier-esmtp-starttls":          {protocol: "smtp", product: "Courier ESMTP", least: 9},
	"cyrus-imap-serverinfo-off":       {protocol: "imap", product: "Cyrus IMAP"},
	"cyrus-lmtp-serverinfo-off":       {protocol: "lmtp", product: "Cyrus LMTP"},
	"cyrus-timsieved-serverinfo-off":  {protocol: "managesieve", product: "Cyrus timsieved"},
	"dkimproxy-exim-own-greeting":     {protocol: "smtp", product: "DKIMproxy", behind: "Exim"},
	"dkimproxy-next-hop-refuses-554":  {protocol: "smtp", product: "Postfix smtpd"}, // our own address is in it
	"dovecot-dict":                    {},
	"dovecot-director-untrusted":      {},
	"exim-banner-says-postfix-strict": {protocol: "smtp", product: "Exim", most: 8},
	"go-policyd":                      {protocol: "postfix-policy", product: "go-policyd"},
	"go-smtp":                         {protocol: "smtp", product: "go-smtp"},
	"hoodiecrow-imap":                 {protocol: "imap", product: "Hoodiecrow"},
	"inbucket-smtp":                   {protocol: "smtp", product: "Inbucket"},
	"maddy-smtp":                      {protocol: "smtp", product: "maddy"},
	"maildev":                         {protocol: "smtp", product: "Nodemailer smtp-server", most: 5, alternatives: []string{"MailDev", "smtp-tester"}},
	"mailfromd":                       {protocol: "milter", product: "Mailfromd"},
	"mailfront-pop3":                  {protocol: "pop3", product: "mailfront"},
	"mailpit-pop3":                    {protocol: "pop3", product: "Mailpit"},
	"mailpit-smtp":                    {protocol: "smtp", product: "Mailpit"},
	"masqmail":                        {protocol: "smtp", product: "MasqMail"},
	"mta-sts-daemon-socketmap":        {},
	"nodemailer-smtp-server":          {protocol: "smtp", product: "Nodemailer smtp-server", most: 5, alternatives: []string{"MailDev", "smtp-tester"}},
	"policyd-go-bejelith":             {protocol: "postfix-policy"},
	"postfix-banner-says-amavisd":     {protocol: "smtp", product: "Postfix smtpd", most: 8},
	"postfix-reject-footer":           {protocol: "smtp", product: "Postfix smtpd", least: 9},
	"postfix-tlspol":                  {protocol: "http"},
	"proxsmtp-postfix":                {protocol: "smtp", product: "ClamSMTP", behind: "Postfix smtpd", most: 5, alternatives: []string{"ProxSMTP"}},
	"qmail-popup":                     {protocol: "pop3", product: "qmail"},
	"qmail-qmqpd":                     {},
	"qmail-smtpd":                     {protocol: "smtp", product: "notqmail"},
	"smtp-tester":                     {protocol: "smtp", product: "Nodemailer smtp-server", most: 5, alternatives: []string{"MailDev", "smtp-tester"}},
	"smtpprox-postfix":                {protocol: "smtp", product: "spampd", behind: "Postfix smtpd", most: 5, alternatives: []string{"smtpprox"}},
	"twisted-pop3":                    {protocol: "pop3", product: "Twisted"},
	"twisted-smtp-helo-only":          {protocol: "smtp", product: "Twisted"},
	"wildduck-imap":                   {protocol: "imap", product: "WildDuck"},
}

// TestOwnTranscripts replays transcripts written for this test, each with a
// change that an administrator or a proxy makes to replies.
func TestOwnTranscripts(t *testing.T) {
	replayAll(t, readTranscripts(t, filepath.Join("testdata", "transcripts")), ownTruths())
}

func ownTruths() map[string]truth {
	truths := map[string]truth{
		"chasquid":                         {protocol: "smtp", product: "chasquid"},
		"courier-starttls":                 {protocol: "smtp", product: "Courier ESMTP"},
		"exim-folds-and-greets-as-postfix": {protocol: "smtp", product: "Exim", most: 8},
		"helo-only":                        {protocol: "smtp"},
		"imap-cyrus-greets-as-dovecot":     {protocol: "imap", product: "Cyrus IMAP", most: 8},
		"maildev":                          {protocol: "smtp", product: "Nodemailer smtp-server", most: 5, alternatives: []string{"MailDev"}},
		"postfix-footer":                   {protocol: "smtp", product: "Postfix smtpd", least: 9},
		"proxsmtp-exim":                    {protocol: "smtp", product: "ClamSMTP", behind: "Exim", most: 6, alternatives: []string{"ProxSMTP"}},
		"sieve-capabilities-last":          {protocol: "managesieve", product: "Dovecot Pigeonhole", least: 9},
		"twisted-helo-only":                {protocol: "smtp", product: "Twisted"},
		"web-page-and-policy":              {protocol: "postfix-policy"},
	}
	for _, words := range []string{"amavisd", "exchange", "exim", "mailhog"} {
		truths["postfix-greets-as-"+words] = truth{protocol: "smtp", product: "Postfix smtpd", most: 8}
	}
	for name, behind := range map[string]string{
		"exim-own-greeting": "Exim", "courier": "Courier ESMTP", "aiosmtpd": "aiosmtpd",
		"maddy": "maddy", "haraka": "Haraka", "qmail": "qmail",
	} {
		truths["dkimproxy-"+name] = truth{protocol: "smtp", product: "DKIMproxy", behind: behind, least: 9}
		truths["smtpprox-"+name] = truth{protocol: "smtp", product: "spampd", behind: behind, most: 6, alternatives: []string{"smtpprox"}}
	}
	return truths
}

// TestRefusalOfAnother has a daemon refuse the address of a proxy in front of it,
// but not a client with that address.
func TestRefusalOfAnother(t *testing.T) {
	refusal := "554 5.7.1 <localhost[%s]>: Client host rejected: Access denied\r\n"
	for name, c := range map[string]struct {
		refused, from string
		want          truth
	}{
		"by another host": {"127.0.0.1", "192.0.2.9", truth{protocol: "smtp", behind: "Postfix smtpd", most: 6, alternatives: []string{"DKIMproxy", "smtpprox", "spampd"}}},
		"over IPv6":       {"::1", "2001:db8::9", truth{protocol: "smtp", behind: "Postfix smtpd", most: 6, alternatives: []string{"DKIMproxy"}}},
		"by this host":    {"127.0.0.1", "127.0.0.1", truth{protocol: "smtp", product: "Postfix smtpd", least: 9}},
		"our own address": {"192.0.2.9", "192.0.2.9", truth{protocol: "smtp", product: "Postfix smtpd", least: 9}},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			said := &Transcript{Exchanges: []Exchange{
				{Probe: signatures.Greeting, Reply: fmt.Appendf(nil, refusal, c.refused), End: signatures.EndReply},
				{Probe: "smtp-refused", Sent: []byte("EHLO scan.example.invalid\r\n"), Reply: []byte("503 5.7.0 Error: access denied for it\r\n"), End: signatures.EndReply},
			}}
			server := n.Serve(t, replay{said})
			id := &Identifier{Signatures: load(t), Dial: func(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
				conn, err := n.Dial(ctx, target)
				return fromHost{conn, netip.MustParseAddr(c.from)}, err
			}}
			svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			c.want.check(t, svc)
		})
	}
}

// fromHost is a connection between two addresses that are not loopback.
type fromHost struct {
	net.Conn
	from netip.Addr
}

func (c fromHost) LocalAddr() net.Addr { return &net.TCPAddr{IP: c.from.AsSlice(), Port: 4711} }

func (c fromHost) RemoteAddr() net.Addr {
	to := netip.MustParseAddr("192.0.2.25")
	if c.from.Is6() {
		to = netip.MustParseAddr("2001:db8::25")
	}
	return &net.TCPAddr{IP: to.AsSlice(), Port: 10025}
}
