//go:build linux

package nameservers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// authority is the file of the certificate of the test's own authority.
func (r *running) authority() string { return filepath.Join(r.dir, "authority.pem") }

// certificate and key are the files of the certificate of the servers.
func (r *running) certificate() string { return filepath.Join(r.dir, "certificate.pem") }
func (r *running) key() string         { return filepath.Join(r.dir, "key.pem") }

// documents are what the HTTPS server offers.
var documents = map[string]struct{ kind, text string }{
	"mta-sts.knot.test/.well-known/mta-sts.txt":           {"text/plain", "version: STSv1\r\nmode: enforce\r\nmx: *.knot.test\r\nmax_age: 86400\r\n"},
	"mta-sts.sts-other.knot.test/.well-known/mta-sts.txt": {"text/plain", "version: STSv1\nmode: enforce\nmx: mx.bind.test\nmax_age: 86400\n"},
	"mta-sts.sts-name.knot.test/.well-known/mta-sts.txt":  {"text/plain", "version: STSv1\nmode: enforce\nmx: *.knot.test\nmax_age: 86400\n"},
	"mta-sts.sts-html.knot.test/.well-known/mta-sts.txt":  {"text/html", "version: STSv1\nmode: enforce\nmx: *.knot.test\nmax_age: 86400\n"},
	"autoconfig.knot.test/mail/config-v1.1.xml": {"text/xml", `<clientConfig version="1.1"><emailProvider id="knot.test">
<incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType></incomingServer>
<outgoingServer type="smtp"><hostname>submit.knot.test</hostname><port>465</port><socketType>SSL</socketType></outgoingServer>
</emailProvider></clientConfig>`},
}

// web starts the HTTPS server, whose certificate is of the test's own authority.
func (r *running) web() error {
	config, err := r.certificates()
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", net.JoinHostPort(webAddress, "443"), config)
	if err != nil {
		return err
	}
	quiet := log.New(io.Discard, "", 0) // that a client rejects a certificate is one of the cases
	server := &http.Server{ReadTimeout: 10 * time.Second, ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		doc, ok := documents[q.Host+q.URL.Path]
		switch {
		case q.Host == "mta-sts.sts-redirect.knot.test":
			http.Redirect(w, q, "https://mta-sts.knot.test"+q.URL.Path, http.StatusMovedPermanently)
		case !ok:
			http.NotFound(w, q)
		default:
			w.Header().Set("Content-Type", doc.kind)
			fmt.Fprint(w, doc.text)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	return nil
}

// certificates makes the authority, and a certificate of imap.bind.test and of all names of the documents but one.
func (r *running) certificates() (*tls.Config, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := func(serial int64, name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), BasicConstraintsValid: true}
	}
	ca := template(1, "authority of the test")
	ca.IsCA, ca.KeyUsage = true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := template(2, "documents")
	leaf.DNSNames = []string{"imap.bind.test", "mta-sts.knot.test", "autoconfig.knot.test", "mta-sts.sts-other.knot.test",
		"mta-sts.sts-redirect.knot.test", "mta-sts.sts-html.knot.test"}
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	for file, block := range map[string]*pem.Block{
		r.authority():   {Type: "CERTIFICATE", Bytes: caDER},
		r.certificate(): {Type: "CERTIFICATE", Bytes: der},
		r.key():         {Type: "EC PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			return nil, err
		}
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, nil
}
