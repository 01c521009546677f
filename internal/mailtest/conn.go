package mailtest

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"time"
)

// maxLine is the maximum length of a line that a simulated daemon reads, in
// bytes.
const maxLine = 64 << 10

var errLineTooLong = errors.New("line is too long")

// A Conn is the daemon's side of a connection.
type Conn struct {
	server  *Server
	session *session
	raw     net.Conn
	stream  net.Conn // raw, or TLS over it
	reader  *bufio.Reader
}

// Local returns the address that the client connected to.
func (c *Conn) Local() netip.AddrPort { return c.raw.LocalAddr().(*net.TCPAddr).AddrPort() }

// Remote returns the address of the client.
func (c *Conn) Remote() netip.AddrPort { return c.session.remote }

// Say sends text unchanged and reports whether the client is still connected.
func (c *Conn) Say(text string) bool {
	if err := c.raw.SetWriteDeadline(time.Now().Add(idle)); err != nil {
		return false
	}
	_, err := c.stream.Write([]byte(text))
	c.server.ended(c.session, err)
	return err == nil
}

// Read reads what the client sends.
func (c *Conn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// Line reads a line that ends with LF and returns it without LF or CRLF.
func (c *Conn) Line() (string, error) {
	line, err := c.until("\n")
	return strings.TrimSuffix(line, "\r"), err
}

// CRLFLine reads a line that ends with CRLF and returns it without the CRLF; a
// bare LF does not end it.
func (c *Conn) CRLFLine() (string, error) { return c.until("\r\n") }

// until reads up to end and returns what precedes it. What was received before an
// error is returned with the error.
func (c *Conn) until(end string) (string, error) {
	var line []byte
	for {
		b, err := c.reader.ReadByte()
		if err != nil {
			return string(line), err
		}
		line = append(line, b)
		if bytes.HasSuffix(line, []byte(end)) {
			return string(line[:len(line)-len(end)]), nil
		}
		if len(line) > maxLine {
			return string(line), errLineTooLong
		}
	}
}

// Buffered returns how many received bytes were not read yet.
func (c *Conn) Buffered() int { return c.reader.Buffered() }

// Discard discards what was received and not read yet.
func (c *Conn) Discard() {
	// Discarding buffered data cannot fail.
	_, _ = c.reader.Discard(c.reader.Buffered())
}

// Swallow reads and discards until the client disconnects.
func (c *Conn) Swallow() {
	for {
		if _, err := c.reader.ReadByte(); err != nil {
			return
		}
	}
}

// Wait sleeps for d and reports whether the server is still running.
func (c *Conn) Wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.server.done:
		return false
	}
}

// onClose calls f when the server is closed, unless stop was called before.
func (c *Conn) onClose(f func()) (stop func()) {
	stopped := make(chan struct{})
	c.server.working.Go(func() {
		select {
		case <-c.server.done:
			f()
		case <-stopped:
		}
	})
	return func() { close(stopped) }
}

// Reset ends the connection with a RST.
func (c *Conn) Reset() {
	if t, ok := c.raw.(interface{ SetLinger(int) error }); ok {
		// Without the option the connection is closed with a FIN.
		_ = t.SetLinger(0)
	}
	c.raw.Close()
}

// StartTLS performs the server side of a TLS handshake, with a self-signed
// certificate for mail.example.net.
func (c *Conn) StartTLS() error {
	cert, err := certificate()
	if err != nil {
		return err
	}
	if err := c.raw.SetDeadline(time.Now().Add(idle)); err != nil {
		return err
	}
	t := tls.Server(&buffered{c.raw, c.reader}, &tls.Config{Certificates: []tls.Certificate{cert}})
	if err := t.Handshake(); err != nil {
		return fmt.Errorf("handshaking: %w", err)
	}
	c.stream = t
	c.reader = bufio.NewReader(recorder{c})
	return nil
}

// buffered reads the content of the reader before it reads from the connection.
type buffered struct {
	net.Conn
	reader *bufio.Reader
}

func (b *buffered) Read(p []byte) (int, error) {
	if b.reader.Buffered() > 0 {
		return b.reader.Read(p[:min(len(p), b.reader.Buffered())])
	}
	return b.Conn.Read(p)
}

// certificate returns a certificate that is valid for a day, with a fixed serial
// number; nobody verifies it.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "mail.example.net"},
		DNSNames:     []string{"mail.example.net"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
