package fingerprint

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// identifyWhole identifies a port as a run does: once more at the end, if it is doubtful.
func identifyWhole(t *testing.T, id *Identifier, r scan.Result) *Identification {
	t.Helper()
	svc, err := id.Identify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if id.Doubtful(r.Target.Addr(), svc) {
		r.Conn = nil
		svc = id.Again(t.Context(), r, svc)
	}
	return svc
}

// hostileKinds are ways in which a port may have a scanner connect again and again.
var hostileKinds = map[string]fake{
	"silent":                 swallow,
	"hangs up at once":       func(net.Conn) {},
	"hangs up on a word":     onlyTo("nothing", ""),
	"hangs up late":          func(c net.Conn) { c.Read(make([]byte, 4096)); time.Sleep(700 * time.Millisecond) },
	"hangs up after 2 s":     func(c net.Conn) { time.Sleep(2 * time.Second) },
	"refuses for now":        func(c net.Conn) { io.WriteString(c, "421 busy\r\n") },
	"refuses later":          answering(9*time.Second, "421 busy\r\n", nil),
	"greets and hangs up":    func(c net.Conn) { io.WriteString(c, "220 mx.example.org ESMTP\r\n") },
	"greets, then is silent": answering(0, "220 mx.example.org ESMTP Postfix\r\n", nil),
	"greets late":            answering(8*time.Second, "220 mx.example.org ESMTP Postfix\r\n", nil),
	"half a greeting":        answering(0, "220-mx.exa", nil),
	"drips":                  dripping("220-please wait\r\n", 300*time.Millisecond),
	"echo":                   func(c net.Conn) { io.Copy(c, c) },
	"no words":               func(c net.Conn) { c.Read(make([]byte, 4096)); c.Write([]byte{0, 1, 2, 0xff, 0xfe}) },
	"an alert":               func(c net.Conn) { c.Read(make([]byte, 4096)); c.Write([]byte("\x15\x03\x01\x00\x02\x02\x28")) },
	"half a ServerHello":     func(c net.Conn) { c.Read(make([]byte, 4096)); c.Write([]byte("\x16\x03\x03\x00\x7a\x02")); swallow(c) },
	"believes every header":  believing,
	"HTTP to everything":     answersAll("HTTP/1.0 404 Not Found\r\n\r\n"),
	"OK to everything":       answersAll("200 OK\r\n"),
	"a policy, slowly":       slowPolicy,
}

// believing speaks behind every PROXY header, and says nothing more.
func believing(c net.Conn) {
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if err == nil && (strings.HasPrefix(string(b[:n]), "PROXY") || strings.HasPrefix(string(b[:n]), "\r\n\r\n")) {
		io.WriteString(c, "220 mx.example.org ESMTP\r\n")
	}
	swallow(c)
}

// answersAll says the same to whatever it reads.
func answersAll(text string) fake {
	return func(c net.Conn) {
		b := make([]byte, 4096)
		for {
			if _, err := c.Read(b); err != nil {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// slowPolicy starts something for each question.
func slowPolicy(c net.Conn) {
	b := make([]byte, 4096)
	for {
		if _, err := c.Read(b); err != nil {
			return
		}
		time.Sleep(1100 * time.Millisecond)
		if _, err := io.WriteString(c, "action=dunno\n\n"); err != nil {
			return
		}
	}
}

// TestTenConnections holds that no port gets more than ten connections in all, whatever
// it does, on a quick and on a slow host and machine, and although it is asked again at
// the end, doubtful or not. Some ports do something else on each connection.
func TestTenConnections(t *testing.T) {
	kinds := map[string]func() fake{}
	for name, f := range hostileKinds {
		kinds[name] = func() fake { return f }
	}
	for seed := range uint64(20) {
		kinds[fmt.Sprintf("something else each time, %d", seed)] = func() fake { return changing(seed) }
	}
	for name, play := range kinds {
		for _, slow := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, slow: %v", name, slow), func(t *testing.T) {
				for _, port := range []uint16{25, 143, 993, 2501, 8891, 10023, 10032, 10143, 12525, 40000} {
					synctest.Test(t, func(t *testing.T) { countToTen(t, play(), port, slow) })
				}
			})
		}
	}
}

// changing does one of the hostile things on each connection.
func changing(seed uint64) fake {
	names := slices.Sorted(maps.Keys(hostileKinds))
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 12))
	return func(c net.Conn) {
		mu.Lock()
		name := names[random.IntN(len(names))]
		mu.Unlock()
		hostileKinds[name](c)
	}
}

// countToTen identifies a port, and asks it again, and counts the connections.
func countToTen(t *testing.T, play fake, port uint16, slow bool) {
	var conns tally
	defer conns.fakes.Wait()
	id := &Identifier{Signatures: load(t), Dial: conns.dial(play)}
	target := netip.AddrPortFrom(limitedHost, port)
	id.host(limitedHost).answered(1, 0) // another port of the host says something
	if slow {
		id.host(limitedHost).answered(1, 900*time.Millisecond)
		id.late.Store(true)
	}
	first, err := id.Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	svc, err := id.Identify(t.Context(), scan.Result{Target: target, State: result.StateOpen, Conn: first})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		svc = id.Again(t.Context(), scan.Result{Target: target, State: result.StateOpen}, svc)
	}
	if n := conns.ports[target]; n > 10 {
		t.Errorf("port %d: %d connections, want 10 at most\n%v", port, n, asJSON(svc.Transcript))
	}
}

// TestAgainConnects goes on with a port that could not be connected to, within the same
// ten connections.
func TestAgainConnects(t *testing.T) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		var conns tally
		defer conns.fakes.Wait()
		var down atomic.Bool
		down.Store(true)
		id := &Identifier{Signatures: set, Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			if down.Load() {
				return nil, io.ErrUnexpectedEOF
			}
			return conns.dial(answering(0, "220 mx.example.org ESMTP Postfix\r\n", map[string]string{
				"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
			}))(ctx, to)
		}}
		r := scan.Result{Target: netip.AddrPortFrom(limitedHost, 25)}
		svc, err := id.Identify(t.Context(), r)
		if err == nil || svc.Inconclusive != result.InconclusiveNoConnection {
			t.Fatalf("inconclusive %q, error %v, want no connection", svc.Inconclusive, err)
		}
		down.Store(false)
		if svc = id.Again(t.Context(), r, svc); svc.Product != "Postfix smtpd" || conns.all > maxConns {
			t.Errorf("called %q after %d connections, want Postfix smtpd", svc.Product, conns.all)
		}
	})
}
