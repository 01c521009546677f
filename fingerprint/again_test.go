package fingerprint

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestAgain has a host that is too busy to reply to a policy request in time, as
// long as other dialogues with it are in progress. A port that replied to nothing
// is identified when it is tried alone; another port shows how busy the host is.
func TestAgain(t *testing.T) {
	set := load(t)
	for name, c := range map[string]struct {
		other    time.Duration // after which another port greets
		doubtful bool
	}{
		"slow host":  {600 * time.Millisecond, true},
		"quick host": {0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var daemons sync.WaitGroup
				defer daemons.Wait()
				begun := time.Now()
				policy := func(c net.Conn) {
					delay := 10 * time.Second
					if time.Since(begun) > time.Minute {
						delay = 2 * time.Second
					}
					buf := make([]byte, 1024)
					for {
						if _, err := c.Read(buf); err != nil {
							return
						}
						time.Sleep(delay)
						io.WriteString(c, "action=DUNNO\n\n")
					}
				}
				id := &Identifier{Signatures: set, Dial: besideMTA(&daemons, c.other, policy)}
				busy := scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10031")}
				if _, err := id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:25")}); err != nil {
					t.Fatal(err)
				}
				first, err := id.Identify(t.Context(), busy)
				if err != nil || first.Name != "" {
					t.Fatalf("at first the service is %q, error %v, want none", first.Name, err)
				}
				if got := id.Doubtful(busy.Target.Addr(), first); got != c.doubtful {
					t.Fatalf("doubtful: %v, want %v (inconclusive %q)", got, c.doubtful, first.Inconclusive)
				}
				if !c.doubtful {
					return
				}
				time.Sleep(time.Minute - time.Since(begun) + time.Second)
				start := time.Now()
				if svc := id.Again(t.Context(), busy, first); svc.Name != "postfix-policy" || svc.Inconclusive != "" {
					t.Errorf("asked again the service is %q, inconclusive %q, want postfix-policy\n%v", svc.Name, svc.Inconclusive, svc.Transcript)
				}
				if took := time.Since(start); took > calmTime {
					t.Errorf("asking again took %v, want at most %v", took, calmTime)
				}
			})
		})
	}
}

// besideMTA opens connections to a host with a daemon on all ports but 25, on
// which an MTA greets after a time. daemons counts the goroutines of the daemons.
func besideMTA(daemons *sync.WaitGroup, greets time.Duration, daemon func(net.Conn)) func(context.Context, netip.AddrPort) (net.Conn, error) {
	mta := answering(greets, "220 mx.example.org ESMTP\r\n", map[string]string{"EHLO": "250 mx.example.org\r\n", "QUIT": "221 Bye\r\n"})
	return func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
		ours, theirs := net.Pipe()
		daemons.Go(func() {
			defer theirs.Close()
			if to.Port() == 25 {
				mta(theirs)
				return
			}
			daemon(theirs)
		})
		return ours, nil
	}
}

// TestAgainKeepsMore repeats a port that has become silent: the result of the
// first dialogue is kept.
func TestAgainKeepsMore(t *testing.T) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		id := &Identifier{Signatures: set, Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { swallow(theirs); theirs.Close() }()
			return ours, nil
		}}
		first := &Identification{Service: result.Service{Name: "smtp", Confidence: 5, Inconclusive: result.InconclusiveRefused, Refusal: "421 busy\r\n"}}
		if got := id.Again(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10025")}, first); got != first {
			t.Errorf("the service is %+v, want the first", got)
		}
	})
}

// TestGreetingWithoutEnd limits the time for an endless greeting.
func TestGreetingWithoutEnd(t *testing.T) {
	set := load(t)
	for name, f := range map[string]fake{
		"lines": drip(strings.Repeat("220-please wait\r\n", 1000), 5*time.Millisecond),
		"bytes": drip(strings.Repeat("220-please wait, we are with you in a moment\r\n", 20), time.Second),
	} {
		svc, took, _ := identify(t, set, f)
		if svc.Inconclusive != result.InconclusiveUnfinished {
			t.Errorf("%s: inconclusive %q, want %q", name, svc.Inconclusive, result.InconclusiveUnfinished)
		}
		if most := DefaultGreetingTimeout + partialLineWait + leastTime + 3*time.Second; took > most {
			t.Errorf("%s: took %v, want at most %v", name, took, most)
		}
	}
}

// TestAgainTime bounds for how long the ports of a host are asked once more: not at all
// where few of them give nothing, else by how long the host was talked to.
func TestAgainTime(t *testing.T) {
	for name, c := range map[string]struct {
		unproductive, noReply int
		talked                time.Duration
		timeout               time.Duration // of the greeting; 0: the default
		want                  time.Duration
	}{
		"nothing is known":                   {0, 0, 0, 0, 0},
		"few give nothing":                   {fewUnproductive, 0, 10 * time.Second, 0, 0},
		"many, after a short time":           {fewUnproductive + 1, 0, 10 * time.Second, 0, 2*DefaultGreetingTimeout - 10*time.Second},
		"many answer no question":            {0, fewUnproductive + 1, 10 * time.Second, 0, 2*DefaultGreetingTimeout - 10*time.Second},
		"many, after a long time":            {300, 0, 28 * time.Second, 0, shortRetrySpent},
		"many, listened to for longer":       {300, 0, 28 * time.Second, 20 * time.Second, 12 * time.Second},
		"many, just before the time is over": {300, 0, 2*DefaultGreetingTimeout - shortRetrySpent + time.Millisecond, 0, shortRetrySpent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				id := &Identifier{GreetingTimeout: c.timeout}
				addr := netip.MustParseAddr("192.0.2.1")
				h := id.host(addr)
				first, second := h.talks(), h.talks()
				time.Sleep(c.talked / 2)
				first()
				for i := range c.unproductive {
					h.noteOutcome(uint16(10000+i), false)
				}
				for i := range c.noReply {
					h.noteNoReply(uint16(20000 + i))
				}
				time.Sleep(c.talked - c.talked/2)
				second()
				if got := id.AgainTime(addr); got != c.want {
					t.Errorf("there are %v, want %v", got, c.want)
				}
				if got := id.AgainTime(netip.MustParseAddr("192.0.2.2")); got != 0 {
					t.Errorf("another host has %v, want no bound", got)
				}
			})
		})
	}
}
