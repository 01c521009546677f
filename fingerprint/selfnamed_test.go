package fingerprint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestNamesItself runs dialogues with daemons that no signature identifies and
// that state their name, and some that a signature identifies or that state
// nothing.
func TestNamesItself(t *testing.T) {
	set := load(t)
	script := func(text string) mailtest.Handler {
		s, err := mailtest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		handler              mailtest.Handler
		product, version     string
		confidence, protocol int // of the product, and of everything else
		rule                 string
	}{
		"SMTP":            {script("S: 220 mx.example.org ESMTP Wrend 1.2.3\nC: EHLO *\nS: 250 mx.example.org\nC: *\nS: 500 no\n"), "Wrend", "1.2.3", 5, 4, "smtp"},
		"IMAP":            {script("S: * OK ready\nC: * CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: {tag} OK done\nC: * ID NIL\nS: * ID (\"name\" \"Robind\" \"version\" \"2.0\")\nS: {tag} OK done\nC: *\nS: {tag} NO no\n"), "Robind", "2.0", 5, 7, "imap-capabilities"},
		"POP3":            {script("S: +OK ready\nC: CAPA\nS: +OK list\nS: UIDL\nS: IMPLEMENTATION Finch\nS: .\nC: *\nS: -ERR no\n"), "Finch", "", 5, 7, "pop3-capabilities"},
		"nothing is said": {script("S: 220 mx.example.org ESMTP ready\nC: EHLO *\nS: 250 mx.example.org\nC: *\nS: 500 no\n"), "", "", 4, 4, "smtp"},
		"only its host":   {script("S: 220 Wrend ESMTP Wrend\nC: EHLO *\nS: 250 Wrend\nC: *\nS: 500 no\n"), "", "", 4, 4, "smtp"},
		"a signature":     {daemon(t, "exim"), "Exim", "4.96", 9, 9, "exim"},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, c.handler)
			svc, err := (&Identifier{Signatures: set, Dial: n.Dial}).Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time changes nothing
				Link(set, nil, map[uint16]*Identification{10025: svc})
			}
			itself := c.product != "" && c.rule != "exim"
			if svc.Product != c.product || svc.Version != c.version || svc.SelfNamed != itself || svc.Confidence != c.confidence || svc.ProtocolConfidence() != c.protocol || svc.MatchedRule != c.rule {
				t.Errorf("service is %+v, want %q %q", svc.Service, c.product, c.version)
			}
			if itself == (svc.KnownProduct() != "") && c.product != "" {
				t.Errorf("the known product is %q", svc.KnownProduct())
			}
			said := 0
			for _, e := range svc.Evidence {
				if strings.HasPrefix(e.Shows, "says of itself: "+c.product) {
					said++
				}
			}
			if itself != (said == 1) {
				t.Errorf("the evidence %+v has what it says of itself %d times", svc.Evidence, said)
			}
		})
	}
}

// TestSelfNamedNamesNoStack checks that stated names do not make a stack.
func TestSelfNamedNamesNoStack(t *testing.T) {
	set := &signatures.Set{Stacks: []*signatures.Stack{{Name: "Aviary", Ports: []uint16{10025, 10027}, Products: []string{"Wrend"}, Least: 1}}}
	said := func() *Identification {
		return &Identification{
			Service:    result.Service{Name: "smtp", Method: result.MethodProbed, Confidence: 4},
			Transcript: &Transcript{Exchanges: []Exchange{{Probe: signatures.Greeting, Reply: []byte("220 mx.example.org ESMTP Wrend 1.2.3\r\n"), End: signatures.EndReply}}},
		}
	}
	services := map[uint16]*Identification{10025: said(), 10027: said()}
	for range 2 {
		Link(set, nil, services)
	}
	if svc := services[10025]; svc.Product != "Wrend" || svc.Stack != "" {
		t.Errorf("service is %+v, want Wrend and no stack", svc.Service)
	}
	refused := said()
	refused.Inconclusive = result.InconclusiveCutOff
	if Link(set, nil, map[uint16]*Identification{25: refused}); refused.Product != "" {
		t.Errorf("a conversation that was cut off names %q", refused.Product)
	}
}

// TestOwnersAreNoProducts checks that whom the certificate of a server names as its owner
// is not taken for the product.
func TestOwnersAreNoProducts(t *testing.T) {
	for greeting, want := range map[string]string{
		"220 mx.example.org ESMTP Contoso\r\n":        "",
		"220 mx.example.org Contoso ESMTP ready\r\n":  "",
		"220 mx.example.org ESMTP Wrend\r\n":          "Wrend",
		"220 mx.example.org ESMTP Fabrikam ready\r\n": "",
	} {
		svc := &Identification{
			Service: result.Service{Name: "smtp", Method: result.MethodProbed, Confidence: 4},
			TLS:     &result.TLS{Subject: `CN=mx.example.org,OU=Contoso Mail,O=Fabrikam\, Inc.,C=US`},
			Transcript: &Transcript{Exchanges: []Exchange{
				{Probe: signatures.Greeting, Reply: []byte(greeting), End: signatures.EndReply},
			}},
		}
		if nameItself(svc); svc.Product != want {
			t.Errorf("%q says of itself %q, want %q", greeting, svc.Product, want)
		}
	}
}

// TestNamesOfCases reads replies of real daemons that once had no signature.
func TestNamesOfCases(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "cases", "transcripts")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("../shared/cases is not here: %v", err)
	}
	for file, c := range map[string]struct{ protocol, want string }{
		"chasquid": {"smtp", "chasquid"}, "masqmail": {"smtp", "MasqMail 1.0.0"}, "qmail-smtpd": {"smtp", "notqmail"}, "mailpit-smtp": {"smtp", "Mailpit"},
		"mailpit-pop3": {"pop3", "Mailpit"}, "hoodiecrow-imap": {"imap", "Hoodiecrow"},
		"go-smtp": {"smtp", ""}, "maddy-smtp": {"smtp", ""}, "maildev": {"smtp", ""}, "nodemailer-smtp-server": {"smtp", ""}, "smtp-tester": {"smtp", ""},
		"twisted-smtp-helo-only": {"smtp", ""}, "twisted-pop3": {"pop3", ""}, "wildduck-imap": {"imap", ""}, "qmail-popup": {"pop3", ""}, "mailfront-pop3": {"pop3", ""},
		"cyrus-imap-serverinfo-off": {"imap", ""}, "cyrus-lmtp-serverinfo-off": {"lmtp", ""}, "cyrus-timsieved-serverinfo-off": {"managesieve", ""},
		"courier-esmtp-starttls": {"smtp", ""}, "dkimproxy-exim-own-greeting": {"smtp", ""}, "postfix-tlspol": {"http", ""},
	} {
		data, err := os.ReadFile(filepath.Join(dir, file+".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		transcript := new(Transcript)
		if err := json.Unmarshal(data, transcript); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		svc := &Identification{Service: result.Service{Name: c.protocol, Method: result.MethodProbed, Confidence: 4}, Transcript: transcript}
		if nameItself(svc); strings.TrimSpace(svc.Product+" "+svc.Version) != c.want {
			t.Errorf("%s says of itself %q %q, want %q", file, svc.Product, svc.Version, c.want)
		}
	}
}
