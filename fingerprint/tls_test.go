package fingerprint

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"testing"
)

// TestNoServerName talks to a server that hangs up on whoever asks for a name
// that it does not have (RFC 6066, Section 3).
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
