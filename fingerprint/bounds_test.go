package fingerprint

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/signatures"
)

// TestKeptIsBounded checks that what is kept after a dialogue does not grow with
// what the daemon sends, unless it is recorded.
func TestKeptIsBounded(t *testing.T) {
	long := bytes.Repeat([]byte("x"), maxReply)
	for record, want := range map[bool]int{false: maxKept, true: maxReply} {
		s := &session{
			host:      &host{},
			id:        &Identifier{Record: record, Signatures: &signatures.Set{}},
			order:     []*Exchange{{Probe: signatures.Greeting, Reply: long}},
			exchanges: map[string]*Exchange{signatures.Greeting: {Probe: signatures.Greeting, Reply: long}},
		}
		svc := s.service()
		if got := len(svc.Transcript.Exchanges[0].Reply); got != want {
			t.Errorf("with record %t, %d bytes of a reply are kept, want %d", record, got, want)
		}
		if len(svc.Banner) != maxBanner || cap(svc.Banner) >= maxReply {
			t.Errorf("the banner has %d of %d bytes", len(svc.Banner), cap(svc.Banner))
		}
	}
}

// TestCertificateIsBounded checks that a certificate with very many names is
// described by the first ones.
func TestCertificateIsBounded(t *testing.T) {
	cert := &x509.Certificate{Subject: pkix.Name{CommonName: strings.Repeat("c", 60000)}}
	for i := range 12000 {
		cert.DNSNames = append(cert.DNSNames, strconv.Itoa(i)+strings.Repeat("n", 2000))
	}
	got := describeTLS(&tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}})
	if len(got.Names) != maxNames || len(got.Names[0]) > maxName || len(got.Subject) > maxName || !got.NamesTruncated {
		t.Errorf("%d names of %d bytes, subject of %d", len(got.Names), len(got.Names[0]), len(got.Subject))
	}
}
