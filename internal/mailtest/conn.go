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

// maxLine is the longest line that a played daemon reads.
const maxLine = 64 << 10

var errLineTooLong = errors.New("line is too long")

// A Conn is a connection as a played daemon sees it.
type Conn struct {
	server  *Server
	session *session
	raw     net.Conn
	stream  net.Conn // raw, or TLS on it
	reader  *bufio.Reader
}

// Local is the address that the client connected to.
func (c *Conn) Local() netip.AddrPort { return c.raw.LocalAddr().(*net.TCPAddr).AddrPort() }

// Remote is the address of the client.
func (c *Conn) Remote() netip.AddrPort { return c.session.remote }

// Say sends text as it is and reports whether the client is still there.
func (c *Conn) Say(text string) bool {
	if err := c.raw.SetWriteDeadline(time.Now().Add(idle)); err != nil {
		return false
	}
	_, err := c.stream.Write([]byte(text))
	return err == nil
}

// Read reads what the client says.
func (c *Conn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// Line reads a line that ends in LF and returns it without its LF or CRLF.
func (c *Conn) Line() (string, error) {
	line, err := c.until("\n")
	return strings.TrimSuffix(line, "\r"), err
}

// CRLFLine reads a line that ends in CRLF and returns it without; a bare LF
// does not end it.
func (c *Conn) CRLFLine() (string, error) { return c.until("\r\n") }

// until reads until end and returns what stands before it. What came before
// an error is returned with the error.
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

// Buffered is how many bytes have come that were not read yet.
func (c *Conn) Buffered() int { return c.reader.Buffered() }

// Discard forgets what has come and was not read yet.
func (c *Conn) Discard() {
	// Discarding what is buffered cannot fail.
	_, _ = c.reader.Discard(c.reader.Buffered())
}

// Swallow reads and forgets until the client hangs up.
func (c *Conn) Swallow() {
	for {
		if _, err := c.reader.ReadByte(); err != nil {
			return
		}
	}
}

// Wait lets time pass and reports whether the server still runs.
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

// onClose has f called when the server is closed, unless stop was called
// before.
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
		// Without the option the connection is closed in the ordinary way.
		_ = t.SetLinger(0)
	}
	c.raw.Close()
}

// StartTLS does the server's part of a TLS handshake with a certificate of
// its own for mail.example.net.
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
	c.reader = bufio.NewReader(keeper{c})
	return nil
}

// buffered reads what stands in the reader before it reads the connection.
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

// The certificate is valid for a day around a fixed serial number; nobody
// verifies it.
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
