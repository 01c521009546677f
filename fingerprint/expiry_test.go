package fingerprint

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/signatures"
)

// A sender records when something is sent on a connection, and whether it was
// reset.
type sender struct {
	net.Conn
	sends  func()
	resets func()
}

func (s *sender) Write(p []byte) (int, error) {
	s.sends()
	return s.Conn.Write(p)
}

// Read fails like that of a *net.TCPConn once the connection is closed.
func (s *sender) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = net.ErrClosed
	}
	return n, err
}

// SetLinger is like that of a *net.TCPConn.
func (s *sender) SetLinger(int) error {
	s.resets()
	return nil
}

// TestNotAfter checks that, whatever a daemon does, no connection is opened and
// nothing is sent once the authorization has ended, and that open connections are
// reset then.
func TestNotAfter(t *testing.T) {
	set := load(t)
	postfix := map[string]string{"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "QUIT": "221 2.0.0 Bye\r\n"}
	for name, f := range map[string]fake{
		"silent":      swallow,
		"unread":      func(net.Conn) { time.Sleep(time.Minute) },
		"refusing":    func(net.Conn) {},
		"postfix":     answering(0, "220 mx.example.org ESMTP Postfix\r\n", postfix),
		"after 5.5 s": answering(5500*time.Millisecond, "220 mx.example.org ESMTP Postfix\r\n", postfix),
		"slow":        answering(0, "220 mx.example.org ESMTP\r\n", nil),
		"flood":       flood("220-more\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, handed := range []bool{false, true} {
				sent, resets, _, _ := expiring(t, set, 0, f, handed)
				if resets != 0 {
					t.Errorf("%d resets without an end", resets)
				}
				for _, after := range []time.Duration{time.Nanosecond, 50 * time.Millisecond, time.Second, 6 * time.Second, 7 * time.Second} {
					late := 0
					for _, at := range sent {
						if at >= after {
							late++
						}
					}
					bounded, resets, took, _ := expiring(t, set, after, f, handed)
					for _, at := range bounded {
						if at >= after {
							t.Errorf("end after %s: something was sent after %s", after, at)
						}
					}
					if late > 0 && resets == 0 && after > time.Nanosecond && name != "refusing" {
						t.Errorf("end after %s: no connection was reset", after)
					}
					if took > after+2*time.Second {
						t.Errorf("end after %s: it took %s", after, took)
					}
				}
			}
		})
	}
}

// A half is a connection that counts what is sent on it beside data.
type half struct {
	net.Conn
	sent int
}

func (h *half) SendUrgent(byte) bool { h.sent++; return true }
func (h *half) CloseWrite() error    { h.sent++; return nil }

// TestNotAfterBesideData: an urgent byte and the end of what we send are not sent either
// once the authorization has ended, also if the timer that resets the connection is late.
func TestNotAfterBesideData(t *testing.T) {
	for name, c := range map[string]struct {
		left time.Duration
		want int
	}{"before": {time.Hour, 2}, "after": {-time.Nanosecond, 0}} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			defer theirs.Close()
			conn := &half{Conn: ours}
			w := &wire{conn: &lastConn{Conn: conn, notAfter: time.Now().Add(c.left)}}
			if got := sendUrgent(w.conn, '\n'); got != (c.want > 0) {
				t.Errorf("an urgent byte is sent: %t", got)
			}
			w.endSending()
			if conn.sent != c.want {
				t.Errorf("%d of the two were sent, want %d", conn.sent, c.want)
			}
		})
	}
}

// TestNotAfterIsNoAnswer checks that our own resets are not taken for behavior of
// the daemon, which stays unknown.
func TestNotAfterIsNoAnswer(t *testing.T) {
	set := load(t)
	for name, f := range map[string]fake{
		"silent":         swallow,
		"half a line":    answering(0, "220 mx.exa", nil),
		"only greetings": answering(0, "220 mx.example.org ESMTP\r\n", nil),
	} {
		for _, handed := range []bool{false, true} {
			for _, after := range []time.Duration{50 * time.Millisecond, 700 * time.Millisecond, time.Second, 3 * time.Second, 5 * time.Second, 6 * time.Second} {
				_, resets, _, svc := expiring(t, set, after, f, handed)
				if resets == 0 {
					continue // everything was sent before
				}
				if svc.Inconclusive == "" {
					t.Errorf("%s, end after %s: it counts as assessed: %+v", name, after, svc)
				}
				for _, ex := range svc.Transcript.Exchanges {
					if ex.End == signatures.EndClosed || ex.End == signatures.EndReset {
						t.Errorf("%s, end after %s: %s ended with %s", name, after, ex.Probe, ex.End)
					}
				}
			}
		}
	}
}

// expiring identifies a fake, with a connection handed over or not. It returns
// when something was sent, connections opened among it, how many of them were
// reset, and how long it took. The authorization ends after a while, or never
// if that is zero.
func expiring(t *testing.T, set *signatures.Set, end time.Duration, f fake, handed bool) (sent []time.Duration, resets int, took time.Duration, svc *Identification) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var daemons sync.WaitGroup
		defer daemons.Wait()
		start := time.Now()
		id := &Identifier{Signatures: set}
		if end > 0 {
			id.NotAfter = start.Add(end)
		}
		note := func() {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, time.Since(start))
		}
		dial := func(context.Context, netip.AddrPort) (net.Conn, error) {
			ours, theirs := net.Pipe()
			daemons.Go(func() {
				f(theirs)
				theirs.Close()
			})
			return &sender{Conn: ours, sends: note, resets: func() {
				mu.Lock()
				defer mu.Unlock()
				resets++
			}}, nil
		}
		id.Slots = hosts.NewSlots(0)
		id.Dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			note()
			return dial(ctx, to)
		}
		r := scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10031"), State: result.StateOpen}
		if handed {
			conn, _ := dial(t.Context(), r.Target)
			if err := id.Slots.Acquire(t.Context(), r.Target.Addr()); err != nil {
				t.Fatal(err)
			}
			r.Conn = id.Slots.Wrap(r.Target.Addr(), conn)
		}
		svc, _ = id.Identify(t.Context(), r)
		took = time.Since(start)
	})
	return sent, resets, took, svc
}
