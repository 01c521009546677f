package fingerprint

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// greetingWait returns the wait for the greeting.
func (s *session) greetingWait() time.Duration {
	switch {
	case s.calm && !s.listened && !s.greets:
		return calmWait
	case s.second && (!s.calm || s.listened):
		return max(retryGreetingWait, 2*s.host.slow())
	}
	return s.id.greetingWait() + s.rtt
}

// greetingWait is the usual wait for a greeting.
func (id *Identifier) greetingWait() time.Duration {
	return orDefault(id.GreetingWait, id.Signatures.Probe(signatures.Greeting).Read.Wait)
}

// listenWait returns the wait for the greeting on the first connection, as known now:
// longer if the port replied to nothing.
func (s *session) listenWait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.second || !s.repliedToNothing() {
		return s.greetingWait()
	}
	return max(s.greetingWait(), s.greetingTimeout())
}

// greetingTimeout returns how long a port that replied to nothing is listened to: not
// longer than the usual wait for a greeting if many others of the host gave no result.
func (s *session) greetingTimeout() time.Duration {
	if s.host.crowded() {
		return s.greetingWait()
	}
	return orDefault(s.id.GreetingTimeout, DefaultGreetingTimeout) + s.rtt
}

// repliedToNothing reports whether the port replied to nothing so far. Ending the
// connection before we do is a reply; what looks like a late greeting, on the connection
// of a question, is none.
func (s *session) repliedToNothing() bool {
	return !slices.ContainsFunc(s.order, func(ex *Exchange) bool {
		return len(ex.Reply) > 0 && !likeGreeting(ex.Reply) || ex.Handshake == signatures.HandshakeComplete ||
			ex.HungUp() || ex.End == signatures.EndLimit
	})
}

// saysNothing reports whether the port replied to nothing so far, and its greeting
// has not begun. The caller holds the lock.
func (s *session) saysNothing() bool { return !s.greetingBegun && s.repliedToNothing() }

// listen waits for the greeting on the first connection.
func (s *session) listen(ctx context.Context, w *wire) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.silence, s.first = cancel, w
	s.mu.Unlock()
	defer s.watch(w)()
	w.onFirstByte, w.latest = s.beginGreeting, time.Now().Add(max(s.greetingWait(), s.greetingTimeout()))
	if len(w.unread) > 0 {
		s.beginGreeting()
	}
	ex, start := &Exchange{Probe: signatures.Greeting}, time.Now()
	var asked *signatures.Probe
	for _, wait := range []func() time.Duration{s.greetingWait, s.listenWait} {
		passed := time.Since(start)
		ex.Reply, ex.End, ex.First, _ = w.readWhile(ctx, until("greeting", nil), func() time.Duration { return wait() - passed })
		ex.Took = time.Since(start)
		if ctx.Err() != nil || ex.End != signatures.EndSilence || len(ex.Reply) > 0 {
			break
		}
		if asked == nil {
			asked = s.askAlone(ctx, w)
		}
		if s.servesOne() {
			break
		}
	}
	if asked != nil {
		s.endAlone(ctx, w, ex, asked)
	}
	ex.Reply = skipBlank(ex.Reply)
	s.markIncomplete(ctx, w, ex, "greeting", start)
	w.onFirstByte, w.latest = nil, time.Time{}
	s.mu.Lock()
	s.open[ex.Probe] = ex.End == signatures.EndReply
	s.mu.Unlock()
	s.note(ex)
}

// aloneWait is how long the reply to the last question is waited for. On a slow host
// such a port is asked once more in any case.
const aloneWait = 2 * slowness

// askAlone asks a port that replied to nothing what its number suggests, on the
// connection on which its greeting was waited for: no other is open to it any more, and
// a daemon that serves one connection at a time replies on that one alone. All that a
// reply shows is that the silence before meant nothing: from then on the port has one
// connection at a time. It returns the question, or nil if there was none.
func (s *session) askAlone(ctx context.Context, w *wire) *signatures.Probe {
	s.mu.Lock()
	p := s.aloneProbe()
	s.mu.Unlock()
	if p == nil {
		return nil
	}
	sent := s.fill(w, p.Send)
	w.onFirstByte = nil // which may be one of the answer
	if !w.send(sent) {
		return p
	}
	reply, end, _, _ := w.read(ctx, until(p.Read.Until, sent), aloneWait+2*s.rtt)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.showsOne(ctx, reply, end)
	return p
}

// endAlone ends the connection on which a port was asked alone. What came there later
// than the answer was waited for is the answer, or a greeting.
func (s *session) endAlone(ctx context.Context, w *wire, ex *Exchange, asked *signatures.Probe) {
	if likeGreeting(ex.Reply) {
		s.beginGreeting()
	} else {
		s.mu.Lock()
		s.showsOne(ctx, ex.Reply, ex.End)
		s.mu.Unlock()
		ex.Reply, ex.End = nil, signatures.EndSilence
	}
	w.send(asked.Close)
	w.gone = true // the answer may still come
}

// showsOne notes that a port serves one connection at a time, if it reacted to a question
// that it was asked alone. The caller holds the lock.
func (s *session) showsOne(ctx context.Context, reply []byte, end string) {
	if s.oneByOne || ctx.Err() != nil || len(reply) == 0 && end != signatures.EndClosed && end != signatures.EndReset {
		return
	}
	s.oneByOne, s.perPort = true, 1
	s.retrySilent(func(*Exchange) bool { return true })
}

// servesOne reports whether the port is known to serve one connection at a time.
func (s *session) servesOne() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.oneByOne
}

// aloneProbe returns the first question that the port number suggests and that may be
// asked, if the port replied to nothing and has no other connection, and nil otherwise.
// The caller holds the lock.
func (s *session) aloneProbe() *signatures.Probe {
	if s.oneByOne || s.second || s.id.Record || s.running > 1 || s.layer != (layer{}) || !s.repliedToNothing() || s.host.crowded() {
		return nil
	}
	for _, p := range s.id.Signatures.Probes {
		if s.hints[p.ID] && p.Quiet > 0 && p.Enters == nil && s.couldHaveCome(p) && signatures.All(p.After, s) == signatures.True {
			return p
		}
	}
	return nil
}

// beginGreeting notes that the greeting has begun, so that it is no longer asked
// what silent ports are asked.
func (s *session) beginGreeting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.greetingBegun, s.quietOver = true, false
	if s.noteTrickling(); s.waitedFor {
		s.host.noteSlow(s.target.Port(), false)
	}
	if s.detached && s.idle != nil {
		s.idle(false)
	}
	s.wake()
}

// begins waits for the greeting on a further connection, if the port has one. It
// reports whether the probe can be sent.
func (s *session) begins(ctx context.Context, w *wire, p *signatures.Probe) bool {
	s.mu.Lock()
	greets, usual := s.greeted(), s.exchanges[signatures.Greeting]
	s.mu.Unlock()
	if !greets || p.Quiet > 0 {
		return true
	}
	defer s.watch(w)()
	got, end, first, took := s.readReply(ctx, w, until("greeting", nil), func() time.Duration { return max(s.greetingWait(), usual.Took+usual.Took/2) })
	got = skipBlank(got)
	// Another greeting than the first, such as "too many connections", begins another
	// dialogue.
	if end == signatures.EndReply && got[0] == usual.Reply[0] {
		w.before = got
		s.mu.Lock()
		s.open[p.ID] = true
		s.mu.Unlock()
		return true
	}
	s.note(&Exchange{Probe: p.ID, Greeting: got, End: signatures.EndError, Incomplete: s.host.resendTime() > 0, First: first, Took: took})
	return false
}

// lateLook is how much longer a busy machine waits to see whether a port greets.
const lateLook = 4

// Greets reports whether an open port sends something unprompted within wait, counted
// from its connection. It takes ownership of r.Conn and closes it; without one it
// connects. Nothing is sent, so that the connection soon gives its slot back. A port
// that cannot or must not be connected to does not greet. Where this machine was late
// to read something, the wait is lateLook times as long.
func (id *Identifier) Greets(ctx context.Context, r scan.Result, wait time.Duration) bool {
	conn := bounded(r.Conn, id.NotAfter)
	over := !id.NotAfter.IsZero() && !time.Now().Before(id.NotAfter)
	if over || !id.allows(r.Target.Addr()) || ctx.Err() != nil {
		closeQuietly(conn)
		return false
	}
	if conn == nil {
		var err error
		if conn, err = id.connectPaced(ctx, r); err != nil {
			return false
		}
	}
	defer conn.Close()
	if h := id.host(r.Target.Addr()); h.detach(conn) {
		defer h.endDetached()
	}
	if id.late.Load() {
		wait *= lateLook
	}
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	if conn.SetReadDeadline(time.Now().Add(wait)) != nil || ctx.Err() != nil {
		return false
	}
	n, _ := conn.Read(make([]byte, 1))
	return n > 0
}

// connectPaced opens its own connection to a port, when the rate and the limit of its
// host allow it. It has a host slot until it is closed.
func (id *Identifier) connectPaced(ctx context.Context, r scan.Result) (net.Conn, error) {
	if id.Pace != nil {
		if err := id.Pace(ctx); err != nil {
			return nil, err
		}
	}
	h := id.host(r.Target.Addr())
	if err := h.enter(ctx); err != nil {
		return nil, err
	}
	conn, err := id.connect(ctx, r.Target)
	if err != nil {
		h.leave()
		return nil, err
	}
	h.signs()
	return h.limit.Wrap(r.Target.Addr(), conn), nil
}
