package fingerprint

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// dripping sends a text repeatedly, a byte at a time, and replies to nothing.
func dripping(text string, every time.Duration) fake {
	return drip(strings.Repeat(text, 1000), every)
}

// cutting greets and replies as slowly as possible, and closes the connection in
// the middle of the reply.
func cutting(c net.Conn) {
	go swallow(c)
	for _, b := range []byte("220 mx.example.org ESMTP\r\n250-mx.example.org\r\n250-SI") {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(400 * time.Millisecond)
	}
}

// TestTimeInAll checks that, whatever a port does to take long, all dialogues
// with it together have one time limit.
func TestTimeInAll(t *testing.T) {
	for name, c := range map[string]struct {
		fake fake
		most time.Duration
	}{
		"silent":                        {swallow, 23 * time.Second},
		"greets after 5 s, then silent": {answering(5*time.Second, "220 mx.example.org ESMTP\r\n", nil), 22 * time.Second},
		"greets after 8 s, then silent": {answering(8*time.Second, "220 mx.example.org ESMTP\r\n", nil), 22 * time.Second},
		"drips and hangs up":            {drip("220 mx.example.org ESMTP\r\n", 300*time.Millisecond), 32 * time.Second},
		"drips all of its replies":      {dripping("220 mx.example.org ESMTP\r\n", 300*time.Millisecond), 23 * time.Second},
		"drips and cuts off":            {cutting, 26 * time.Second},
		"drips a greeting without end":  {dripping("220-mx.example.org ESMTP please wait\r\n", 5*time.Millisecond), 22 * time.Second},
		"half a greeting":               {answering(0, "220 mx.example.org ES", nil), 5 * time.Second},
		"answers nothing":               {answering(0, "220 mx.example.org ESMTP\r\n", nil), 12 * time.Second},
		"refuses for now after 10 s":    {answering(10*time.Second, "421 mx.example.org busy\r\n", nil), 32 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if took := timeInAll(t, c.fake, true); took > c.most {
				t.Errorf("took %v, want at most %v", took, c.most)
			}
		})
	}
}

// timeInAll returns how long all dialogues with a port take, including those
// repeated because this machine was late.
func timeInAll(t *testing.T, f fake, late bool) (took time.Duration) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		var conns tally
		defer conns.fakes.Wait()
		id := &Identifier{Signatures: set, Dial: conns.dial(f)}
		id.late.Store(late) // so that it is repeated if possible
		port := scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10031")}
		begun := time.Now()
		svc, err := id.Identify(t.Context(), port)
		if err != nil {
			t.Fatal(err)
		}
		if id.Doubtful(port.Target.Addr(), svc) {
			id.Again(t.Context(), port, svc)
		}
		took = time.Since(begun)
	})
	return took
}

// TestTimeBesideSilence checks that no port takes twice as long as a silent one,
// so that delaying a run gains little over being silent.
func TestTimeBesideSilence(t *testing.T) {
	silent := timeInAll(t, swallow, false)
	for name, f := range map[string]fake{
		"drips and cuts off":       cutting,
		"drips all of its replies": dripping("220 mx.example.org ESMTP\r\n", 300*time.Millisecond),
		"refuses for now":          answering(10*time.Second, "421 mx.example.org busy\r\n", nil),
		"is cut off late":          drip("220 mx.example.org ESMTP\r\n250-mx.example.org\r\n250-SI", 480*time.Millisecond),
	} {
		if took := timeInAll(t, f, false); took >= 2*silent-time.Second/2 {
			t.Errorf("%s: took %v, and a silent port %v", name, took, silent)
		}
	}
}

// TestGreetingTimeoutLeavesTime checks that a greeting at the end of its wait is
// still followed by probes.
func TestGreetingTimeoutLeavesTime(t *testing.T) {
	id := Identifier{GreetingTimeout: 20 * time.Second}
	if left := id.portTime() - id.GreetingTimeout; left < afterGreeting {
		t.Errorf("%v are left, want %v", left, afterGreeting)
	}
}

// TestUnansweredQuestion checks that nothing more is sent on a connection after a
// probe without a reply, because a late reply would be taken for that to the next
// probe.
func TestUnansweredQuestion(t *testing.T) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		var conns tally
		defer conns.fakes.Wait()
		id := &Identifier{Signatures: set, Dial: conns.dial(func(c net.Conn) {
			io.WriteString(c, "220 mx.example.org ESMTP\r\n")
			if n, _ := c.Read(make([]byte, 100)); n > 4 { // EHLO
				time.Sleep(6 * time.Second)
				io.WriteString(c, "250-mx.example.org\r\n250 CHUNKING\r\n")
			}
			swallow(c)
		})}
		svc, err := id.Identify(context.Background(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10031")})
		if err != nil || svc.Inconclusive != result.InconclusiveUnfinished {
			t.Errorf("inconclusive %q, error %v, want %q", svc.Inconclusive, err, result.InconclusiveUnfinished)
		}
		if ex := svc.Transcript.Find("smtp-help"); ex != nil {
			t.Errorf("HELP was asked behind EHLO, and answered by %q", ex.Reply)
		}
		if ex := svc.Transcript.Find("smtp-ehlo"); ex == nil || ex.End != signatures.EndSilence {
			t.Errorf("EHLO: %+v, want silence", ex)
		}
	})
}
