package fingerprint

import (
	"bytes"
	"slices"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// unsettled reports whether the dialogue was refused temporarily, cut off, or not
// finished in its time.
func (s *session) unsettled() bool {
	if s.inner != nil {
		return s.inner.unsettled()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch why, _ := s.inconclusive(); why {
	case result.InconclusiveRefused, result.InconclusiveCutOff, result.InconclusiveHandshake, result.InconclusiveUnfinished:
		return true
	}
	return false
}

// settled reports whether the dialogue shows what answers, or why that is unknown.
func (s *session) settled() bool {
	if s.inner != nil {
		return s.inner.settled()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	why, _ := s.inconclusive()
	return why == ""
}

// unproductive reports whether the port replied to nothing, sent a reply that did not
// end, or took long to refuse.
func (s *session) unproductive() bool {
	if s.inner != nil {
		return s.inner.unproductive()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	why, _ := s.inconclusive()
	return why == result.InconclusiveNoReply || why == result.InconclusiveUnfinished ||
		why == result.InconclusiveRefused && s.exchanges[signatures.Greeting].First > maxSlowness
}

// inconclusive returns why the dialogue does not show what answers, "" if it does, and
// the reply that refused or was cut off. Codes and positions decide, never words. The
// caller holds the lock.
func (s *session) inconclusive() (result.Inconclusive, []byte) {
	g := s.exchanges[signatures.Greeting]
	if s.silentThroughout() && s.unacked {
		return result.InconclusiveUnacknowledged, nil
	}
	if s.silentThroughout() {
		return result.InconclusiveNoReply, nil
	}
	if s.resetThroughout() {
		return result.InconclusiveCutOff, nil
	}
	if g == nil || len(g.Reply) == 0 {
		return s.greetedElsewhere()
	}
	if refusesForNow(g.Reply) {
		if s.observed(proxyExpected) {
			return "", nil // the header that it expects did not come
		}
		return result.InconclusiveRefused, g.Reply
	}
	if why := brokenOff(g.Reply, g.End, until("greeting", nil)(g.Reply)); why != "" {
		if best := s.best(); best != nil && best.Confidence >= plain {
			return "", nil // it speaks another protocol, without lines
		}
		return why, g.Reply
	}
	if g.Reply[0] == '5' {
		return "", nil // refused permanently (RFC 5321, Section 3.1)
	}
	return s.commandsRefused()
}

// greetedElsewhere is for a port that did not greet on the first connection. If
// another connection had the greeting of a mail protocol, and the product is still
// unknown, the port serves some connections and lets others wait: there was no real
// dialogue. The same holds for TLS that fails here, for example because of ancient
// ciphers. A port that requires a client certificate refuses unauthenticated clients,
// which is conclusive. The caller holds the lock.
func (s *session) greetedElsewhere() (result.Inconclusive, []byte) {
	if s.best() != nil {
		return "", nil
	}
	for _, ex := range s.order {
		if greets(skipBlank(ex.Reply)) {
			return result.InconclusiveUnfinished, ex.Reply
		}
		if unfollowed(ex) {
			return result.InconclusiveHandshake, nil
		}
	}
	if s.alerted {
		return result.InconclusiveHandshake, nil
	}
	return "", nil
}

// unfollowed reports whether the port spoke TLS and our side gave up, for example
// because of an invalid certificate.
func unfollowed(ex *Exchange) bool {
	return ex.Handshake == signatures.HandshakeFailed && ex.End == signatures.EndError && !ex.Incomplete
}

// greets reports whether a reply begins like the greetings of mail protocols: with 220
// (RFC 5321, Section 4.2), +OK (RFC 1939, Section 4) or * OK (RFC 3501, Section
// 7.1.1).
func greets(reply []byte) bool {
	for _, begin := range []string{"220 ", "220-", "+OK ", "* OK "} {
		if bytes.HasPrefix(reply, []byte(begin)) {
			return true
		}
	}
	return false
}

// proxyExpected is the observation of a daemon that requires a PROXY header first. It
// refuses connections without one.
const proxyExpected = "proxy-expected"

// observed reports whether an observation matches. The caller holds the lock.
func (s *session) observed(id string) bool {
	return slices.ContainsFunc(s.id.Signatures.Observations, func(o *signatures.Observation) bool {
		return o.ID == id && signatures.All(o.When, s) == signatures.True
	})
}

// silentThroughout reports whether the port said nothing on any connection, and ended
// none before we did.
func (s *session) silentThroughout() bool {
	return !slices.ContainsFunc(s.order, func(ex *Exchange) bool {
		return len(ex.Reply) > 0 || len(ex.Greeting) > 0 || ex.Handshake == signatures.HandshakeComplete || unfollowed(ex) ||
			ex.HungUp() || ex.End == signatures.EndReply || ex.End == signatures.EndLimit
	})
}

// resetThroughout reports whether the port reset each connection before it had said
// anything. A daemon's own access list closes connections; a reset comes from a limit
// or a device on the path, or the daemon behind it is down. The caller holds the lock.
func (s *session) resetThroughout() bool {
	return len(s.order) > 0 && !slices.ContainsFunc(s.order, func(ex *Exchange) bool {
		return ex.End != signatures.EndReset || len(ex.Reply) > 0 || len(ex.Greeting) > 0 || ex.Handshake == signatures.HandshakeComplete
	})
}

// commandsRefused examines the first command after the greeting that was not refused
// permanently. The caller holds the lock.
func (s *session) commandsRefused() (result.Inconclusive, []byte) {
	for _, ex := range s.order {
		p := s.id.Signatures.Probe(ex.Probe)
		if p == nil || p.Connection != signatures.FirstConnection {
			continue
		}
		if refusesCommand(ex.Reply) {
			return result.InconclusiveRefused, ex.Reply
		}
		if ex.End == signatures.EndReply && bytes.HasPrefix(ex.Reply, []byte("5")) {
			continue
		}
		verdict := begun
		if len(ex.Reply) > 0 {
			verdict = until(p.Read.Until, ex.Sent)(ex.Reply)
		}
		return brokenOff(ex.Reply, ex.End, verdict), ex.Reply
	}
	if s.timedOut {
		return result.InconclusiveUnfinished, nil
	}
	return "", nil
}

// brokenOff returns whether a reply ended before it was complete, and how.
func brokenOff(reply []byte, end string, v verdict) result.Inconclusive {
	if v == done || v == maybe || end == signatures.EndReply || v == partialLine && !bytes.ContainsFunc(reply, isText) {
		return ""
	}
	switch end {
	case signatures.EndSilence, signatures.EndLimit:
		return result.InconclusiveUnfinished
	}
	return result.InconclusiveCutOff
}

// isText reports whether a character occurs in the lines of mail protocols.
func isText(r rune) bool { return r >= ' ' && r < 0x7f }

// refusesForNow reports whether a greeting refuses the client temporarily: a code of
// 4yz (RFC 5321, Section 4.2.1), -ERR (RFC 1939, Section 3, which has no such
// greeting), BYE (RFC 3501, Section 7.1.5, and RFC 5804, Section 1.2).
func refusesForNow(reply []byte) bool {
	if is, _ := code(reply[:min(len(reply), 4)]); is {
		return reply[0] == '4'
	}
	for _, begin := range []string{"-ERR", "* BYE", "BYE", "NO"} {
		if rest, ok := bytes.CutPrefix(reply, []byte(begin)); ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\r' || rest[0] == '\n') {
			return true
		}
	}
	return false
}

// refusesCommand reports whether the reply to a command says that the service is
// not available now: 421 (RFC 5321, Section 3.8) or BYE (RFC 3501, Section 7.1.5).
func refusesCommand(reply []byte) bool {
	return bytes.HasPrefix(reply, []byte("421")) || bytes.HasPrefix(reply, []byte("* BYE"))
}
