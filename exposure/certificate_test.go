package exposure

import (
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// goodCertificate returns a certificate without a finding on the day of the
// tests.
func goodCertificate() *result.TLS {
	return &result.TLS{Version: "TLS 1.3", Subject: "CN=mail.example.org", Issuer: "CN=R11", Names: []string{"mail.example.org", "*.mx.example.org"},
		NotBefore: result.NewTime(testTime.AddDate(0, -3, 0)), NotAfter: result.NewTime(testTime.AddDate(0, 2, 0)), CertSHA256: strings.Repeat("ab", 32),
		KeyAlgorithm: "RSA", KeyBits: 2048, SignatureAlgorithm: "SHA256-RSA"}
}

// TestCertificates judges a public port only by its certificate.
func TestCertificates(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	for _, tt := range []struct {
		name   string
		host   string
		change func(*result.TLS)
		want   string
	}{
		{"good", "mail.example.org", func(*result.TLS) {}, ""},
		{"good, wildcard", "a.mx.example.org", func(*result.TLS) {}, ""},
		{"good, other spelling", "MAIL.Example.org.", func(*result.TLS) {}, ""},
		{"good, international name", "bücher.example", func(c *result.TLS) { c.Names = []string{"xn--bcher-kva.example"} }, ""},
		{"address without a name", "", func(*result.TLS) {}, ""},
		{"no certificate", "mail.example.org", func(c *result.TLS) { *c = result.TLS{Version: "TLS 1.3"} }, ""},

		{"expired", "mail.example.org", func(c *result.TLS) { c.NotAfter = result.NewTime(testTime.Add(-time.Second)) }, "MXS1410"},
		{"not valid yet", "mail.example.org", func(c *result.TLS) { c.NotBefore = result.NewTime(testTime.Add(time.Hour)) }, "MXS1410"},
		{"expires on the day", "mail.example.org", func(c *result.TLS) { c.NotAfter = result.NewTime(testTime.Add(time.Hour)) }, "MXS1411"},
		{"fourteen days", "mail.example.org", func(c *result.TLS) { c.NotAfter = result.NewTime(testTime.Add(14 * 24 * time.Hour)) }, ""},
		{"a little less", "mail.example.org", func(c *result.TLS) { c.NotAfter = result.NewTime(testTime.Add(14*24*time.Hour - 1)) }, "MXS1411"},
		{"six days old and six to live for", "mail.example.org", func(c *result.TLS) {
			c.NotBefore, c.NotAfter = result.NewTime(testTime.AddDate(0, 0, -3)), result.NewTime(testTime.AddDate(0, 0, 3))
		}, ""},
		{"short life, nearly over", "mail.example.org", func(c *result.TLS) {
			c.NotBefore, c.NotAfter = result.NewTime(testTime.AddDate(0, 0, -5)), result.NewTime(testTime.AddDate(0, 0, 1))
		}, "MXS1411"},

		{"another name", "imap.example.org", func(*result.TLS) {}, "MXS1412"},
		{"wildcard of two labels", "a.b.mx.example.org", func(*result.TLS) {}, "MXS1412"},
		{"subject alone", "mail.example.org", func(c *result.TLS) { c.Names = nil }, "MXS1412"},
		{"names that are not all known", "imap.example.org", func(c *result.TLS) { c.NamesTruncated = true }, ""},

		{"short RSA key", "mail.example.org", func(c *result.TLS) { c.KeyBits = 1024 }, "MXS1413"},
		{"DSA key", "mail.example.org", func(c *result.TLS) { c.KeyAlgorithm, c.KeyBits = "DSA", 3072 }, "MXS1413"},
		{"P-256", "mail.example.org", func(c *result.TLS) { c.KeyAlgorithm, c.KeyBits = "ECDSA", 256 }, ""},
		{"Ed25519", "mail.example.org", func(c *result.TLS) { c.KeyAlgorithm, c.KeyBits = "Ed25519", 256 }, ""},
		{"signed with SHA-1", "mail.example.org", func(c *result.TLS) { c.SignatureAlgorithm = "SHA1-RSA" }, "MXS1413"},
		{"signed itself with SHA-1", "mail.example.org", func(c *result.TLS) { c.SignatureAlgorithm, c.Issuer = "SHA1-RSA", c.Subject }, ""},
		{"all at once", "imap.example.org", func(c *result.TLS) { c.NotAfter, c.KeyBits = result.NewTime(testTime.AddDate(0, 0, -1)), 512 }, "MXS1410 MXS1413 MXS1412"},
	} {
		s := svc("imap", "imap", "Dovecot", "tunnel:ssl")
		s.TLS = goodCertificate()
		tt.change(s.TLS)
		p := openPort(993, s)
		p.Host = tt.host
		got := j.Findings(p)
		if ids(got) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, ids(got), tt.want)
		}
		for _, f := range got {
			if !strings.HasPrefix(f.Evidence[0], `the certificate of "CN=mail.example.org", issued by `) {
				t.Errorf("%s: %s rests on %q", tt.name, f.Rule.ID, f.Evidence)
			}
		}
	}
}

// TestCertificateOfAnyName accepts a certificate for one of several names of an
// address, and checks the evidence if it is for none.
func TestCertificateOfAnyName(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	s := svc("smtp", "mta", "Postfix smtpd", "starttls-offered")
	s.TLS = goodCertificate()
	p := openPort(25, s)
	p.Host, p.Aliases = "imap.example.org", []string{"mail.example.org"}
	if got := j.Findings(p); len(got) > 0 {
		t.Errorf("an alias is covered, and there is %v", ids(got))
	}
	p.Aliases = []string{"smtp.example.org"}
	got := j.Findings(p)
	const want = `is for mail.example.org, *.mx.example.org, not for imap.example.org or smtp.example.org (the handshake sent no server name)`
	if ids(got) != "MXS1412" || !strings.HasSuffix(got[0].Evidence[0], want) || got[0].Confidence != 6 {
		t.Errorf("got %+v", got)
	}
}
