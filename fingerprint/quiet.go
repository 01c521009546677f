package fingerprint

import (
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
	if !s.mayAskQuiet() || s.skips(p) {
		return false
	}
	g := s.exchanges[signatures.Greeting]
	if g == nil {
		return signatures.All(p.After, s) != signatures.False
	}
	return len(g.Reply) == 0 && g.End == signatures.EndSilence && signatures.All(p.After, s) != signatures.False
}

// mayAskQuiet reports whether any more probes may be sent to a port that is
// silent so far.
func (s *session) mayAskQuiet() bool {
	return !s.greetingOnly && !s.quietOver && !s.heard && time.Since(s.begun) <= s.quietUntil()
}

// suggestsQuiet reports whether the port number suggests a question for silent ports.
func (s *session) suggestsQuiet() bool {
	return slices.ContainsFunc(s.id.Signatures.Probes, func(p *signatures.Probe) bool { return p.Quiet > 0 && s.hints[p.ID] })
}

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
	case s.calm && !s.mute():
		return calmTime + s.waited()
	case s.calm:
		return calmMute + s.waited()
	case s.second:
		return 6*silentGrace + s.waited()
	}
	return s.greetingWait() + silentGrace + s.waited() + quietRounds*s.host.resendTime() + min(3*s.host.slow(), 2*silentGrace) + quietTrips*s.rtt
}

// untilQuiet returns how long a probe for silent ports must still wait; for any
// other probe, how long until the usual time of a greeting is over.
func (s *session) untilQuiet(p *signatures.Probe) time.Duration {
	if p.Quiet == 0 && s.spoken {
		return 0
	}
	if p.Quiet == 0 {
		return s.greetingWait() - time.Since(s.begun)
	}
	quiet := p.Quiet
	if s.hints[p.ID] || s.second {
		quiet /= 4
	}
	return max(quiet, 3*s.rtt) - time.Since(s.begun)
}

// untilQuietOver returns how long until the probing of a silent port ends.
func (s *session) untilQuietOver() time.Duration {
	if s.greeted() || s.heard || s.running == 0 || s.quietOver {
		return 0
	}
	left := s.quietEnd() - time.Since(s.begun)
	if s.spokeLocked() {
		return 0
	}
	return max(left, time.Millisecond)
}

// spokeLocked reports whether the port sent anything at all. The caller holds the
// lock.
func (s *session) spokeLocked() bool {
	return slices.ContainsFunc(s.order, func(ex *Exchange) bool { return len(ex.Reply) > 0 })
}
