package fingerprint

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// maxConns is how many connections one port is given in all, that which
	// found it among them; maxRecord is the same where all is recorded.
	maxConns  = 10
	maxRecord = 40

	// portTime is how long the conversations with a port take in all, unless the
	// Identifier says otherwise: less than twice the time for which a port that
	// replies to nothing is listened to, so that one which drags out its replies does
	// not make a run twice as long as one which is silent.
	portTime = 2*DefaultGreetingTimeout - time.Second

	// afterGreeting is the least of it that is left behind a greeting which came at
	// the end of the time for which it is waited.
	afterGreeting = 5 * time.Second

	// leastTime is how long a conversation may take that repeats another which
	// took all of that: enough for a daemon that was only slow the first time.
	// leastInside is the same for the first one inside of a layer.
	leastTime   = 4 * time.Second
	leastInside = 10 * time.Second

	// maxDrips is how much longer than they are waited for the replies of a port
	// may last in all, while each byte comes soon after the one before. Busy
	// daemons say their lines in pieces; what needs more time is a tarpit.
	maxDrips = 5 * time.Second
)

// readReply reads a reply that is usually there in some time, longer where
// [session.stretched] says so.
func (s *session) readReply(ctx context.Context, w *wire, complete func([]byte) verdict, usual func() time.Duration) (reply []byte, end string, first, took time.Duration) {
	start := time.Now()
	lossy := s.host.resendTime() > 0 // it comes in pieces then
	if !lossy {
		w.latest = start.Add(usual() + max(time.Duration(s.left.drips.Load()), 0))
	}
	reply, end, first, took = w.readWhile(ctx, complete, func() time.Duration { return s.stretched(w, start, usual()) })
	w.latest = time.Time{}
	if over := took - usual(); over > 0 && len(reply) > 0 && !lossy {
		s.left.drips.Add(-int64(over))
	}
	return reply, end, first, took
}

// An allowance is what a port may still cost, whatever layers are inside of it
// and however often it is asked.
type allowance struct {
	bytes atomic.Int64 // to read from it
	conns atomic.Int64 // connections to it
	time  atomic.Int64 // nanoseconds of conversations with it
	drips atomic.Int64 // nanoseconds by which replies may last longer than they are waited for
}

// portTime is how long the conversations with a port may take in all.
func (id *Identifier) portTime() time.Duration {
	return orDefault(id.PortTime, max(portTime, id.GreetingTimeout+afterGreeting))
}

// allowance returns that of a port that has cost nothing yet.
func (id *Identifier) allowance() *allowance {
	a := new(allowance)
	a.bytes.Store(maxPort)
	a.time.Store(int64(id.portTime()))
	a.drips.Store(int64(maxDrips))
	a.conns.Store(maxConns)
	if id.Record {
		a.conns.Store(maxRecord)
	}
	return a
}
