package fingerprint

import (
	"context"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

// greeted reports whether there is a greeting after which the dialogue can
// continue.
func (s *session) greeted() bool {
	g := s.exchanges[signatures.Greeting]
	return g != nil && g.End == signatures.EndReply && len(g.Reply) > 0
}

// mayBeQuiet reports whether a probe for silent ports may still be sent.
func (s *session) mayBeQuiet(p *signatures.Probe) bool {
	if s.asked[p.ID] {
		return s.running > 0
	}
	if !s.mayAskQuiet() || s.skips(p) || s.spares(p) {
		return false
	}
	g := s.exchanges[signatures.Greeting]
	if g == nil {
		return signatures.All(p.After, s) != signatures.False
	}
	return neverGreets(g) && signatures.All(p.After, s) != signatures.False
}

// neverGreets reports whether a port was silent until the wait for its greeting was over,
// or until it closed the connection after a time limit of its own.
func neverGreets(g *Exchange) bool {
	return len(g.Reply) == 0 && (g.End == signatures.EndSilence || g.End == signatures.EndClosed && g.Took > maxSlowness)
}

// mayAskQuiet reports whether any more probes may be sent to a port that is
// silent so far.
func (s *session) mayAskQuiet() bool {
	return !s.greetingOnly && !s.quietOver && !s.greetingBegun && time.Since(s.begun) <= s.quietUntil()
}

// suggestsQuiet reports whether the port number suggests a question for silent ports that
// may be asked in the layer of the session: inside TLS, a port of HTTPS suggests none.
func (s *session) suggestsQuiet() bool {
	return slices.ContainsFunc(s.id.Signatures.Probes, func(p *signatures.Probe) bool {
		return p.Quiet > 0 && s.hints[p.ID] && (p.Layer != signatures.LayerClear || s.layer == layer{})
	})
}

// unnamed reports whether the port number suggests neither a greeting nor a question, so
// that nothing is known about the port before it is asked.
func (s *session) unnamed() bool { return !s.greets && !s.suggestsQuiet() }

// quietUntil is the time after which a silent port is asked nothing more.
// One that answers some questions, but slowly, is given time for the rest.
func (s *session) quietUntil() time.Duration {
	until := s.quietEnd() - silentGrace/2
	if s.slowest > 0 {
		until += silentGrace + min(quietTrips*s.slowest/2, 2*maxSlowPort)
	}
	return until
}

// quietEnd returns the time after which replies of a silent port are no longer
// waited for. It is later on a slow host, because all probes take longer.
func (s *session) quietEnd() time.Duration {
	switch {
	case s.calm && !s.repliedToNothing():
		return calmTime + s.waited()
	case s.calm:
		return calmMute + s.waited()
	case s.second:
		return 6*silentGrace + s.waited()
	}
	usual := s.greetingWait() + silentGrace
	if (s.greets || s.suggestsQuiet()) && !s.second && !s.host.holdsUp() {
		usual = max(usual, s.greetingTimeout()) // the questions came late
	}
	if s.oneByOne {
		usual += maxRetryTime
	}
	return usual + s.waited() + quietRounds*s.host.resendTime() + min(3*s.host.slow(), 2*silentGrace) + quietTrips*s.rtt
}

// untilQuietOver returns how long until the probing of a silent port ends.
func (s *session) untilQuietOver() time.Duration {
	if s.greeted() || s.greetingBegun || s.running == 0 || s.quietOver {
		return 0
	}
	left := s.quietEnd() - time.Since(s.begun)
	if s.repliedLocked() {
		return 0
	}
	return max(left, time.Millisecond)
}

// repliedLocked reports whether the port sent anything at all. The caller holds the
// lock.
func (s *session) repliedLocked() bool {
	return slices.ContainsFunc(s.order, func(ex *Exchange) bool { return len(ex.Reply) > 0 })
}

// expects records what the number of the port suggests: that it greets, and which
// questions name it.
func (s *session) expects() {
	for _, p := range s.id.Signatures.Probes {
		switch {
		case !slices.Contains(p.Ports, s.target.Port()):
		case p.ID == signatures.Greeting:
			s.greets = true
		default:
			s.hints[p.ID] = true
		}
	}
}

// untilQuiet is how long a probe for silent ports must still wait, and any other until
// no greeting has come in its usual time.
//
// A mail daemon that greets late logs such a question, or refuses who sends something
// before its greeting. Where a greeting is likely, only what the port number suggests is
// asked before the time for it is over; where nothing is known, two connections must have
// been silent ([session.provesSilence]).
func (s *session) untilQuiet(p *signatures.Probe) time.Duration {
	if s.exchanges[signatures.Greeting] != nil || p.Quiet == 0 && s.greetingDecided {
		return 0
	}
	return s.quietFor(p) - time.Since(s.begun)
}

// quietFor is how long a port must have been silent before a probe is sent.
func (s *session) quietFor(p *signatures.Probe) time.Duration {
	quiet := max(p.Quiet, earlyFactor*s.host.slow())
	switch {
	case p.Quiet == 0:
		return s.greetingWait()
	case s.second && !s.greets, s.listened:
		quiet = p.Quiet / 4
	case s.hints[p.ID] && (!s.greets || p.Enters != nil):
		quiet /= 4
	case s.greets && !s.repliedLocked():
		quiet = s.greetingWait()
	case s.suggestsQuiet() && s.repliedToNothing() && !s.host.holdsUp():
		quiet = s.greetingWait() + 2*aloneWait // by then it was asked alone
	}
	return max(quiet, 3*s.rtt)
}

// unproven reports whether a probe needs a second silence of the port, which is not known
// yet. The caller holds the lock.
func (s *session) unproven(p *signatures.Probe) bool {
	return p.Quiet > 0 && !s.twice && !s.second && s.unnamed() &&
		!s.greetingDecided && !s.repliedLocked() && !s.host.holdsUp()
}

// resumes reports whether the port was listened to in an earlier dialogue, and has not
// been in this one. The caller holds the lock.
func (s *session) resumes() bool {
	return s.calm && s.first == nil && s.greetingDecided && !s.twice && !s.repliedLocked()
}

// provesSilence listens on the connection of the first question to a silent port, before
// that is sent. It reports whether the question may be sent.
func (s *session) provesSilence(ctx context.Context, w *wire, p *signatures.Probe) bool {
	if p.Quiet == 0 {
		return true
	}
	s.mu.Lock()
	unproven, quiet := s.unproven(p), s.quietFor(p)
	if s.resumes() {
		unproven, quiet = true, s.greetingWait()
	}
	s.mu.Unlock()
	var got []byte
	if unproven {
		stop := s.watch(w)
		got, _, _, _ = w.read(ctx, until("bytes", nil), quiet)
		stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proving == p.ID {
		s.proving = ""
		s.wake()
	}
	switch {
	case ctx.Err() != nil || s.greetingBegun:
		return false
	case len(got) > 0: // it greets, but not on the first connection: see [Identifier.again]
		if s.resumes() {
			w.unread = got
		}
		s.greets, s.greetingOnly = true, true
		s.host.answered(s.target.Port(), 0)
		return false
	}
	s.twice = true
	if unproven {
		s.questions[p.ID] = time.Now() // which is sent now
	}
	return true
}

// cutShort ends waits that are no longer useful: for the greeting of a port that
// replies to probes, and for replies when the time for probing a silent port is
// over; then only the greeting is waited for.
func (s *session) cutShort() {
	if !s.greeted() && !s.greetingBegun && !s.repliedLocked() && time.Since(s.begun) >= s.quietEnd() {
		s.quietOver = true
		if time.Since(s.begun) >= s.greetingTimeout() || s.second || !s.repliedToNothing() {
			s.stop()
			return
		}
		if !s.greetingDecided {
			s.detach()
		}
	}
	if !s.greetingDecided && s.silence != nil && s.answered() {
		s.silence()
	}
}

// unresponsive reports whether the port greeted and left a question without a reply, on
// a host where many ports hold up: another question would take as long. The caller
// holds the lock.
func (s *session) unresponsive() bool {
	return s.running == 0 && s.greeted() && s.host.crowded() && slices.ContainsFunc(s.order, func(ex *Exchange) bool {
		return len(ex.Sent) > 0 && len(ex.Reply) == 0 && ex.End == signatures.EndSilence
	})
}

// answered reports whether a probe of a silent port got a reply that makes a
// greeting unlikely.
func (s *session) answered() bool {
	if best := s.best(); best != nil && best.Confidence >= plain {
		return true
	}
	return slices.ContainsFunc(s.order, func(ex *Exchange) bool {
		return len(ex.Reply) > 0 && !ex.Echo() && !likeGreeting(ex.Reply)
	})
}
