package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/dialer"
	"github.com/mxsweep/mxsweep/signatures"
)

const (
	// calmTime is the time limit of the dialogues of [Identifier.Again].
	calmTime = 20 * time.Second
	// calmMute is the time after which it gives up on a port that replied to nothing.
	calmMute = 10 * time.Second
	// calmWait is the wait for the greeting, and for a reply while the speed of the
	// port is unknown.
	calmWait = 2500 * time.Millisecond
	// calmConns is its maximum number of connections.
	calmConns = 8
)

// Doubtful reports whether a port may say more than svc, which [Identifier.Identify]
// returned for it, once no other dialogue is under way: it refused, closed the
// connection early or could not be connected to, or it said little and its host, this
// machine, or the port itself was slow. A process that is started for each connection
// may take longer than any wait while dozens are started at once, and a daemon that
// serves one or two clients at a time is silent to a question while our other
// connections to it are open.
func (id *Identifier) Doubtful(addr netip.Addr, svc *Identification) bool {
	switch svc.Inconclusive {
	case result.InconclusiveNoConnection, result.InconclusiveRefused, result.InconclusiveCutOff, result.InconclusiveHandshake:
		return true
	case result.InconclusiveSkipped, result.InconclusiveHostTimeout:
		return false
	case result.InconclusiveUnfinished:
		if len(svc.Banner) > 0 {
			return false // its time is used up
		}
	case "":
		if len(svc.Banner) > 0 || svc.TLS != nil || svc.Product != "" && svc.Confidence >= plain-1 || hungUp(svc) {
			return false
		}
	}
	return svc.slowPort || svc.suggested && svc.Name == "" && svc.Inconclusive == "" || id.late.Load() || id.host(addr).slow() > 0
}

// AgainTime is how long the ports of an address may be asked [Identifier.Again] in all,
// zero if there is no such bound. Where more than fewUnproductive ports give nothing,
// the host is given twice the time for which a silent port is listened to, from its
// first dialogue on, in whatever way they waste it.
func (id *Identifier) AgainTime(addr netip.Addr) time.Duration {
	h := id.host(addr)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unproductiveLocked() <= fewUnproductive {
		return 0
	}
	return max(shortRetrySpent, 2*orDefault(id.GreetingTimeout, DefaultGreetingTimeout)-h.ended.Sub(h.begun))
}

// Again repeats the dialogue with a port that is [Identifier.Doubtful]: one connection
// and one question at a time, with more time for each reply. It returns the Service
// with more information, which is first if the second dialogue found nothing or could
// not connect. No other dialogue with the host should be under way.
func (id *Identifier) Again(ctx context.Context, r scan.Result, first *Identification) *Identification {
	if ctx.Err() != nil || !id.allows(r.Target.Addr()) {
		return first
	}
	left := id.allowance()
	left.conns.Store(calmConns)
	left.time.Add(-int64(first.spent))
	s := newSession(id, id.host(r.Target.Addr()), r.Target, r.RTT, nil, left)
	s.second, s.calm, s.perPort, s.most = true, true, 1, calmTime
	s.listened = first.Inconclusive == result.InconclusiveNoReply
	s.greets = s.greets || len(first.Banner) > 0
	if first.Transcript != nil {
		for i := range first.Transcript.Exchanges {
			s.hintReplied(&first.Transcript.Exchanges[i])
		}
	}
	if s.run(ctx) != nil || ctx.Err() != nil {
		return first
	}
	svc := s.service()
	if svc.Confidence > first.Confidence || svc.Confidence == first.Confidence && first.Inconclusive != "" && svc.Inconclusive == "" {
		return svc
	}
	return first
}

// hintReplied moves a question that had a reply in an earlier dialogue to the front,
// like those that name the port. Questions without a reply must have no entry, which
// would also move them to the front.
func (s *session) hintReplied(ex *Exchange) {
	if len(ex.Reply) > 0 {
		s.hints[ex.Probe] = true
	}
}

// retryConnect tries once more to connect to a port, with no other connection open to
// its host, and then runs the dialogue. The error says why it failed.
func (id *Identifier) retryConnect(ctx context.Context, s *session, r scan.Result, err error) (*session, error) {
	if dialer.Exhausted(err) {
		return s, err
	}
	conn, err := s.connectAlone(ctx, r, err)
	if err != nil {
		return s, err
	}
	second := newSession(id, s.host, r.Target, r.RTT, conn, s.left)
	second.idle = s.idle
	return second, second.run(ctx)
}

// connectAlone connects with no other connection open to the host. The other retries of
// the host wait for that, not for the dialogue. Where there is no time for it, the error is
// that of the connection before.
func (s *session) connectAlone(ctx context.Context, r scan.Result, before error) (net.Conn, error) {
	if _, ok := s.lockRetry(ctx); !ok {
		return nil, before
	}
	defer s.host.unlockRetry(time.Now())
	s.host.idle(ctx, maxIdle)
	return s.id.connectPaced(ctx, r)
}

// retryTalk repeats a dialogue that found nothing, with no other connection open to
// the host, and returns the session with more information: the first, if the second
// finds nothing either, perhaps for lack of time. A port that sends its replies byte
// by byte is not repeated, because less time would not suffice. Ports whose greeting
// began and did not end had a process for us: on a host with few such ports they are
// repeated side by side, because four in turn make a run twice as long as one does.
func (id *Identifier) retryTalk(ctx context.Context, s *session, r scan.Result) *session {
	if s.left.drips.Load() <= 0 || s.shortened {
		return s
	}
	most := s.retryTime()
	if !s.trickles() || !s.host.fewHeldUp() {
		left, ok := s.lockRetry(ctx)
		if !ok {
			return s
		}
		defer s.host.unlockRetry(time.Now())
		s.host.idle(ctx, maxIdle)
		most = min(most, max(left, retryGreetingWait))
	}
	second := newSession(id, s.host, r.Target, r.RTT, nil, s.left)
	second.idle, second.perPort, second.most = s.idle, 1, most
	second.greets = second.greets || s.greetingBegun
	if second.run(ctx) != nil || second.confidence() < s.confidence() ||
		!second.settled() && second.confidence() == s.confidence() {
		return s
	}
	return second
}

// lockRetry locks the retries of the host. While the port waits there, another may
// begin a first dialogue.
func (s *session) lockRetry(ctx context.Context) (left time.Duration, ok bool) {
	if s.idle != nil {
		s.mu.Lock()
		silent := s.saysNothing() // so is one that cannot be connected to
		s.mu.Unlock()
		s.idle(silent)
	}
	return s.host.lockRetry(ctx)
}

// maxRetryTime is the time limit of the second dialogue of retryTalk. The other ports
// of the host do not wait for it, but its other retries do.
const maxRetryTime = 10 * time.Second

// keptTime is how much of the time of a port the second dialogue of retryTalk leaves
// for [Identifier.Again].
const keptTime = 5 * time.Second

// retryTime is the time limit of the second dialogue of retryTalk. It is shorter for a
// port whose reply did not end: a daemon that was only slow completes its greeting at
// once.
func (s *session) retryTime() time.Duration {
	if s.trickles() {
		return leastTime
	}
	left := time.Duration(s.left.time.Load()) - keptTime
	return min(max(left, leastTime), maxRetryTime)
}

// trickles reports whether the greeting began and did not end.
func (s *session) trickles() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.exchanges[signatures.Greeting]
	return g != nil && len(g.Reply) > 0 && (g.End == signatures.EndSilence || g.End == signatures.EndLimit)
}

// again repeats the dialogue if the first one may have failed for lack of time, and
// returns the session with more information.
//
// A daemon whose few children were all in dialogues with us accepts connections and
// answers none, so a silent port of a host that speaks is listened to alone. A host
// that answers slowly is asked the answered questions again, and then the rest, with
// the connections that the port has left. A dialogue that was refused temporarily, cut
// off or not finished in its time is repeated alone. Connections that were closed or
// reset immediately count as a refusal only after refusals in a row: they may have
// waited too long, or the daemon had no room for them.
func (id *Identifier) again(ctx context.Context, s *session, r scan.Result) *session {
	h := s.host
	if s.left.conns.Load() <= 0 {
		return s
	}
	if s.refused() {
		return id.askRefused(ctx, s, r)
	}
	if s.unsettled() {
		return id.retryTalk(ctx, s, r)
	}
	slow := h.slow() > 0 && s.weak() && !h.crowded()
	if !slow && !(s.silent() && h.replied()) {
		return s
	}
	second := newSession(id, h, r.Target, r.RTT, nil, s.left)
	second.second, second.greetingOnly = true, !slow
	for _, ex := range s.order {
		second.hintReplied(ex)
	}
	if !slow {
		if _, ok := s.lockRetry(ctx); !ok {
			return s
		}
		defer h.unlockRetry(time.Now())
		h.idle(ctx, time.Second)
		second.perPort = 1
	}
	if second.run(ctx) != nil || second.confidence() <= s.confidence() {
		return s
	}
	return second
}

// refusals is how many connections in a row must be closed or reset immediately before
// the port counts as refusing. A load balancer before several daemons, and a limit of
// connections, refuse some and serve others.
const refusals = 3

// askRefused connects again to a port that closed or reset the connection immediately,
// and returns the last dialogue, or the first that was not refused.
func (id *Identifier) askRefused(ctx context.Context, s *session, r scan.Result) *session {
	for i := 1; i < refusals && s.refused() && s.left.conns.Load() > 0; i++ {
		next := newSession(id, s.host, r.Target, r.RTT, nil, s.left)
		if next.run(ctx) != nil {
			break
		}
		s = next
	}
	return s
}
