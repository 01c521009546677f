package fingerprint

import (
	"context"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestStopAtGoodbye stops a dialogue while it finds out what becomes of bytes that come
// after the end of the connection. It waits for nothing then but the end.
func TestStopAtGoodbye(t *testing.T) {
	set := load(t)
	took := func(name string, stop time.Duration) (took time.Duration) {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, mailtest.TCPProxy{Inner: daemon(t, "postfix"), Keeps: time.Minute})
			ctx, cancel := context.WithTimeout(t.Context(), stop)
			defer cancel()
			begun := time.Now()
			if _, err := (&Identifier{Signatures: set, Dial: n.Dial}).Identify(ctx, scan.Result{Target: server.Addr()}); err != nil && ctx.Err() == nil {
				t.Fatal(err)
			}
			took = time.Since(begun)
		})
		return took
	}
	whole := took("whole", time.Minute)
	if whole < briefTail {
		t.Fatalf("a whole dialogue took %v, less than the wait for its end", whole)
	}
	for _, before := range []time.Duration{briefTail, briefTail / 2, tailWait / 2} {
		stop := whole - before
		if over := took("stopped", stop) - stop; over > 10*time.Millisecond {
			t.Errorf("stopped %v before its end, it took %v more", before, over)
		}
	}
}

// TestOneTailAtATime checks that one connection of a port at a time is kept to ask what
// becomes of bytes after its end, and none once that is known.
func TestOneTailAtATime(t *testing.T) {
	s := &session{exchanges: map[string]*Exchange{}}
	if !s.beginTail() {
		t.Error("the first connection does not ask")
	}
	if s.beginTail() {
		t.Error("a second one asks at the same time")
	}
	if s.endTail(); !s.beginTail() {
		t.Error("the next one does not ask although there is no answer")
	}
	s.exchanges[signatures.Goodbye] = &Exchange{Probe: signatures.Goodbye}
	if s.endTail(); s.beginTail() {
		t.Error("another one asks although the answer is known")
	}
}
