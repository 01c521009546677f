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
	// silentGrace is how much longer than the greeting wait a silent port is
	// asked questions.
	silentGrace = time.Second

	// retryGreetingWait is how long a silent port is listened to the second time.
	retryGreetingWait = 1200 * time.Millisecond
)

// A layer is what the dialogue runs inside of.
type layer struct {
	tls   bool
	proxy string // the PROXY header that begins every connection, "" if none
}

// A session is the conversation with one port, inside of one layer. Its
// dialogues run on connections of their own and note what they saw in
// exchanges; the planner decides after each of them what is still worth asking.
type session struct {
	id     *Identifier
	host   *host
	target netip.AddrPort
	rtt    time.Duration
	layer  layer

	perPort      int
	most         time.Duration // how long the conversation may take; zero: as long as the port has left
	least        time.Duration // how long it may take although the port has no time left; zero: leastTime
	second       bool          // the port was asked before
	calm         bool          // and no other dialogue is under way
	listened     bool          // and the greeting was waited for as long as it ever is
	greetingOnly bool
	wire         *wire // the open connection to begin with, nil if there is none
	conn         net.Conn
	left         *allowance

	paced atomic.Int64 // nanoseconds that connections waited for their pace

	mu        sync.Mutex
	begun     time.Time
	delayed   time.Duration // spent waiting for other ports of the host
	outside   int           // questions that wait for them now,
	since     time.Time     // and since when
	order     []*Exchange   // as they ended
	exchanges map[string]*Exchange
	asked     map[string]bool // started, ended or not
	retried   map[string]bool // asked a second time
	missed    map[string]bool // to be asked a second time, because the first was not heard
	open      map[string]bool // probes whose connection goes on
	running   int
	spoken    bool                    // the greeting is decided: something came, or the wait is over
	slowest   time.Duration           // the latest first byte of an answer, or hanging up for one
	heard     bool                    // the first byte of a greeting has come
	quietOver bool                    // a silent port is asked nothing more
	unacked   bool                    // something sent was not acknowledged in its time
	rivals    []*signatures.Signature // which hold as far as they were heard, at the end
	lost      bool                    // at the end: something was not heard
	timedOut  bool                    // the conversation took all of its time
	detached  bool                    // the place of the first connection was given back
	shortened bool                    // it was given less time than others: see hasShortTime
	overdue   bool                    // what is said on it is waited for longer than detachAfter
	trickling bool                    // the host was told that it is, and that the port had begun to speak
	waitedFor bool                    // the host was told that the port takes its time
	oneByOne  bool                    // it was silent only because it serves one connection at a time
	turn      turn                    // to ask what silent ports are asked
	entering  int                     // connections that have most likely entered a layer
	asking    int                     // such questions that are under way
	skipped   bool                    // some of them were not asked, because other ports of the host gave nothing
	inner     *session                // what is inside of a layer that was entered
	outer     *session                // what that layer was entered from; nil if there is none
	tlsInfo   *result.TLS
	alerted   bool // it ended a handshake by an alert, and had asked for no certificate
	dialErr   error
	starved   error // why this machine could not ask a question, nil if it could

	alive        []*signatures.Signature // not refuted, as far as is known
	held         []*signatures.Signature // those of them that best found to hold
	observations []*signatures.Observation
	hints        map[string]bool // probes that name the port
	suggested    map[string]bool // the same, with those that they may wait for
	pending      map[string]bool // what Exchange found out in this round
	wanted       map[string]bool // the probes that may change the answer

	events  chan struct{}
	stop    context.CancelFunc
	silence context.CancelFunc // ends the wait for the greeting
	idle    func(silent bool)  // called once the port takes its time, and when it speaks then; may be nil
	waiting sync.WaitGroup     // for a turn
	first   *wire              // the connection on which the greeting is waited for
}

func newSession(id *Identifier, h *host, target netip.AddrPort, rtt time.Duration, conn net.Conn, left *allowance) *session {
	s := &session{
		id: id, host: h, target: target, rtt: rtt, conn: conn, left: left,
		perPort:   min(orDefault(id.PerPort, maxPerPort), maxPerPort),
		exchanges: make(map[string]*Exchange),
		asked:     make(map[string]bool),
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
	for _, p := range id.Signatures.Probes {
		for _, port := range p.Ports {
			if port == target.Port() {
				s.hints[p.ID] = true
			}
		}
	}
	s.suggested = suggest(id.Signatures, s.hints)
	return s
}

// within returns a session for the inside of a layer, which begins with a
// connection on which the layer is entered already.
func (s *session) within(l layer, w *wire) *session {
	in := newSession(s.id, s.host, s.target, s.rtt, nil, s.left)
	in.layer, in.wire, in.perPort, in.idle, in.least, in.outer = l, w, s.perPort, s.idle, leastInside, s
	return in
}

// run holds the conversation. The error is that of the first connection.
func (s *session) run(ctx context.Context) error {
	parent := ctx
	if s.conn == nil && s.wire == nil {
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
		// The run ended before the first question.
		s.giveUp()
		return context.Cause(ctx)
	}
	if s.inner != nil {
		return s.inner.run(parent)
	}
	return s.dialErr
}

// starvation is why this machine could not ask some of the questions, nil if
// it asked all.
func (s *session) starvation() error {
	if s.inner != nil {
		if err := s.inner.starvation(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starved
}

// giveUp closes the connection that the session would have begun with, or
// leaves the place for it.
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

// silent reports whether the port never said a word in answer, on any
// connection, and whether that fits no daemon. A greeting that came late, on
// the connection of a question, is no answer.
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

// confidence is that of the best signature, inside of a layer if one was
// entered; zero if there is none.
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

// weak reports whether a port that does not greet gave no plain answer. One
// that turned us away at once did.
func (s *session) weak() bool {
	if s.inner != nil || s.confidence() >= plain-1 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.exchanges[signatures.Greeting]
	return g != nil && !s.heard && g.End == signatures.EndSilence
}

// refused reports whether the connection was closed or reset at once.
func (s *session) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.exchanges[signatures.Greeting]
	return g != nil && len(g.Reply) == 0 && (g.End == signatures.EndClosed || g.End == signatures.EndReset) && g.Took < maxSlowness
}

// note keeps an exchange and wakes the planner.
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
	if ex.Unheard && s.askUnheardAgain(ex.Probe) {
		return
	}
	delete(s.missed, ex.Probe)
	defer s.askSkipped()
	ex.TLS, ex.Proxied, ex.Remote = ex.TLS || s.layer.tls, s.layer.proxy != "", s.first.remote()
	ex.Remember(true)
	s.exchanges[ex.Probe] = ex
	s.order = append(s.order, ex)
	if !s.trickling && !s.mute() {
		s.waitNoMore()
	}
	if ex.Probe == signatures.Greeting {
		s.spoken = true
	} else if after := latency(ex); after > s.slowest {
		s.slowest = after
		s.askEarlyAgain(nil)
	}
	switch {
	case len(ex.Reply) > 0 && s.speaksSlowly():
		s.host.answered(s.target.Port(), 0) // which tells nothing of the host
	case len(ex.Reply) > 0:
		s.host.answered(s.target.Port(), ex.First)
	case ex.Handshake == signatures.HandshakeComplete:
		s.host.answered(s.target.Port(), ex.Took)
	}
}

// speaksSlowly reports whether the greeting began and is not at its end, or came in
// pieces. The caller holds the lock.
func (s *session) speaksSlowly() bool {
	g := s.exchanges[signatures.Greeting]
	return s.heard && (g == nil || g.End != signatures.EndReply || g.Took-g.First > maxSlowness)
}

// latency is how long a question waited for its answer, which may be that the
// daemon hung up; zero if there was none.
func latency(ex *Exchange) time.Duration {
	if len(ex.Reply) == 0 && (ex.End == signatures.EndClosed || ex.End == signatures.EndReset) {
		if ex.Took > maxSlowness {
			return 0 // a time limit of the daemon's
		}
		return ex.Took
	}
	return ex.First
}

// askEarlyAgain lets questions be asked once more whose answer was not waited for
// long enough, as is known by now ([session.timedOutEarly]): those of only, all of
// them if it is nil.
func (s *session) askEarlyAgain(only map[string]bool) {
	for id, ex := range s.exchanges {
		if s.retried[id] || only != nil && !only[id] || !s.timedOutEarly(ex) {
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

// askUnheardAgain lets a question be asked once more, on another connection,
// that was not heard to its end. It reports whether there will be one.
func (s *session) askUnheardAgain(id string) bool {
	p := s.id.Signatures.Probe(id)
	if id == signatures.Greeting || p.Connection != signatures.OwnConnection || s.retried[id] || s.left.conns.Load() <= 0 || s.quietOver ||
		s.left.drips.Load() <= 0 { // it was heard for as long as it may speak
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
