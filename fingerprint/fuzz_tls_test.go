package fingerprint

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"
)

// FuzzCertificate checks that no certificate crashes its description, and that
// the description stays within limits.
func FuzzCertificate(f *testing.F) {
	server := httptest.NewTLSServer(nil)
	f.Add(server.TLS.Certificates[0].Certificate[0])
	server.Close()
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		told := describeTLS(&tls.ConnectionState{Version: tls.VersionTLS12, PeerCertificates: []*x509.Certificate{cert}})
		if len(told.Subject) > maxName || len(told.Issuer) > maxName || len(told.Names) > maxNames || len(told.CertSHA256) != 64 {
			t.Errorf("too much is told: %+v", told)
		}
	})
}
