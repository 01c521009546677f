package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

const (
	// silentGrace is how long after the greeting wait a silent port is still
	// probed.
	silentGrace = time.Second

	// retryGreetingWait is how long to wait for the greeting of a silent port in
	// a second dialogue.
	retryGreetingWait = 1200 * time.Millisecond
)

// A layer is what the dialogue runs inside of.
type layer struct {
	tls   bool
	proxy string // PROXY header at the start of every connection, "" if none
}

// A session is the dialogue with one port, inside one layer. Each probe sequence
// runs on a connection of its own and records its results as exchanges; after
// each of them the planner decides what to send next.
type session struct {
	id     *Identifier
	host   *host
	target netip.AddrPort
	rtt    time.Duration
	layer  layer

	perPort      int
	most         time.Duration // maximum duration of the dialogue; zero: what is left for the port
	least        time.Duration // minimum duration even if the port has no time left; zero: leastTime
	second       bool          // the port had a dialogue before
	calm         bool          // and no other dialogue is in progress
	listened     bool          // and the greeting was waited for as long as possible
	greetingOnly bool
	wire         *wire // open connection to begin with, nil if there is none
	conn         net.Conn
	left         *allowance

	paced atomic.Int64 // nanoseconds that connections waited for the rate limit

	mu              sync.Mutex
	begun           time.Time
	delayed         time.Duration // time spent waiting for other ports of the host
	outside         int           // number of probes that wait for them now,
	since           time.Time     // and since when
	order           []*Exchange   // in the order of their end
	exchanges       map[string]*Exchange
	asked           map[string]bool      // probes that were started
	questions       map[string]time.Time // when those to a silent port were
	retried         map[string]bool      // probes that were started a second time
	missed          map[string]bool      // probes to be repeated, because the first reply was not received
	open            map[string]bool      // probes whose connection is kept open
	running         int
	greetingDecided bool                    // whether there is a greeting is known: it arrived, or the wait is over
	slowest         time.Duration           // the slowest first byte of a reply, or end of the connection
	greetingBegun   bool                    // the first byte of a greeting was received
	quietOver       bool                    // a silent port is sent no more probes
	greets          bool                    // its number, or what it said before, makes a greeting likely
	proving         string                  // the question that waits for a second silence, "" if none does
	twice           bool                    // it was observed
	unacked         bool                    // something sent was not acknowledged in its time
	rivals          []*signatures.Signature // that match the received parts of incomplete exchanges, at the end
	lost            bool                    // at the end: some exchange is incomplete
	timedOut        bool                    // the dialogue took all of its time
	tailing         bool                    // a connection finds out what becomes of bytes after its end
	detached        bool                    // the host slot of the first connection was released
	shortened       bool                    // it was given less time than others: see hasShortTime
	overdue         bool                    // the wait for its greeting is longer than detachAfter
	trickling       bool                    // counted by the host as a port whose greeting has begun but is slow
	waitedFor       bool                    // noted by the host as slow
	spared          bool                    // questions were left for another dialogue: see reserved
	oneByOne        bool                    // it was silent only because it serves one connection at a time
	turn            turn                    // to send the probes for silent ports
	entering        int                     // connections that have most likely entered a layer
	asking          int                     // number of such probes in progress
	skipped         bool                    // some were not sent, because other ports of the host gave no result
	inner           *session                // the session inside a layer that was entered
	outer           *session                // what that layer was entered from; nil if there is none
	tlsInfo         *result.TLS
	alerted         bool // the daemon ended a handshake with an alert, and had requested no certificate
	dialErr         error
	localErr        error // why this machine could not send a probe, nil if it could

	alive        []*signatures.Signature // signatures that are not refuted so far
	held         []*signatures.Signature // those of them that match, according to best
	observations []*signatures.Observation
	hints        map[string]bool // probes suggested by the port number
	suggested    map[string]bool // the same, with those that they may wait for
	pending      map[string]bool // results of Exchange in this round
	wanted       map[string]bool // probes that may change the result

	events  chan struct{}
	stop    context.CancelFunc
	silence context.CancelFunc // ends the wait for the greeting
	idle    func(silent bool)  // called when the port becomes slow, and again when it replies; may be nil
	waiting sync.WaitGroup     // for a turn
	first   *wire              // connection on which the greeting is waited for
}

func newSession(id *Identifier, h *host, target netip.AddrPort, rtt time.Duration, conn net.Conn, left *allowance) *session {
	s := &session{
		id: id, host: h, target: target, rtt: rtt, conn: conn, left: left,
		perPort:   min(orDefault(id.PerPort, maxPerPort), maxPerPort),
		exchanges: make(map[string]*Exchange),
		asked:     make(map[string]bool),
		questions: make(map[string]time.Time),
		retried:   make(map[string]bool),
		missed:    make(map[string]bool),
		open:      make(map[string]bool),
		hints:     make(map[string]bool),
		pending:   make(map[string]bool),
		wanted:    make(map[string]bool),
		events:    make(chan struct{}, 1),
	}
	s.alive = append(s.alive, id.Signatures.Signatures...)
	s.observations = append(s.observations, id.Signatures.Observations...)
	s.expects()
	s.suggested = suggest(id.Signatures, s.hints)
	return s
}

// within returns a session for the inside of a layer. It begins with a connection
// that has already entered the layer.
func (s *session) within(l layer, w *wire) *session {
	in := newSession(s.id, s.host, s.target, s.rtt, nil, s.left)
	in.layer, in.wire, in.perPort, in.idle, in.least, in.outer = l, w, s.perPort, s.idle, leastInside, s
	return in
}

// run runs the dialogue. The error is that of the first connection.
func (s *session) run(ctx context.Context) error {
	parent := ctx
	if s.conn == nil && s.wire == nil && !s.greetingDecided {
		if err := s.pace(ctx); err != nil {
			return err
		}
		if err := s.host.enter(ctx); err != nil {
			return err
		}
	}
	ctx, s.stop = s.bounded(parent, s.time())
	defer s.stop()
	s.begun = time.Now()
	var wg sync.WaitGroup
	for {
		launch, wake := s.plan(ctx)
		for _, p := range launch {
			wg.Go(func() { s.dialogue(ctx, p) })
		}
		if launch == nil && wake < 0 {
			break
		}
		var timer <-chan time.Time
		if wake > 0 {
			timer = time.After(wake)
		}
		select {
		case <-s.events:
		case <-timer:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	late := context.Cause(ctx) == context.DeadlineExceeded
	s.stop()
	wg.Wait()
	s.waiting.Wait()
	s.mu.Lock()
	s.leaveTurn()
	s.waitNoMore()
	s.left.time.Add(s.paced.Load() + int64(s.turn.spent) - int64(time.Since(s.begun)))
	s.timedOut = late
	s.mu.Unlock()
	if !s.asked[signatures.Greeting] {
		// The dialogue ended before the first probe.
		s.giveUp()
		return context.Cause(ctx)
	}
	if s.inner != nil {
		return s.inner.run(parent)
	}
	return s.dialErr
}

// localError returns why this machine could not send some of the probes, nil if
// it sent all.
func (s *session) localError() error {
	if s.inner != nil {
		if err := s.inner.localError(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.localErr
}

// giveUp closes the connection with which the session would have begun, or
// releases its slot. One that resumes has neither.
func (s *session) giveUp() {
	switch {
	case s.conn != nil:
		s.conn.Close()
	case s.wire != nil:
		s.wire.conn.Close()
	default:
		s.host.leave()
	}
}

// silent reports whether the port never replied to a probe, on any connection, in
// a way that fits no daemon. A greeting received late, on the connection of a
// probe, is not a reply.
func (s *session) silent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ex := range s.order {
		if len(ex.Reply) > 0 && !likeGreeting(ex.Reply) || ex.Probe == signatures.Greeting && ex.End != signatures.EndSilence {
			return false
		}
	}
	return s.inner == nil && len(s.order) > 0 && s.best() == nil
}

// confidence returns the confidence of the best signature, inside a layer if one
// was entered; zero if there is none.
func (s *session) confidence() int {
	if s.inner != nil {
		return s.inner.confidence()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if best := s.best(); best != nil {
		return best.Confidence
	}
	return 0
}

// weak reports whether a port without a greeting gave no clear reply. Closing the
// connection at once is clear.
func (s *session) weak() bool {
	if s.inner != nil || s.confidence() >= plain-1 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.exchanges[signatures.Greeting]
	return g != nil && !s.greetingBegun && g.End == signatures.EndSilence
}

// refused reports whether the connection was closed or reset at once.
func (s *session) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.exchanges[signatures.Greeting]
	return g != nil && len(g.Reply) == 0 && (g.End == signatures.EndClosed || g.End == signatures.EndReset) && g.Took < maxSlowness
}

// note adds an exchange and wakes the planner.
func (s *session) note(ex *Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteLocked(ex)
	s.wake()
}

func (s *session) noteLocked(ex *Exchange) {
	if s.exchanges[ex.Probe] != nil {
		return
	}
	if ex.Incomplete && s.retryIncomplete(ex.Probe) {
		return
	}
	delete(s.missed, ex.Probe)
	defer s.askSkipped()
	ex.TLS, ex.Proxied, ex.Remote = ex.TLS || s.layer.tls, s.layer.proxy != "", s.first.remote()
	ex.Remember(true)
	s.exchanges[ex.Probe] = ex
	s.order = append(s.order, ex)
	if !s.trickling && !s.repliedToNothing() {
		s.waitNoMore()
	}
	if ex.Probe == signatures.Greeting {
		s.greetingDecided = true
	} else if after := latency(ex); after > s.slowest {
		s.slowest = after
		s.retryEarly(nil)
	}
	switch {
	case len(ex.Reply) > 0 && s.greetsSlowly():
		s.host.answered(s.target.Port(), 0) // which says nothing about the host
	case len(ex.Reply) > 0:
		s.host.answered(s.target.Port(), ex.First)
	case ex.Handshake == signatures.HandshakeComplete:
		s.host.answered(s.target.Port(), ex.Took)
	}
}

// greetsSlowly reports whether the greeting has begun but is incomplete, or was
// received in pieces. The caller holds the lock.
func (s *session) greetsSlowly() bool {
	g := s.exchanges[signatures.Greeting]
	return s.greetingBegun && (g == nil || g.End != signatures.EndReply || g.Took-g.First > maxSlowness)
}

// latency returns how long a probe waited for its reply, which may be the end of
// the connection; zero if there was none.
func latency(ex *Exchange) time.Duration {
	if len(ex.Reply) == 0 && ex.HungUp() {
		if ex.Took > maxSlowness {
			return 0 // a time limit of the daemon
		}
		return ex.Took
	}
	return ex.First
}

// retryEarly allows repeating probes whose reply was not waited for long
// enough, as is known by now ([session.timedOutEarly]): those in only, or all of
// them if it is nil.
func (s *session) retryEarly(only map[string]bool) {
	s.retrySilent(func(ex *Exchange) bool { return (only == nil || only[ex.Probe]) && s.timedOutEarly(ex) })
}

// retrySilent allows repeating the questions to a silent port that had no answer, once
// each, if their silence shows nothing. The caller holds the lock.
func (s *session) retrySilent(shown func(*Exchange) bool) {
	for id, ex := range s.exchanges {
		if s.retried[id] || id == signatures.Greeting || ex.End != signatures.EndSilence || len(ex.Reply) > 0 || !shown(ex) {
			continue
		}
		s.retried[id] = true
		delete(s.exchanges, id)
		delete(s.asked, id)
		s.order = slices.DeleteFunc(s.order, func(o *Exchange) bool { return o == ex })
		s.alive = slices.Clone(s.id.Signatures.Signatures)
		s.observations = slices.Clone(s.id.Signatures.Observations)
	}
}

// retryIncomplete allows repeating a probe on another connection if its reply was
// not received completely. It reports whether it will be repeated.
func (s *session) retryIncomplete(id string) bool {
	p := s.id.Signatures.Probe(id)
	if id == signatures.Greeting || p.Connection != signatures.OwnConnection || s.retried[id] || s.left.conns.Load() <= 0 || s.quietOver ||
		s.left.drips.Load() <= 0 { // the full time for replies is used up
		return false
	}
	s.retried[id], s.missed[id] = true, true
	delete(s.asked, id)
	return true
}

func (s *session) wake() {
	select {
	case s.events <- struct{}{}:
	default:
	}
}
