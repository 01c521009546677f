package fingerprint

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

// A listened server greets each connection after a while, and notes what came first on
// each before that.
type listened struct {
	after time.Duration

	mu    sync.Mutex
	early [][]byte
}

func (l *listened) serve(c net.Conn) {
	c.SetReadDeadline(time.Now().Add(l.after))
	first := make([]byte, 4096)
	n, _ := c.Read(first)
	if n > 0 {
		l.mu.Lock()
		l.early = append(l.early, bytes.Clone(first[:n]))
		l.mu.Unlock()
	}
	for {
		if _, err := c.Read(first); err != nil && !isTimeout(err) {
			return
		} else if err != nil {
			break
		}
	}
	c.SetReadDeadline(time.Time{})
	answering(0, "220 mx.example.org ESMTP\r\n", nil)(c)
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// TestNothingOddBeforeGreeting has a server greet late on every port that a probe names,
// and on some that none does. Until the wait for a greeting is over, or two connections
// were silent where the number tells nothing, it gets only what its number suggests.
func TestNothingOddBeforeGreeting(t *testing.T) {
	set := load(t)
	ports := []uint16{81, 5000, 20025, 65000}
	for _, p := range set.Probes {
		ports = append(ports, p.Ports...)
	}
	slices.Sort(ports)
	for _, port := range slices.Compact(ports) {
		suggested := suggestedOn(set, port)
		after := 6 * time.Second // of 6.5 s
		if len(suggested) == 0 && !slices.Contains(set.Probe(signatures.Greeting).Ports, port) {
			after = 1500 * time.Millisecond // of two times 800 ms
		}
		t.Run(fmt.Sprint(port), func(t *testing.T) {
			server := &listened{after: after}
			svc, _, _ := identifyAt(t, set, port, server.serve)
			for _, got := range server.early {
				if !slices.ContainsFunc(suggested, func(p *signatures.Probe) bool { return opensWith(p, got) }) {
					t.Errorf("it got %.40q before its greeting", got)
				}
			}
			if svc.Name != "smtp" {
				t.Errorf("the service is %q, want smtp\n%v", svc.Name, svc.Transcript)
			}
		})
	}
}

// suggestedOn are the questions to a silent port that the number of a port suggests.
func suggestedOn(set *signatures.Set, port uint16) (list []*signatures.Probe) {
	for _, p := range set.Probes {
		if p.Quiet > 0 && slices.Contains(p.Ports, port) {
			list = append(list, p)
		}
	}
	return list
}

// opensWith reports whether the first bytes of a connection are those of a probe, which
// are the record of a TLS handshake (RFC 8446, Section 5.1) where it sends nothing else.
func opensWith(p *signatures.Probe, got []byte) bool {
	if len(p.Send) == 0 {
		return bytes.HasPrefix(got, []byte{0x16, 3})
	}
	return bytes.HasPrefix(got, p.Send) || bytes.HasPrefix(p.Send, got)
}

// TestTLSIsAskedInTime bounds the time of ports that say nothing before TLS. It is asked
// for at once on its usual ports, and elsewhere as soon as another question has ended a
// connection. Inside of it, a port of HTTPS waits no longer than an unknown one.
func TestTLSIsAskedInTime(t *testing.T) {
	ca := httptest.NewTLSServer(nil)
	config := &tls.Config{Certificates: ca.TLS.Certificates}
	ca.Close()
	set := load(t)
	imap := answering(0, "* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", map[string]string{
		"a1": "* CAPABILITY IMAP4rev1\r\na1 OK Pre-login capabilities listed, post-login capabilities have more.\r\n",
		"a2": "* ID (\"name\" \"Dovecot\")\r\na2 OK ID completed.\r\n",
	})
	for _, c := range []struct {
		port   uint16
		inside fake
		name   string
		most   time.Duration
	}{
		{443, imap, "imap", time.Second}, {465, imap, "imap", time.Second}, {993, imap, "imap", time.Second},
		{8080, imap, "imap", 2 * time.Second}, {20993, imap, "imap", 3 * time.Second},
		{443, httpFake, "http", 2 * time.Second}, {8443, httpFake, "http", 2 * time.Second}, {8080, httpFake, "http", 2 * time.Second},
	} {
		t.Run(fmt.Sprint(c.name, " on ", c.port), func(t *testing.T) {
			svc, took, _ := identifyAt(t, set, c.port, func(conn net.Conn) {
				if inside := tls.Server(conn, config); inside.Handshake() == nil {
					c.inside(inside)
				}
			})
			if svc.Name != c.name || svc.Tunnel != "ssl" || took > c.most {
				t.Errorf("the service is %q in the tunnel %q after %v, want %q in TLS within %v\n%v", svc.Name, svc.Tunnel, took, c.name, c.most, svc.Transcript)
			}
		})
	}
}
