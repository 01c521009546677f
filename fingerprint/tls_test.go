package fingerprint

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// TestNoServerName connects to a server that closes the connection on an unknown
// server name (RFC 6066, Section 3).
func TestNoServerName(t *testing.T) {
	ca := httptest.NewTLSServer(nil)
	cert := ca.TLS.Certificates[0]
	ca.Close()
	config := &tls.Config{Certificates: []tls.Certificate{cert}, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if hello.ServerName != "" {
			return nil, errors.New("unrecognized name")
		}
		return nil, nil
	}}
	svc, _, _ := identify(t, load(t), func(c net.Conn) {
		conn := tls.Server(c, config)
		if conn.Handshake() != nil {
			return
		}
		if _, err := io.WriteString(conn, "* OK Dovecot ready.\r\n"); err == nil {
			io.Copy(io.Discard, conn)
		}
	})
	if svc.Product != "Dovecot" || svc.Tunnel != "ssl" || svc.TLS == nil {
		t.Errorf("service is %q in the tunnel %q, TLS %+v", svc.Product, svc.Tunnel, svc.TLS)
	}
}

// TestUnreadableCertificate connects to IMAP servers inside TLS with certificates
// that most clients accept (a negative serial number, against RFC 5280, Section
// 4.1.2.2), or that cannot be parsed. The first are identified; the others are
// inconclusive.
func TestUnreadableCertificate(t *testing.T) {
	ca := httptest.NewTLSServer(nil)
	usual := ca.TLS.Certificates[0]
	ca.Close()
	serial := usual.Leaf.SerialNumber.Bytes()
	negative := bytes.Clone(usual.Certificate[0])
	at := bytes.Index(negative, append([]byte{2, byte(len(serial))}, serial...))
	if at < 0 {
		t.Fatal("the certificate has no serial number of that form")
	}
	negative[at+2] |= 0x80
	for name, c := range map[string]struct {
		der     []byte
		product string // "" if it is inconclusive
	}{
		"negative serial number": {negative, "Dovecot"},
		"no certificate":         {[]byte("no certificate"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{c.der}, PrivateKey: usual.PrivateKey}}}
			svc, _, _ := identify(t, load(t), func(c net.Conn) {
				conn := tls.Server(c, config)
				if conn.Handshake() != nil {
					return
				}
				if _, err := io.WriteString(conn, "* OK Dovecot ready.\r\n"); err == nil {
					io.Copy(io.Discard, conn)
				}
			})
			if svc.Product != c.product || c.product == "" && svc.Inconclusive != result.InconclusiveHandshake {
				t.Errorf("product %q, inconclusive %q, want product %q", svc.Product, svc.Inconclusive, c.product)
			}
		})
	}
}

// TestTLSAlert connects to IMAP servers that end the handshake with an alert (RFC
// 8446, Section 6.2). One that requires a client certificate refuses the scanner;
// one without a common version is inconclusive.
func TestTLSAlert(t *testing.T) {
	ca := httptest.NewTLSServer(nil)
	usual := ca.TLS.Certificates
	ca.Close()
	for name, c := range map[string]struct {
		config  *tls.Config
		settled bool
	}{
		"no cipher in common":   {&tls.Config{Certificates: usual, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{0x1301}}, false},
		"no name that it knows": {&tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errHandshake }}, false},
		"a client certificate":  {&tls.Config{Certificates: usual, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}, true},
		"one, in TLS 1.3":       {&tls.Config{Certificates: usual, ClientAuth: tls.RequireAnyClientCert}, true},
	} {
		t.Run(name, func(t *testing.T) {
			svc, _, _ := identify(t, load(t), func(conn net.Conn) {
				if tls.Server(conn, c.config).Handshake() == nil {
					io.Copy(io.Discard, conn)
				}
			})
			if want := map[bool]result.Inconclusive{false: result.InconclusiveHandshake}[c.settled]; svc.Inconclusive != want {
				t.Errorf("inconclusive %q, want %q", svc.Inconclusive, want)
			}
		})
	}
}

// TestTLSRetry connects to an implicit TLS port whose handshake cannot be parsed.
// The second dialogue, with one connection at a time, waits for a greeting until
// its time is up: the reason from the first one is kept.
func TestTLSRetry(t *testing.T) {
	ca := httptest.NewTLSServer(nil)
	key := ca.TLS.Certificates[0].PrivateKey
	ca.Close()
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{[]byte("no certificate")}, PrivateKey: key}}}
	svc, _, _ := identifyAt(t, load(t), 993, func(conn net.Conn) {
		if tls.Server(conn, config).Handshake() == nil {
			io.Copy(io.Discard, conn)
		}
	})
	if svc.Inconclusive != result.InconclusiveHandshake {
		t.Errorf("inconclusive %q, want %q", svc.Inconclusive, result.InconclusiveHandshake)
	}
}
