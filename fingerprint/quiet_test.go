package fingerprint

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// early plays a daemon that watches for early talkers: it greets each connection after
// a while, and notes what came before.
type early struct {
	after   time.Duration
	answers map[string]string

	mu   sync.Mutex
	seen []string
}

func (e *early) serve(c net.Conn) {
	greeted := make(chan struct{})
	r := bufio.NewReader(c)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			line, err := r.ReadString('\n')
			select {
			case <-greeted:
			default:
				if line != "" {
					e.mu.Lock()
					e.seen = append(e.seen, line)
					e.mu.Unlock()
				}
			}
			if err != nil {
				return
			}
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			answer, ok := e.answers[word]
			if !ok {
				answer = "500 5.5.2 Error: command not recognized\r\n"
			}
			<-greeted
			if _, err := io.WriteString(c, answer); err != nil || word == "QUIT" {
				return
			}
		}
	})
	time.Sleep(e.after)
	close(greeted)
	io.WriteString(c, "220 mx.example.org ESMTP Postfix\r\n")
	served.Wait()
}

// TestNothingBeforeGreeting has daemons greet late. On a port where a greeting is
// likely, nothing is sent before the time for it is over; on one where nothing is known,
// not before two connections were silent. Postfix would log such a line, postscreen and
// Exim refuse who sent it.
func TestNothingBeforeGreeting(t *testing.T) {
	set := load(t)
	for _, c := range []struct {
		port  uint16
		after time.Duration
	}{
		{25, 900 * time.Millisecond}, {25, 2 * time.Second}, {25, 6 * time.Second}, {587, 3 * time.Second},
		{10024, 4 * time.Second}, {10025, 6 * time.Second}, {2525, 5 * time.Second}, {24, 3 * time.Second},
		{20025, 900 * time.Millisecond}, {20025, 1500 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d after %v", c.port, c.after), func(t *testing.T) {
			daemon := &early{after: c.after, answers: map[string]string{
				"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
			}}
			svc, _, most := identifyAt(t, set, c.port, daemon.serve)
			if len(daemon.seen) > 0 {
				t.Errorf("it got %q before its greeting", daemon.seen)
			}
			if svc.Product != "Postfix smtpd" {
				t.Errorf("product is %q, want Postfix smtpd\n%v", svc.Product, svc.Transcript)
			}
			if most > maxPerPort {
				t.Errorf("%d connections were open at once", most)
			}
		})
	}
}

// TestNothingBeforeGreetingOfMail does so on every port where the table of ports expects
// SMTP or LMTP without TLS and a PROXY header before it, which the client has to begin.
// Five seconds are the example of sendmail's greet_pause (cf/README).
func TestNothingBeforeGreetingOfMail(t *testing.T) {
	set := load(t)
	ports, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, known := range ports.All() {
		if len(known.Uses) == 0 || known.Uses[0].Protocol != "smtp" && known.Uses[0].Protocol != "lmtp" ||
			slices.Contains(set.Probe("tls-hello").Ports, known.Number) || slices.Contains(set.Probe("proxy-unknown").Ports, known.Number) {
			continue
		}
		tried++
		daemon := &early{after: 5 * time.Second, answers: map[string]string{
			"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
		}}
		svc, _, _ := identifyAt(t, set, known.Number, daemon.serve)
		if len(daemon.seen) > 0 {
			t.Errorf("port %d got %q before its greeting\n%v", known.Number, daemon.seen, svc.Transcript)
		}
	}
	if tried < 20 {
		t.Errorf("tried %d ports, want those of all MTAs and filters", tried)
	}
}

// httpFake plays a web server that closes the connection after its answer.
func httpFake(c net.Conn) {
	if line, err := bufio.NewReader(c).ReadString('\n'); err == nil && line == "GET / HTTP/1.0\r\n" {
		go swallow(c)
		io.WriteString(c, "HTTP/1.0 200 OK\r\nServer: Example\r\nContent-Length: 0\r\n\r\n")
	}
}

// TestSilentPortIsAskedInTime bounds the time of a port that waits to be asked: by its
// number, by two connections without a greeting, or by one wait for a greeting.
func TestSilentPortIsAskedInTime(t *testing.T) {
	set := load(t)
	for _, c := range []struct {
		port uint16
		most time.Duration
	}{
		{8080, time.Second}, {20025, 3 * time.Second}, {2525, 9 * time.Second},
	} {
		t.Run(fmt.Sprint(c.port), func(t *testing.T) {
			svc, took, _ := identifyAt(t, set, c.port, httpFake)
			if svc.Name != "http" {
				t.Errorf("the service is %q, want http\n%v", svc.Name, svc.Transcript)
			}
			if took > c.most {
				t.Errorf("it took %v, want at most %v", took, c.most)
			}
		})
	}
}

// TestSlowAcceptIsNoGreeting lets the question wait for a connection while the port
// greets: then it is not sent any more.
func TestSlowAcceptIsNoGreeting(t *testing.T) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		daemon := &early{after: time.Second, answers: map[string]string{"EHLO": "250 mx.example.org\r\n", "QUIT": "221 2.0.0 Bye\r\n"}}
		var served sync.WaitGroup
		var first atomic.Bool
		first.Store(true)
		id := &Identifier{Signatures: set, Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
			if !first.Swap(false) {
				time.Sleep(500 * time.Millisecond)
			}
			ours, theirs := net.Pipe()
			served.Go(func() {
				daemon.serve(theirs)
				theirs.Close()
			})
			return ours, nil
		}}
		id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:8891")})
		served.Wait()
		if len(daemon.seen) > 0 {
			t.Errorf("it got %q before its greeting", daemon.seen)
		}
	})
}

// TestSecondConnectionGreets has a daemon leave the first connection alone and greet all
// others: it is asked nothing that a silent port is asked, and named in the end.
func TestSecondConnectionGreets(t *testing.T) {
	daemon := &early{after: 100 * time.Millisecond, answers: map[string]string{
		"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
	}}
	var conns atomic.Int32
	svc, _, _ := identifyAt(t, load(t), 20025, func(c net.Conn) {
		if conns.Add(1) == 1 {
			swallow(c)
			return
		}
		daemon.serve(c)
	})
	if len(daemon.seen) > 0 || svc.Product != "Postfix smtpd" {
		t.Errorf("product is %q, and it got %q before its greeting\n%v", svc.Product, daemon.seen, svc.Transcript)
	}
}

// TestTimeLimitBeforeGreeting has a port close the connection on which nothing was sent
// after 3 s, as Dovecot's PROXY listener does: that is no greeting, so it is asked.
func TestTimeLimitBeforeGreeting(t *testing.T) {
	set := load(t)
	svc, _, _ := identifyAt(t, set, 143, func(c net.Conn) {
		c.SetReadDeadline(time.Now().Add(3 * time.Second))
		r := bufio.NewReader(c)
		line, err := r.ReadString('\n')
		if err != nil || line != "PROXY UNKNOWN\r\n" {
			return
		}
		c.SetReadDeadline(time.Time{})
		rest := answering(0, "* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", map[string]string{
			"a1": "* CAPABILITY IMAP4rev1\r\na1 OK Pre-login capabilities listed, post-login capabilities have more.\r\n",
			"a2": "* ID (\"name\" \"Dovecot\")\r\na2 OK ID completed.\r\n",
		})
		rest(c)
	})
	if svc.Name != "imap" || !svc.Has("proxy-trusted") {
		t.Errorf("service is %q with %q\n%v", svc.Name, svc.Observations, svc.Transcript)
	}
}

// TestGreetingPorts holds the ports of the greeting against the table of ports: all
// daemons that are known there greet.
func TestGreetingPorts(t *testing.T) {
	set := load(t)
	ports, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	greets := []string{"smtp", "lmtp", "imap", "pop3", "managesieve", "mupdate", "csync", "mysql"}
	for _, port := range set.Probe(signatures.Greeting).Ports {
		entry, known := ports.Lookup(port)
		if !known {
			continue
		}
		if !slices.Contains(greets, entry.Uses[0].Protocol) {
			t.Errorf("port %d is listed for the greeting, but the table has %s first", port, entry.Uses[0].Protocol)
		}
	}
}
