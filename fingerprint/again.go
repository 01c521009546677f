package fingerprint

import (
	"context"
	"math"
	"net"
	"net/netip"
	"slices"
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
		if len(svc.Banner) > 0 || svc.TLS != nil || svc.Product != "" && (svc.ProtocolConfidence() >= plain-1 || !svc.unheard) || hungUp(svc) {
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

// Again goes on with the dialogue with a port that is [Identifier.Doubtful]: one
// connection and one question at a time, with more time for each reply, and with the
// connections that the first dialogue left. It returns the Service with more
// information, which is first if the second dialogue found nothing or could not connect.
// No other dialogue with the host should be under way.
func (id *Identifier) Again(ctx context.Context, r scan.Result, first *Identification) *Identification {
	if ctx.Err() != nil || !id.allows(r.Target.Addr()) {
		return first
	}
	left := first.left
	if left == nil {
		left = id.allowance()
	}
	if left.conns.Load() <= 0 {
		return first
	}
	s := newSession(id, id.host(r.Target.Addr()), r.Target, r.RTT, nil, left)
	s.second, s.calm, s.perPort, s.most = true, true, 1, calmTime
	s.listened = first.Inconclusive == result.InconclusiveNoReply
	s.greets = s.greets || len(first.Banner) > 0
	if first.Transcript != nil {
		for i := range first.Transcript.Exchanges {
			s.hintReplied(&first.Transcript.Exchanges[i])
		}
	}
	s.resume(first)
	if s.run(ctx) != nil || ctx.Err() != nil {
		return first
	}
	svc := s.service()
	svc.left = left
	if svc.saysMore(first) {
		return svc
	}
	return first
}

// saysMore reports whether the result of a second dialogue is the better one.
func (i *Identification) saysMore(first *Identification) bool {
	if is, was := i.ProtocolConfidence(), first.ProtocolConfidence(); is != was {
		return is > was
	}
	return first.Inconclusive != "" && i.Inconclusive == "" || first.Product == "" && i.Product != ""
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
	if second.run(ctx) != nil || second.confidence() < s.confidence() {
		return s
	}
	whole := second.settled() && s.left.conns.Load() > 0 // else it may lack what the first one has
	if !whole && second.confidence() == s.confidence() {
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
	if s.leaves() {
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

// heard is what a session has heard, where silence shows nothing: an answer may still
// have been under way.
type heard struct{ *session }

// Exchange makes it a signatures.Seen.
func (h heard) Exchange(id string) (*Exchange, bool) {
	ex, pending := h.session.Exchange(id)
	if ex != nil && ex.Probe != signatures.Greeting && ex.End == signatures.EndSilence && len(ex.Reply) == 0 {
		return nil, true
	}
	return ex, pending
}

// unheard reports whether an answer that did not come could have given a surer name than
// the best signature, which is nil if there is none. The caller holds the lock.
func (s *session) unheard(best *signatures.Signature) bool {
	return slices.ContainsFunc(s.id.Signatures.Signatures, func(sig *signatures.Signature) bool {
		return (best == nil || sig.Confidence > best.Confidence) && sig.Match(heard{s}) == signatures.Unknown
	})
}

// resume makes the session go on where an earlier dialogue with the port ended: what was
// answered clearly is not asked again, and a port that was listened to, or that answers
// what a silent port is asked, needs no connection for its greeting.
func (s *session) resume(first *Identification) {
	if first.Transcript == nil || len(first.Banner) > 0 || first.TLS != nil ||
		!slices.Contains([]result.Inconclusive{"", result.InconclusiveNoReply}, first.Inconclusive) {
		return
	}
	greeting := first.Transcript.Find(signatures.Greeting)
	if greeting == nil || !neverGreets(greeting) {
		return
	}
	speaks, enough := false, first.silenceCounts()
	for i := range first.Transcript.Exchanges {
		ex := &first.Transcript.Exchanges[i]
		if p := s.id.Signatures.Probe(ex.Probe); p == nil || p.Quiet == 0 || ex.TLS || ex.Proxied || likeGreeting(ex.Reply) {
			continue
		}
		if reliable(ex, enough) {
			s.remember(ex)
			speaks = speaks || len(ex.Reply) > 0
		}
	}
	if speaks || !s.greets && greeting.Took >= s.id.greetingWait() {
		s.listened = true
		s.remember(greeting)
		s.greetingDecided = true
	}
}

// soon is how long the end of a connection may take that names a daemon by hanging up at
// once: no signature allows more on a loaded machine.
const soon = 1200 * time.Millisecond

// reliable reports whether an exchange can be relied on that took place beside others: it
// was answered and is known completely, its connection was closed soon, or it had so much
// time that its silence counts.
func reliable(ex *Exchange, enough time.Duration) bool {
	switch {
	case ex.Incomplete || len(ex.Reply) >= maxKept:
		return false
	case len(ex.Reply) > 0:
		return true
	case ex.End == signatures.EndSilence:
		return ex.Took >= enough
	}
	return (ex.End == signatures.EndClosed || ex.End == signatures.EndReset) && ex.Took <= soon
}

// silenceCounts returns after what time a silence counts: on a host and a machine that
// are quick, after earlyFactor times the slowest answer that there was.
func (i *Identification) silenceCounts() time.Duration {
	var slowest time.Duration
	for k := range i.Transcript.Exchanges {
		if ex := &i.Transcript.Exchanges[k]; ex.Probe != signatures.Greeting {
			slowest = max(slowest, latency(ex))
		}
	}
	if i.slow || slowest == 0 {
		return math.MaxInt64
	}
	return earlyFactor * slowest
}

// remember adds an exchange of an earlier dialogue.
func (s *session) remember(ex *Exchange) {
	known := *ex
	known.Remember(true)
	s.asked[ex.Probe], s.exchanges[ex.Probe] = true, &known
	s.order = append(s.order, &known)
}

// greetsInstead reports whether the port, which did not greet in an earlier dialogue, greets on the
// connection of a question that has not been sent: then that is the first connection.
func (s *session) greetsInstead(w *wire, p *signatures.Probe) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(w.unread) == 0 {
		return false
	}
	s.order = slices.DeleteFunc(s.order, func(ex *Exchange) bool { return ex.Probe == signatures.Greeting })
	delete(s.exchanges, signatures.Greeting)
	delete(s.asked, p.ID)
	s.greetingDecided, s.greetingOnly = false, false
	return true
}
