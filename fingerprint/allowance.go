package fingerprint

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// maxConns is how many connections one port gets in all, including the one that
	// found it: those of [Identifier.Identify] and of [Identifier.Again] together.
	// maxRecord is the same if everything is recorded.
	maxConns  = 10
	maxRecord = 40

	// keptConns is how many of them Identify leaves for Again where a port answers slowly.
	// Policyd-weight needs that many questions to be named.
	keptConns = 6

	// portTime is the time limit of all dialogues with a port, unless the Identifier
	// has another one: less than twice the time for which a port without replies is
	// listened to, so that a port which delays its replies does not make a run twice as
	// long as a silent one.
	portTime = 2*DefaultGreetingTimeout - time.Second

	// afterGreeting is the minimum of it after a greeting that came at the end of the
	// wait for it.
	afterGreeting = 5 * time.Second

	// leastTime is the time limit of a dialogue that repeats another which used up all
	// of that: enough for a daemon that was only slow the first time. leastInside is
	// the same for the first one inside of a layer.
	leastTime   = 4 * time.Second
	leastInside = 10 * time.Second

	// maxDrips is the total time by which the replies of a port may exceed their waits,
	// while each byte comes soon after the one before. Busy daemons send their lines in
	// pieces; a port that needs more time is a tarpit.
	maxDrips = 5 * time.Second
)

// readReply reads a reply that usually comes within some time, and waits longer if
// [session.stretched] says so.
func (s *session) readReply(ctx context.Context, w *wire, complete func([]byte) verdict, usual func() time.Duration) (reply []byte, end string, first, took time.Duration) {
	start := time.Now()
	lossy := s.host.resendTime() > 0 // replies come in pieces then
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

// An allowance is the limits that remain for a port, over all its layers and retries.
type allowance struct {
	bytes atomic.Int64 // to read from it
	conns atomic.Int64 // connections to it
	time  atomic.Int64 // nanoseconds of conversations with it
	drips atomic.Int64 // nanoseconds by which replies may last longer than they are waited for
}

// portTime returns the time limit of all dialogues with a port.
func (id *Identifier) portTime() time.Duration {
	return orDefault(id.PortTime, max(portTime, id.GreetingTimeout+afterGreeting))
}

// allowance returns the limits of a port that has used nothing yet.
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

// reserved is how many connections the dialogue leaves for [Identifier.Again]: where the
// port answers slowly, more questions beside those to other ports would tell little.
// What it answered is not asked again there. On a slow host, so is what the number of a
// silent port does not suggest, which makes a question odd. The caller holds the lock.
func (s *session) reserved(odd bool) int64 {
	if s.calm || s.id.Record || s.greetingBegun || s.layer != (layer{}) {
		return 0
	}
	if silent := s.repliedToNothing(); silent && !(odd && s.suggestsQuiet() && (s.host.slow() > 0 || s.id.late.Load())) || !silent && s.slowest <= slowness {
		return 0 // few silent ports are asked again, and first those whose number suggests a question
	}
	if best := s.best(); best != nil && best.Product != "" && best.Confidence >= plain-1 {
		return 0 // it is not asked again: see [Identifier.Doubtful]
	}
	return keptConns
}

// leaves reports whether the dialogue must end because the connections that are left are
// kept.
func (s *session) leaves() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inner != nil || s.left.conns.Load() > s.reserved(true) {
		return false
	}
	s.spared = true
	return true
}

// pace waits until one more connection may be opened, and records how long that took.
func (s *session) pace(ctx context.Context) error {
	if s.id.Pace == nil {
		return nil
	}
	begun := time.Now()
	err := s.id.Pace(ctx)
	s.paced.Add(int64(time.Since(begun)))
	return err
}

// time returns the time limit of the dialogue.
func (s *session) time() time.Duration {
	left := max(time.Duration(s.left.time.Load()), orDefault(s.least, leastTime))
	return min(orDefault(s.most, left), left)
}

// timeLeft returns how long the dialogue that began at a time may continue before it
// is checked again, and zero if it may not.
func (s *session) timeLeft(most time.Duration, begun time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := time.Since(begun) - time.Duration(s.paced.Load()) - s.turn.waited()
	left := most - took
	switch short := s.greetingTimeout(); {
	case took < short:
		return min(left, short-took)
	case s.hasShortTime():
		s.shortened = true
		return 0
	}
	return min(left, detachSooner)
}

// bounded returns a context that is done after most, not counting the time that
// connections waited for the rate and the port for its turn. Its cause is then
// [context.DeadlineExceeded].
func (s *session) bounded(parent context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	begun := time.Now()
	var timer *time.Timer
	armed := make(chan struct{})
	timer = time.AfterFunc(min(most, s.greetingTimeout()), func() {
		<-armed
		if left := s.timeLeft(most, begun); left > 0 {
			timer.Reset(left)
			return
		}
		cancel(context.DeadlineExceeded)
	})
	close(armed)
	return ctx, func() {
		timer.Stop()
		cancel(context.Canceled)
	}
}
