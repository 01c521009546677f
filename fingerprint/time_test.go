package fingerprint

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/signatures"
)

// A fake simulates a daemon on one end of a pipe, in the time of the test.
type fake func(c net.Conn)

// identify identifies a fake and returns how long that took.
func identify(t *testing.T, set *signatures.Set, f fake) (svc *Identification, took time.Duration, most int) {
	t.Helper()
	return identifyAt(t, set, 10031, f)
}

// identifyAt is identify for another port.
func identifyAt(t *testing.T, set *signatures.Set, port uint16, f fake) (svc *Identification, took time.Duration, most int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		open := 0
		id := &Identifier{Signatures: set, Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
			ours, theirs := net.Pipe()
			mu.Lock()
			open++
			most = max(most, open)
			mu.Unlock()
			wg.Go(func() {
				f(theirs)
				theirs.Close()
			})
			return &counted{Conn: ours, closed: sync.OnceFunc(func() {
				mu.Lock()
				open--
				mu.Unlock()
			})}, nil
		}}
		start := time.Now()
		svc, _ = id.Identify(t.Context(), scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)})
		took = time.Since(start)
		wg.Wait()
	})
	return svc, took, most
}

// counted reports when it is closed.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

func swallow(c net.Conn) { io.Copy(io.Discard, c) }

// answering greets after a while, and replies to lines.
func answering(after time.Duration, greeting string, answers map[string]string) fake {
	return func(c net.Conn) {
		lines := make(chan string, 100)
		go func() {
			defer close(lines)
			r := bufio.NewReader(c)
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				lines <- line
			}
		}()
		time.Sleep(after)
		if greeting != "" {
			if _, err := io.WriteString(c, greeting); err != nil {
				return
			}
		}
		for line := range lines {
			word := strings.TrimSpace(line)
			if i := strings.IndexByte(word, ' '); i > 0 {
				word = word[:i]
			}
			if a, ok := answers[word]; ok {
				io.WriteString(c, a)
			}
			if word == "QUIT" {
				return
			}
		}
	}
}

// TestTime limits the duration of a dialogue, in the time of the test: about one
// greeting wait, whatever the port does, and less if a reply comes early.
func TestTime(t *testing.T) {
	set := load(t)
	postfix := map[string]string{
		"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "HELP": "500 5.5.2 Error: command not recognized\r\n",
		"": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
	}
	for name, c := range map[string]struct {
		fake    fake
		product string
		most    time.Duration
	}{
		"silent":         {swallow, "", 12600 * time.Millisecond},
		"refusing":       {func(net.Conn) {}, "", time.Second},
		"at once":        {answering(0, "220 mx.example.org ESMTP Postfix\r\n", postfix), "Postfix smtpd", time.Second},
		"after 5.5 s":    {answering(5500*time.Millisecond, "220 mx.example.org ESMTP Postfix\r\n", postfix), "Postfix smtpd", 12 * time.Second},
		"after 11 s":     {answering(11*time.Second, "220 mx.example.org ESMTP Postfix\r\n", postfix), "Postfix smtpd", 24 * time.Second},
		"one byte a 1 s": {drip("220 mx.example.org ESMTP Postfix\r\n", time.Second), "", 36 * time.Second},
		"endless banner": {flood("220-more\r\n"), "", 8 * time.Second},
		"endless line":   {flood("x"), "", 8 * time.Second},
		"endless reply":  {greetThenFlood("220 mx.example.org ESMTP Postfix\r\n", "250-x\r\n"), "", 26 * time.Second},
		"slow reply":     {answering(0, "220 mx.example.org ESMTP\r\n", nil), "", 26 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			svc, took, most := identify(t, set, c.fake)
			if svc.Product != c.product {
				t.Errorf("product is %q, want %q", svc.Product, c.product)
			}
			if took > c.most {
				t.Errorf("it took %v, want at most %v", took, c.most)
			}
			if most > maxPerPort {
				t.Errorf("%d connections were open at once", most)
			}
		})
	}
}

func drip(text string, every time.Duration) fake {
	return func(c net.Conn) {
		go swallow(c)
		for i := range text {
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				return
			}
			time.Sleep(every)
		}
	}
}

func flood(text string) fake { return greetThenFlood("", text) }

func greetThenFlood(greeting, text string) fake {
	return func(c net.Conn) {
		if greeting != "" {
			io.WriteString(c, greeting)
			if _, err := c.Read(make([]byte, 100)); err != nil {
				return
			}
		}
		go swallow(c)
		for {
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// TestEcho checks that a server that repeats what it receives is identified as
// nothing else.
func TestEcho(t *testing.T) {
	svc, _, _ := identify(t, load(t), func(c net.Conn) {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			// A pipe has no buffer: writing without reading would block.
			go c.Write(append([]byte(nil), buf[:n]...))
		}
	})
	if svc.Product != "" || len(svc.Observations) > 0 {
		t.Errorf("an echo is called %q with %q", svc.Product, svc.Observations)
	}
}

// TestBusyPortIsAskedAgain repeats a port whose only child is busy at first: it
// accepts and sends nothing, but greets in the second dialogue. Another port of
// the host has replied before.
func TestBusyPortIsAskedAgain(t *testing.T) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		postfix := answering(0, "220 mx.example.org ESMTP Postfix\r\n", map[string]string{
			"EHLO": "250 mx.example.org\r\n", "": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
		})
		id := &Identifier{Signatures: set, Dial: func(_ context.Context, target netip.AddrPort) (net.Conn, error) {
			ours, theirs := net.Pipe()
			f := postfix
			if target.Port() == 10025 && time.Since(start) < 6*time.Second {
				f = swallow
			}
			go func() {
				f(theirs)
				theirs.Close()
			}()
			return ours, nil
		}}
		for _, target := range []string{"192.0.2.1:25", "192.0.2.1:10025"} {
			svc, err := id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort(target)})
			if err != nil || svc.Product != "Postfix smtpd" {
				t.Errorf("%s is %q, error %v, want Postfix smtpd\n%v", target, svc.Product, err, svc.Transcript)
			}
		}
	})
}

// TestClosedWhileWaitingIsNoRefusal hands over a connection that the daemon has
// closed while it waited for its turn: that is no refusal.
func TestClosedWhileWaitingIsNoRefusal(t *testing.T) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		theirs.Close()
		id := &Identifier{Signatures: set, Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				answering(0, "* OK IMAP4 ready\r\n", map[string]string{"a1": "* CAPABILITY IMAP4rev1\r\na1 OK completed\r\n"})(theirs)
				theirs.Close()
			}()
			return ours, nil
		}}
		svc, err := id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10143"), Conn: ours})
		if err != nil || svc.Name != "imap" || svc.Has("acl-refused") {
			t.Errorf("the service is %q with %q, error %v, want imap", svc.Name, svc.Observations, err)
		}
	})
}

// TestManySilentPorts has a host accept connections on dozens of ports and reply
// on one. They are repeated one after the other, but not without limit.
func TestManySilentPorts(t *testing.T) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		speaks := answering(0, "220 mx.example.org ESMTP\r\n", map[string]string{"EHLO": "250 mx.example.org\r\n"})
		var daemons, callers sync.WaitGroup
		id := &Identifier{Signatures: set, Slots: hosts.NewSlots(32), Dial: func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
			ours, theirs := net.Pipe()
			daemons.Go(func() {
				defer theirs.Close()
				if to.Port() == 25 {
					speaks(theirs)
					return
				}
				swallow(theirs)
			})
			return ours, nil
		}}
		start := time.Now()
		for port := uint16(25); port < 85; port++ {
			callers.Go(func() {
				id.Identify(t.Context(), scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)})
			})
		}
		callers.Wait()
		if took := time.Since(start); took > 60*time.Second {
			t.Errorf("60 ports of one host took %v", took)
		}
		daemons.Wait()
	})
}
