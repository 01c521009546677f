package fingerprint

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

func load(t testing.TB) *signatures.Set {
	t.Helper()
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	return set
}

func daemon(t *testing.T, name string) mailtest.Handler {
	t.Helper()
	d, err := mailtest.Daemon(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// inMemory runs a subtest in a bubble with a network of its own: waits take no
// time, and the load of the machine makes no difference.
func inMemory(t *testing.T, name string, f func(t *testing.T, n *mailtest.Network)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { f(t, new(mailtest.Network)) })
	})
}

// TestIdentify runs dialogues with daemons that reply at once, and checks what
// was sent to a daemon that greets as SMTP.
func TestIdentify(t *testing.T) {
	set := load(t)
	plain, err := mailtest.Parse("S: 220 mail.example.net Dovecot ready.\nC: LHLO *\nS: 250-mail.example.net\nS: 250 PIPELINING\nC: *\nS: 500 5.5.1 Unknown command")
	if err != nil {
		t.Fatal(err)
	}
	// The first servers of an in-memory network, and a port without one.
	const postfix, lmtp, gone = "127.0.0.1:40000", "127.0.0.1:40001", "127.0.0.1:9"
	for name, c := range map[string]struct {
		handler      mailtest.Handler
		protocol     string
		product      string
		confidence   int
		behind       string
		observations []string
	}{
		"Postfix":               {daemon(t, "postfix-reinjection"), "smtp", "Postfix smtpd", 9, "", []string{"starttls-absent", "xforward-offered"}},
		"Postfix refusing":      {daemon(t, "postfix-refusing"), "smtp", "Postfix smtpd", 9, "", []string{"acl-refused"}},
		"Exim":                  {daemon(t, "exim"), "smtp", "Exim", 9, "", nil},
		"OpenSMTPD":             {daemon(t, "opensmtpd"), "smtp", "OpenSMTPD", 9, "", nil},
		"Dovecot LMTP":          {daemon(t, "dovecot-lmtp"), "lmtp", "Dovecot", 9, "", nil},
		"DKIMproxy":             {mailtest.DKIMproxy{Next: postfix}, "smtp", "DKIMproxy", 9, "Postfix smtpd", []string{"xforward-offered"}},
		"DKIMproxy without hop": {mailtest.DKIMproxy{Next: gone}, "smtp", "DKIMproxy", 9, "", []string{"next-hop-down"}},
		"spampd":                {mailtest.Spampd{Next: postfix}, "smtp", "spampd", 5, "Postfix smtpd", nil},
		"spampd before LMTP":    {mailtest.Spampd{Next: lmtp}, "lmtp", "spampd", 6, "", nil},
		"DKIMproxy before LMTP": {mailtest.DKIMproxy{Next: lmtp}, "lmtp", "DKIMproxy", 10, "", nil},
		"amavisd":               {&mailtest.Amavis{}, "smtp", "amavisd-new", 9, "", []string{"xforward-offered"}},
		"amavisd, LMTP":         {&mailtest.Amavis{LMTP: true}, "lmtp", "amavisd-new", 9, "", nil},
		"amavisd refusing":      {&mailtest.Amavis{Refuse: true}, "", "", 0, "", []string{"acl-refused"}},
		"refusing":              {mailtest.Refusing{}, "", "", 0, "", []string{"acl-refused"}},
		"flood":                 {mailtest.Flood{Text: "220-more\r\n"}, "", "", 0, "", nil},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			if a, b := n.Serve(t, daemon(t, "postfix-reinjection")), n.Serve(t, plain); a.Addr().String() != postfix || b.Addr().String() != lmtp {
				t.Fatalf("the next hops are at %s and %s", a.Addr(), b.Addr())
			}
			server := n.Serve(t, c.handler)
			id := &Identifier{Signatures: set, Dial: n.Dial}
			svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			if svc.Name != c.protocol || svc.Product != c.product || svc.Confidence != c.confidence {
				t.Errorf("service is %q %q with confidence %d, want %q %q with %d\n%v",
					svc.Name, svc.Product, svc.Confidence, c.protocol, c.product, c.confidence, svc.Transcript)
			}
			if behind := svc.Behind; c.behind != "" && (behind == nil || behind.Product != c.behind) {
				t.Errorf("behind it is %v, want %q", behind, c.behind)
			}
			if svc.Behind != nil && slices.Contains(svc.Alternatives, svc.Behind.Product) {
				t.Errorf("what is behind it, %q, is also an alternative: %q", svc.Behind.Product, svc.Alternatives)
			}
			for _, o := range c.observations {
				if !svc.Has(o) {
					t.Errorf("observation %q is missing, there are %q", o, svc.Observations)
				}
			}
			server.Close()
			checkManners(t, server, svc)
		})
	}
}

// checkManners checks what a server received against the rules for all probes.
func checkManners(t *testing.T, server *mailtest.Server, svc *Identification) {
	t.Helper()
	if n := server.MaxOpen(); n > maxPerPort {
		t.Errorf("%d connections were open at once, want at most %d", n, maxPerPort)
	}
	greets := len(svc.Banner) > 0
	for _, s := range server.Sessions() {
		if len(s.Received) > 0 && !bytes.HasSuffix(s.Received, []byte("\r\n")) {
			t.Errorf("a session ends in the middle of a line: %q", s.Received)
		}
		odd := 0
		for line := range strings.Lines(string(s.Received)) {
			lower := strings.ToLower(line)
			for _, word := range []string{"data", "bdat", "mail", "rcpt", "auth"} {
				if strings.HasPrefix(lower, word) {
					t.Errorf("a line begins with %q: %q", word, line)
				}
			}
			if greets && !strings.HasSuffix(line, "\r\n") {
				t.Errorf("a bare LF was sent to a port that greets: %q", line)
			}
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "QUITX") {
				odd++
			}
		}
		if greets && odd > 1 {
			t.Errorf("%d odd lines on one connection: %q", odd, s.Received)
		}
	}
}

// TestAmavisIsNotHarmed sends all probes for silent ports, binary ones first, to
// an amavisd that is too busy to greet, and checks that no child keeps the rest
// of a line.
func TestAmavisIsNotHarmed(t *testing.T) {
	set := load(t)
	inMemory(t, "busy", func(t *testing.T, n *mailtest.Network) {
		amavis := &mailtest.Amavis{Children: 1}
		server := n.Serve(t, amavis)
		holder, err := n.Dial(t.Context(), server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		id := &Identifier{Signatures: set, Record: true, Dial: n.Dial}
		if _, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()}); err != nil {
			t.Fatal(err)
		}
		holder.Close()
		server.Close()
		if n := amavis.Harmed(); n > 0 {
			t.Errorf("%d sessions began with the rest of another's line", n)
		}
		for _, s := range server.Sessions() {
			if len(s.Received) > 0 && !bytes.HasSuffix(s.Received, []byte("\r\n")) {
				t.Errorf("a session ends in the middle of a line: %q", s.Received)
			}
		}
	})
}

// TestScope checks that the scope is checked before every connection.
func TestScope(t *testing.T) {
	server := mailtest.Serve(t, daemon(t, "postfix"))
	id := &Identifier{Signatures: load(t), Allowed: func(netip.Addr) bool { return false }}
	svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
	if !errors.Is(err, ErrNotAllowed) || svc == nil || svc.Product != "" {
		t.Errorf("service is %v, error %v, want none and %v", svc, err, ErrNotAllowed)
	}
	if n := server.Connections(); n != 0 {
		t.Errorf("%d connections left, want none", n)
	}
}

// TestCancel ends a dialogue with a port that stays silent.
func TestCancel(t *testing.T) {
	begun := make(chan struct{})
	var once sync.Once
	server := mailtest.Serve(t, mailtest.HandlerFunc(func(c *mailtest.Conn) {
		once.Do(func() { close(begun) })
		c.Swallow()
	}))
	ctx, cancel := context.WithCancel(t.Context())
	id := &Identifier{Signatures: load(t)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		id.Identify(ctx, scan.Result{Target: server.Addr()})
	}()
	<-begun
	cancel()
	<-done
}

// TestTranscriptMatches checks that a recorded transcript has the same
// identification as the dialogue, so that the output of `signatures record` can
// be an example.
func TestTranscriptMatches(t *testing.T) {
	set := load(t)
	server := mailtest.Serve(t, daemon(t, "postfix-reinjection"))
	id := &Identifier{Signatures: set, Record: true}
	svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(set.Signatures, func(s *signatures.Signature) bool { return s.ID == svc.MatchedRule })
	if i < 0 || set.Signatures[i].Match(svc.Transcript) != signatures.True {
		t.Errorf("signature %q does not match its own transcript %v", svc.MatchedRule, svc.Transcript)
	}
}
