package fingerprint

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// A speaker sends the lines of a protocol that lead to STARTTLS; "{tls}" is
// replaced by its offer, "go ahead" accepts it, and "{then}" is what follows.
type speaker struct{ protocol, script string }

const smtpLines = `S: 220 mail.example.net ESMTP
C: EHLO *
S: 250-mail.example.net
{tls}250-STARTTLS
S: 250 SIZE 1000
C: STARTTLS
S: 220 go ahead
{then}
C: QUIT
S: 221 bye
close
C: *
S: 500 what?
`

var speakers = []speaker{
	{"smtp", smtpLines},
	{"lmtp", strings.NewReplacer("ESMTP", "LMTP", "EHLO", "LHLO").Replace(smtpLines)},
	{"imap", `S: * OK ready
C: * CAPABILITY
{tls}* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED
S: {tag} OK done
C: * STARTTLS
S: {tag} OK go ahead
{then}
C: *
S: {tag} BAD what?
`},
	{"pop3", `S: +OK ready
C: CAPA
S: +OK list
S: UIDL
{tls}STLS
S: .
C: STLS
S: +OK go ahead
{then}
C: *
S: -ERR what?
`},
	{"managesieve", `S: "IMPLEMENTATION" "Example"
S: "SASL" ""
{tls}"STARTTLS"
S: OK
C: STARTTLS
S: OK "go ahead"
{then}
C: *
S: NO "what?"
`},
}

// handler simulates a speaker: implicit TLS, STARTTLS that works, one that is
// accepted but swallows the handshake, or one that is refused.
func (s speaker) handler(t *testing.T, way string) mailtest.Handler {
	t.Helper()
	text := map[string]*strings.Replacer{
		"implicit": strings.NewReplacer("{tls}", "# ", "{then}", "close"),
		"starttls": strings.NewReplacer("{tls}", "S: ", "{then}", "starttls"),
		"broken":   strings.NewReplacer("{tls}", "S: ", "{then}", "swallow"),
		"refused": strings.NewReplacer("{tls}", "S: ", "{then}\n", "", "220 go ahead", "454 4.7.0 TLS not available",
			"{tag} OK go ahead", "{tag} BAD no TLS", "+OK go ahead", "-ERR no TLS", `OK "go ahead"`, `NO "no TLS"`),
	}[way].Replace(s.script)
	if way == "implicit" {
		text = "tls\n" + text
	}
	h, err := mailtest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestTLSOfEveryProtocol starts TLS in each way that mail protocols have, and
// checks everything that is reported about it.
func TestTLSOfEveryProtocol(t *testing.T) {
	set := load(t)
	for _, s := range speakers {
		for _, way := range []string{"implicit", "starttls", "broken", "refused"} {
			inMemory(t, s.protocol+"/"+way, func(t *testing.T, n *mailtest.Network) {
				id := &Identifier{Signatures: set, Dial: n.Dial}
				svc, err := id.Identify(t.Context(), scan.Result{Target: n.Serve(t, s.handler(t, way)).Addr()})
				if err != nil {
					t.Fatal(err)
				}
				if svc.Name != s.protocol {
					t.Errorf("the protocol is %q, want %q\n%v", svc.Name, s.protocol, svc.Transcript)
				}
				if got, want := svc.Tunnel, map[string]result.Tunnel{"implicit": result.TunnelTLS}[way]; got != want {
					t.Errorf("the tunnel is %q, want %q", got, want)
				}
				for name, want := range map[string]bool{"starttls-offered": way != "implicit", "starttls-broken": way == "broken", "starttls-refused": way == "refused"} {
					if svc.Has(name) != want {
						t.Errorf("%s is %v, want %v: %q", name, !want, want, svc.Observations)
					}
				}
				switch way {
				case "broken":
					checkBroken(t, svc)
				case "refused":
					if svc.TLS != nil {
						t.Errorf("a handshake that was refused is told as %+v", svc.TLS)
					}
				default:
					checkTLS(t, svc.TLS)
				}
			})
		}
	}
}

// checkTLS compares the result of a handshake with the certificate of package
// mailtest.
func checkTLS(t *testing.T, got *result.TLS) {
	t.Helper()
	if got == nil {
		t.Fatal("nothing is told of the handshake")
	}
	if got.Version != "TLS 1.3" || !strings.HasPrefix(got.Cipher, "TLS_") {
		t.Errorf("version %q and cipher %q", got.Version, got.Cipher)
	}
	const name = "mail.example.net"
	if got.Subject != "CN="+name || got.Issuer != "CN="+name || len(got.Names) != 1 || got.Names[0] != name {
		t.Errorf("subject %q, issuer %q, names %q", got.Subject, got.Issuer, got.Names)
	}
	if d := time.Until(got.NotAfter.Time); d < 22*time.Hour || d > 24*time.Hour {
		t.Errorf("it expires at %v", got.NotAfter)
	}
	if d := time.Since(got.NotBefore.Time); d < time.Hour || d > 3*time.Hour {
		t.Errorf("it begins at %v", got.NotBefore)
	}
	if got.KeyAlgorithm != "ECDSA" || got.KeyBits != 256 || got.SignatureAlgorithm != "ECDSA-SHA256" || got.NamesTruncated {
		t.Errorf("key %q of %d bits, signed with %q, names truncated: %v", got.KeyAlgorithm, got.KeyBits, got.SignatureAlgorithm, got.NamesTruncated)
	}
	if sum, err := hex.DecodeString(got.CertSHA256); err != nil || len(sum) != sha256.Size {
		t.Errorf("its SHA-256 is %q", got.CertSHA256)
	}
}

// checkBroken checks that the failed handshake is in the evidence.
func checkBroken(t *testing.T, svc *Identification) {
	t.Helper()
	if svc.TLS != nil {
		t.Errorf("a handshake that failed is told as %+v", svc.TLS)
	}
	for _, e := range svc.Evidence {
		if e.Observation == "starttls-broken" && strings.Contains(e.Observed, "does not complete") {
			return
		}
	}
	t.Errorf("no evidence of the handshake: %+v", svc.Evidence)
}
