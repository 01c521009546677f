package fingerprint

import (
	"context"
	//lint:ignore SA1019 DSA keys of others are told of, none is used
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// errHandshake is the error of a connection inside TLS whose handshake failed.
var errHandshake = errors.New("the TLS handshake failed")

// handshake starts TLS on the connection. Certificates are recorded but not
// verified, and old versions are accepted, because the purpose is identification.
// No server name is sent: a server may close the connection if it does not know
// the name (RFC 6066, Section 3), and without one it presents its default
// certificate.
func (s *session) handshake(ctx context.Context, w *wire, wait time.Duration) error {
	raw := w.conn
	asked := false // the server requested a client certificate
	conn := tls.Client(raw, &tls.Config{
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return new(tls.Certificate), nil
		},
		MinVersion:   tls.VersionTLS10,
		CipherSuites: allCiphers(),
	})
	raw.SetDeadline(time.Now().Add(wait))
	// Handshake and not HandshakeContext, which would close the connection with
	// an unterminated line on it.
	stop := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := conn.Handshake()
	if err != nil {
		// For a daemon that reads lines, what was sent is an unterminated line.
		w.midLine = true
		if alerted(err) && !asked {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.alerted = true
		}
		return err
	}
	raw.SetDeadline(time.Time{})
	state := conn.ConnectionState()
	// Other goroutines of the session use its first connection.
	s.mu.Lock()
	defer s.mu.Unlock()
	w.conn, w.tls, w.state = conn, true, &state
	if s.tlsInfo == nil {
		if s.tlsInfo = describeTLS(&state); s.id.Digests {
			s.tlsInfo.Chain = digestsOf(state.PeerCertificates)
		}
	}
	return nil
}

// handshakeEnd says how a connection whose handshake failed ended. An alert ends
// it (RFC 8446, Section 6.2); data that is not TLS is a reply.
func handshakeEnd(err error) string {
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return signatures.EndReply
	}
	return endOf(err)
}

// alerted reports whether the other side ended TLS with an alert. One that
// requires a client certificate does so after the handshake of TLS 1.3 (RFC 8446,
// Section 4.4.2.4).
func alerted(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error"
}

// allCiphers returns all implemented cipher suites, including insecure ones: old
// daemons support no others, and nothing secret is sent.
func allCiphers() []uint16 {
	var ids []uint16
	for _, suites := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, suite := range suites {
			ids = append(ids, suite.ID)
		}
	}
	return ids
}

// enterTLS tries implicit TLS, after a PROXY header if the probe sends one, and
// starts a new session inside if it works.
func (s *session) enterTLS(ctx context.Context, w *wire, ex *Exchange, p *signatures.Probe) {
	start := time.Now()
	header := s.layer.proxy
	if len(ex.Sent) > 0 {
		header = string(p.Send)
		w.send(ex.Sent) // if the connection is closed, the handshake fails
	}
	err := s.handshake(ctx, w, max(s.patience(p), s.host.resendTime()))
	ex.Took = time.Since(start)
	if err == nil {
		ex.Handshake, ex.End = signatures.HandshakeComplete, signatures.EndReply
		s.enter(w, layer{tls: true, proxy: header}, ex)
		return
	}
	if ctx.Err() != nil {
		return
	}
	ex.Handshake, ex.End = signatures.HandshakeFailed, handshakeEnd(err)
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		ex.Reply = record.RecordHeader[:]
	}
	ex.Incomplete = s.handshakeIncomplete(w, ex, err)
	w.gone = ex.End == signatures.EndClosed || ex.End == signatures.EndReset
	s.note(ex)
}

// handshakeIncomplete reports whether a handshake may have failed because of packet
// loss. More time does not compensate for that, because both sides send several
// messages. An error detected by TLS itself means that the data arrived.
func (s *session) handshakeIncomplete(w *wire, ex *Exchange, err error) bool {
	p, ok := pathOf(w.conn)
	if ok {
		s.host.passed(w, p)
	}
	var network *net.OpError
	return ex.End == signatures.EndError && errors.As(err, &network) || ex.End == signatures.EndSilence && (p.unacked || s.host.resendTime() > 0)
}

// enter starts a new session inside a layer, on the connection that entered it.
func (s *session) enter(w *wire, l layer, ex *Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteLocked(ex)
	if s.inner != nil {
		w.gone = true
		s.wake()
		return
	}
	if l.proxy != "" && !l.tls {
		// The reply to the header is the greeting inside the layer.
		w.unread = ex.Reply
	}
	s.inner = s.within(l, w)
	s.inner.tlsInfo = s.tlsInfo
	s.wake()
}

// entered reports whether the connection now belongs to the session inside a
// layer.
func (s *session) entered(w *wire) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inner != nil && s.inner.wire == w
}

// Limits of what is kept of a certificate: it may have thousands of names, and
// each of a thousand ports another certificate.
const (
	maxNames = 100
	maxName  = 1024 // in bytes
)

// clip returns the beginning of a text from the network, in memory of its own.
func clip(s string) string { return strings.Clone(s[:min(len(s), maxName)]) }

// describeKey returns the algorithm of a certificate's key and its size in bits.
func describeKey(leaf *x509.Certificate) (algorithm string, bits int) {
	if leaf.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
		algorithm = leaf.PublicKeyAlgorithm.String()
	}
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		bits = key.N.BitLen()
	case *ecdsa.PublicKey:
		bits = key.Curve.Params().BitSize
	case *dsa.PublicKey:
		bits = key.P.BitLen()
	case ed25519.PublicKey:
		bits = len(key) * 8
	}
	return algorithm, bits
}

// maxChain is how many certificates of a chain are kept: more than any server sends.
const maxChain = 8

// digestsOf returns the digests of certificates.
func digestsOf(chain []*x509.Certificate) []result.CertificateDigests {
	var list []result.CertificateDigests
	for _, c := range chain[:min(len(chain), maxChain)] {
		cert256, cert512 := sha256.Sum256(c.Raw), sha512.Sum512(c.Raw)
		key256, key512 := sha256.Sum256(c.RawSubjectPublicKeyInfo), sha512.Sum512(c.RawSubjectPublicKeyInfo)
		list = append(list, result.CertificateDigests{CertSHA256: hex.EncodeToString(cert256[:]), CertSHA512: hex.EncodeToString(cert512[:]),
			KeySHA256: hex.EncodeToString(key256[:]), KeySHA512: hex.EncodeToString(key512[:])})
	}
	return list
}

func describeTLS(state *tls.ConnectionState) *result.TLS {
	t := &result.TLS{Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite)}
	if len(state.PeerCertificates) == 0 {
		return t
	}
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	t.Subject, t.Issuer = clip(leaf.Subject.String()), clip(leaf.Issuer.String())
	for _, name := range leaf.DNSNames[:min(len(leaf.DNSNames), maxNames)] {
		t.Names = append(t.Names, clip(name))
		t.NamesTruncated = t.NamesTruncated || len(name) > maxName
	}
	t.NamesTruncated = t.NamesTruncated || len(leaf.DNSNames) > maxNames
	t.NotBefore, t.NotAfter = result.NewTime(leaf.NotBefore), result.NewTime(leaf.NotAfter)
	t.KeyAlgorithm, t.KeyBits = describeKey(leaf)
	if leaf.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		t.SignatureAlgorithm = leaf.SignatureAlgorithm.String()
	}
	t.CertSHA256 = hex.EncodeToString(sum[:])
	return t
}
