package scan

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"github.com/mxsweep/mxsweep/result"

	"github.com/mxsweep/mxsweep/scan/dialer"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A sweep is one run of a Connect scanner. It runs on one goroutine; only its outbox
// is shared.
type sweep struct {
	c      *Connect
	cfg    Config
	space  *scope.Space
	order  scope.Order
	dialer dialer.Dialer
	out    *outbox
	limit  *rate.Limiter

	start time.Time
	now   time.Duration // since start, at the last tick

	latest probe         // the latest probe that is no control: its host and when it was sent
	end    time.Duration // since start, when Config.NotAfter is

	probes []probe // the pairs under way; slots of the dialer
	free   []int32
	next   uint64 // place in the order of the next pair to draw

	hosts   directory
	turns   []*host // hosts with a pair that may be probed
	further []*host // those with one that was asked before
	later   []*host // and those with one of the second round, which take their turn last
	inRow   int     // pairs drawn since the latest of these
	all     estimate
	sampled estimate // controls only
	wheel   wheel

	drawn      bool    // all pairs have been drawn
	unsettled  int     // pairs without a result and without a slot
	unproven   int     // of those, pairs of hosts that are not known to be up
	skipped    bool    // some pairs were finished by an earlier run
	notUp      int     // pairs with a slot of hosts that are not known to be up
	notUpAsked int     // of those, pairs awaiting an answer
	waiters    []*host // hosts with pairs that wait for the second round, in the order of the first
	guards     []*host // hosts whose answer begins it
	waiting    int     // pairs that wait for the second round
	waived     int     // pairs without a further try in it
	lastUp     netip.Addr
	quiet      []*host // the host of each of these pairs, the oldest first, and some hosts that are up now
	controls   []*host // whose control waits for its turn
	slotless   []*host // hosts with a pair that may be probed, but without a free host slot
	alarms     alarms
	blocks     []BlockedHost
	refusals   estimate // refusals only

	inflight int
	window   window
	backoff  backoff
	room     bool // the outbox has room

	freed freedHosts

	batch []Result
	ended []dialer.Ending
	due   []int32
	stats Stats
	pace  pace
}

// A probe is a pair under way.
type probe struct {
	to   netip.AddrPort
	host *host

	sent          time.Duration // when the last try was sent
	rtt           time.Duration // how long its answer took, if the kernel has measured it
	wait          time.Duration // how long the try before it was awaited
	attempts      int
	earlier       int // tries that do not count, because a control failed after them
	localFailures int // tries that this machine could not send

	as       dialer.Outcome // its latest outcome: silence, an ICMP error or a window of zero
	from     netip.Addr     // the sender of the ICMP error
	noted    bool           // the try under way has an outcome that is not conclusive
	control  bool           // it is a control, which has no result
	counting counting       // how the pending try counts at its host
	slotted  bool           // it has a slot of its host
	last     bool           // it is probed once more at the end

	next           int32 // the next pair in its host's queue
	spoke          int32 // of the wheel, or none
	before, behind int32 // neighbors on the spoke
	used           bool
}

// countOthers counts the connections of others towards the rate.
func (s *sweep) countOthers() {
	if s.limit == nil || s.cfg.Others == nil {
		return
	}
	for range s.cfg.Others() {
		s.limit.ReserveN(s.start.Add(s.now), 1) // later probes wait for it
	}
}

// burst is how many probes are sent before answers are read again.
const burst = 64

// newSweep prepares a sweep of space.
func newSweep(c *Connect, space *scope.Space) *sweep {
	s := &sweep{c: c, cfg: c.cfg, space: space, dialer: c.dialer, room: true, start: time.Now(),
		order: scope.NewOrder(space.Len(), c.cfg.Seed), hosts: newDirectory(), wheel: newWheel()}
	s.out = newOutbox(c.dialer.Wake)
	if c.cfg.Slots != nil {
		c.cfg.Slots.OnFree(s.onHostSlotFree)
	}
	s.window = window{most: s.cfg.Concurrency, size: s.cfg.Concurrency}
	if s.cfg.Rate > 0 {
		s.limit = rate.NewLimiter(rate.Limit(s.cfg.Rate), max(1, int(s.cfg.Rate/100)))
	}
	// As many pairs again may wait for a turn at their host.
	n := min(uint64(2*s.cfg.Concurrency), space.Len())
	s.probes = make([]probe, n)
	s.free = make([]int32, n)
	for i := range s.free {
		s.free[i] = int32(len(s.free) - 1 - i)
	}
	s.adopt(c.cfg.Measured)
	s.stats.Planned = space.Len()
	s.end = s.cfg.NotAfter.Sub(s.start)
	return s
}

// run sweeps until all pairs have a result, or ctx is done.
func (s *sweep) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, s.dialer.Wake)
	defer stop()
	s.loadEarlier()
	for ctx.Err() == nil && !s.late() {
		s.beginRound()
		more := s.launch()
		if !s.drawn && s.next == s.space.Len() {
			s.finishParts()
			continue
		}
		if s.drawn && len(s.free) == len(s.probes) && s.unsettled == 0 {
			break
		}
		if s.drawn {
			s.dialer.Trim(len(s.probes) - len(s.free) + s.unsettled - s.unproven) // all that are still to be probed
		}
		s.ended = s.dialer.Wait(s.ended[:0], s.pause(more))
		s.tick()
		for _, e := range s.ended {
			s.settle(e)
		}
		s.expire()
		s.ring()
		s.requeueFreed()
		s.flush()
	}
	cause := context.Cause(ctx)
	if cause == nil && s.late() {
		cause = &ExpiredError{NotAfter: s.cfg.NotAfter}
	}
	if s.abandon(cause); ctx.Err() == nil && s.late() {
		s.refuse(ctx, cause)
	}
	s.stats.Blocked = s.blocks
	s.stats.SilentTwice = s.rounds() && !s.skipped && cause == nil
	s.flush()
	s.keepMeasured()
	if s.cfg.Slots != nil {
		s.cfg.Slots.OnFree(nil)
	}
	s.dialer.Close()
	s.out.finish()
}

// tick updates the current time.
func (s *sweep) tick() { s.now = time.Since(s.start) }

// launch sends probes as far as the limits allow, a burst at most. It reports whether
// more may be sent at once.
func (s *sweep) launch() bool {
	s.tick()
	s.countOthers()
	for range burst {
		if s.late() || !s.room || s.inflight >= s.window.size || s.now < s.backoff.until {
			return false
		}
		if s.limit != nil && s.limit.TokensAt(s.start.Add(s.now)) < 1 {
			return false
		}
		i := s.pick()
		if i == none {
			return s.next < s.space.Len() && len(s.free) > 0 // skipped many
		}
		s.ask(i)
	}
	return true
}

// ask sends a probe for a pair.
func (s *sweep) ask(i int32) {
	if s.limit != nil {
		s.limit.AllowN(s.start.Add(s.now), 1)
	}
	s.tick()
	p := &s.probes[i]
	s.begin(p.host)
	if p.attempts++; p.attempts == 1 && p.earlier == 0 && !p.control {
		s.stats.Probed++
	}
	p.sent, p.rtt, p.noted = s.now, 0, false
	if !p.control {
		s.latest = probe{host: p.host, sent: s.now}
	}
	p.host.depart(p)
	if p.host.up == nil {
		s.notUpAsked++
		if p.attempts == 1 {
			p.host.net.asked = max(p.host.net.asked, p.sent)
		}
	}
	s.inflight++
	s.stats.Sent++
	if p.control {
		s.stats.Controls++
	}
	if e, ended := s.dialer.Begin(i, p.to); ended {
		s.tick()
		s.settle(e)
		return
	}
	s.wheel.add(s.probes, i, s.now+minAnswerTime)
}

// pause returns how long to wait for answers.
func (s *sweep) pause(more bool) time.Duration {
	if more || len(s.batch) > 0 {
		return 0
	}
	d := time.Duration(-1)
	sooner := func(t time.Duration) {
		if t = max(t, 0); d < 0 || t < d {
			d = t
		}
	}
	if at, ok := s.wheel.next(); ok {
		sooner(at - s.now)
	}
	if !s.cfg.NotAfter.IsZero() {
		sooner(s.end - s.now)
	}
	if len(s.alarms) > 0 {
		sooner(s.alarms[0].at - s.now)
	}
	if s.now < s.backoff.until {
		sooner(s.backoff.until - s.now)
	} else if s.limit != nil && s.room && s.inflight < s.window.size && s.wants() {
		lack := 1 - s.limit.TokensAt(s.start.Add(s.now))
		sooner(time.Duration(math.Ceil(lack / s.cfg.Rate * float64(time.Second))))
	}
	return d
}

// wants reports whether a probe can be sent at once.
func (s *sweep) wants() bool {
	return len(s.turns)+len(s.further)+len(s.later) > 0 || len(s.free) > 0 && (len(s.controls) > 0 || s.next < s.space.Len())
}

// releaseProbe frees a pair's place at its host and in the window.
func (s *sweep) releaseProbe(i int32) {
	p := &s.probes[i]
	if p.spoke != none {
		s.wheel.remove(s.probes, i)
	}
	p.uncount()
	p.host.asked--
	if p.host.up == nil {
		s.notUpAsked--
	}
	s.inflight--
	s.window.end(s.now)
	s.turn(p.host)
}

// expire checks the probes that may have been awaited long enough.
func (s *sweep) expire() {
	s.due = s.wheel.due(s.probes, s.now, s.due[:0])
	for _, i := range s.due {
		p := &s.probes[i]
		wait := s.patience(p, p.control || p.attempts >= s.tries(p.host) || s.maybeLast(p))
		if p.noted {
			wait = min(wait, notedWait)
		}
		left, counts := p.sent+wait-s.now, p.sent+s.answerTime(p.host)-s.now
		if left <= 0 || counts <= 0 {
			s.overdue(p)
		}
		if left > 0 {
			// Not longer than this, because the wait may shrink meanwhile: by the first
			// answer most of all.
			next := min(left, steadyLast)
			if !s.all.known() {
				next = min(next, shortest)
			}
			if counts > 0 {
				next = min(next, counts)
			}
			s.wheel.add(s.probes, i, s.now+next)
			continue
		}
		s.dialer.Drop(i)
		s.releaseProbe(i)
		s.tryTimedOut(i, wait)
	}
}

// tryTimedOut handles a pair that was not answered within wait.
func (s *sweep) tryTimedOut(i int32, wait time.Duration) {
	p := &s.probes[i]
	if p.wait = max(p.wait, wait); p.noted {
		p.wait = s.cfg.Timeout // the try is over in any case
	}
	switch {
	case p.control:
		h := p.host
		s.vacate(i)
		h.up.flying = false
		s.uncontrolled(h)
	case p.attempts < s.tries(p.host):
		if !s.postpone(i) && !s.park(i) {
			s.queue(i, false)
		}
	default:
		s.silence(i)
	}
}

// flush hands results on and publishes the counts.
func (s *sweep) flush() {
	s.room = s.out.put(s.batch)
	clear(s.batch)
	s.batch = s.batch[:0]
	s.stats.Inflight = s.inflight
	s.stats.Tries, s.stats.Wait = s.triesAt(s.all.lossRate()), s.lastWait()
	s.stats.Waived = uint64(s.waivable())
	s.stats.Rate = s.pace.rate(s.now, s.stats.Sent)
	s.c.mu.Lock()
	s.c.stats = s.stats
	s.c.mu.Unlock()
}

// skip reports a pair that is no longer in scope.
func (s *sweep) skip(to netip.AddrPort) {
	s.stats.Done++
	s.batch = append(s.batch, Result{Target: to, State: result.StateSkipped, Reason: result.ReasonOutOfScope, Time: s.start.Add(s.now),
		Err: fmt.Errorf("%v is outside the scope", to.Addr())})
}

// finish reports the result of a pair and frees its slot.
func (s *sweep) finish(i int32, r Result) {
	p := &s.probes[i]
	h := p.host
	r.Target, r.From, r.Attempts, r.Time = p.to, p.from, p.attempts+p.earlier, s.start.Add(s.now)
	s.vacate(i)
	s.report(r)
	if h.up != nil {
		s.conclude(h)
		s.scheduleControl(h)
	} else if s.endSilent(h); h.pairs == 0 {
		s.hosts.setIdle(h)
	}
}

// report hands a result on and counts it.
func (s *sweep) report(r Result) {
	s.batch = append(s.batch, r)
	s.stats.Done++
	switch r.State {
	case result.StateOpen, result.StateClosed:
		s.stats.Answered++
	case result.StateFiltered:
		if r.Reason != result.ReasonNoResponse {
			s.stats.Answered++
		}
	}
}

// vacate frees a slot.
func (s *sweep) vacate(i int32) {
	p := &s.probes[i]
	p.host.pairs--
	if p.host.up == nil {
		s.notUp--
	}
	*p = probe{}
	s.free = append(s.free, i)
	for _, h := range s.slotless {
		s.turn(h)
	}
	s.slotless = s.slotless[:0]
}
