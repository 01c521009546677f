package fingerprint

import (
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

// greetingWait returns the wait for the greeting.
func (s *session) greetingWait() time.Duration {
	switch {
	case s.calm && !s.listened:
		return calmWait
	case s.second:
		return max(retryGreetingWait, 2*s.host.slow())
	}
	p := s.id.Signatures.Probe(signatures.Greeting)
	return orDefault(s.id.GreetingWait, p.Read.Wait) + s.rtt
}

// listenWait returns the wait for the greeting on the first connection, as known now:
// longer if the port replied to nothing.
func (s *session) listenWait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.second || !s.mute() {
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

// mute reports whether the port replied to nothing so far. Closing the connection is a
// reply; what looks like a late greeting, on the connection of a question, is none.
func (s *session) mute() bool {
	return !slices.ContainsFunc(s.order, func(ex *Exchange) bool {
		return len(ex.Reply) > 0 && !likeGreeting(ex.Reply) || ex.Handshake == signatures.HandshakeComplete ||
			ex.End == signatures.EndClosed || ex.End == signatures.EndReset || ex.End == signatures.EndLimit
	})
}
