package scan

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// A sweep is one run of a Connect scanner. All of it happens on one
// goroutine; only its outbox is shared.
type sweep struct {
	c     *Connect
	cfg   Config
	space *Space
	order Order
	wire  wire
	out   *outbox
	limit *rate.Limiter

	start time.Time
	now   time.Duration // since start, as of the last look at the clock

	probes []probe // the pairs under way; slots of the wire
	free   []int32
	next   uint64 // place in the order of the next pair to draw

	hosts directory
	turns []*host // hosts with a pair whose turn has come
	all   estimate
	wheel wheel

	inflight int
	window   window
	shortage shortage
	room     bool // the outbox has room

	freed freed

	batch []Result
	ended []ending
	due   []int32
	stats Stats
	pace  pace
}

// A probe is a pair under way.
type probe struct {
	to   netip.AddrPort
	host *host

	sent     time.Duration // when the last try left
	wait     time.Duration // how long the try before it was awaited
	attempts int
	lacks    int // times this machine lacked something for it

	next           int32 // the pair behind it in its host's queue
	spoke          int32 // of the wheel, or none
	before, behind int32 // neighbours on the spoke
	used           bool
}

// burst is how many probes leave before answers are looked for again.
const burst = 64

// newSweep prepares a sweep of space.
func newSweep(c *Connect, space *Space) *sweep {
	s := &sweep{c: c, cfg: c.cfg, space: space, wire: c.wire, room: true, start: time.Now(),
		order: NewOrder(space.Len(), c.cfg.Seed), hosts: newDirectory(), wheel: newWheel()}
	s.out = newOutbox(c.wire.wake)
	if c.cfg.Limit != nil {
		c.cfg.Limit.tell(s.roomAt)
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
	s.stats.Planned = space.Len()
	return s
}

// run sweeps until all pairs have a result, or ctx is done.
func (s *sweep) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, s.wire.wake)
	defer stop()
	for ctx.Err() == nil {
		more := s.launch()
		if len(s.free) == len(s.probes) && s.next == s.space.Len() {
			break
		}
		s.ended = s.wire.wait(s.ended[:0], s.pause(more))
		s.tick()
		for _, e := range s.ended {
			s.settle(e)
		}
		s.expire()
		s.retake()
		s.flush()
	}
	s.abandon(context.Cause(ctx))
	s.flush()
	if s.cfg.Limit != nil {
		s.cfg.Limit.tell(nil)
	}
	s.wire.close()
	s.out.finish()
}

// tick looks at the clock.
func (s *sweep) tick() { s.now = time.Since(s.start) }

// launch sends probes as far as the limits allow, a burst at most. It reports
// whether there may be more to send at once.
func (s *sweep) launch() bool {
	s.tick()
	for range burst {
		if !s.room || s.inflight >= s.window.size || s.now < s.shortage.until {
			return false
		}
		if s.limit != nil && s.limit.TokensAt(s.start.Add(s.now)) < 1 {
			return false
		}
		i := s.pick()
		if i == none {
			return s.next < s.space.Len() && len(s.free) > 0 // passed over many
		}
		s.ask(i)
	}
	return true
}

// stride is how many pairs are passed over in a row before the context, and
// whether the results are taken, are looked at again.
const stride = 4096

// pick returns a pair that may be asked now, or none.
func (s *sweep) pick() int32 {
	for len(s.turns) > 0 {
		h := s.turns[0]
		s.turns = s.turns[1:]
		h.queued = false
		if h.head != none && h.asked < s.cfg.PerHost && s.admit(h) {
			i := h.head
			if h.head = s.probes[i].next; h.head == none {
				h.tail = none
			}
			s.turn(h)
			return i
		}
	}
	for end := s.next + stride; s.next < min(end, s.space.Len()) && len(s.free) > 0; {
		place := s.next
		s.next++
		if s.cfg.Skip != nil && s.cfg.Skip(place) {
			s.stats.Done++
			continue
		}
		to := s.space.At(s.order.At(place))
		if !s.cfg.Scope.Allows(to.Addr()) {
			s.skip(to)
			continue
		}
		i := s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		h := s.hosts.find(to.Addr())
		h.pairs++
		s.probes[i] = probe{to: to, host: h, spoke: none, next: none, used: true}
		if h.asked < s.cfg.PerHost && h.head == none && s.admit(h) {
			return i
		}
		s.queue(i, false)
	}
	return none
}

// queue lets a pair wait for its turn at its host, in front of all others
// there if first is set.
func (s *sweep) queue(i int32, first bool) {
	h := s.probes[i].host
	switch {
	case h.head == none:
		h.head, h.tail = i, i
		s.probes[i].next = none
	case first:
		s.probes[i].next = h.head
		h.head = i
	default:
		s.probes[i].next = none
		s.probes[h.tail].next = i
		h.tail = i
	}
	s.turn(h)
}

// turn notes that a pair of h may be asked, if that is so.
func (s *sweep) turn(h *host) {
	if !h.queued && h.head != none && h.asked < s.cfg.PerHost {
		h.queued = true
		s.turns = append(s.turns, h)
	}
}

// ask sends a probe for a pair.
func (s *sweep) ask(i int32) {
	if s.limit != nil {
		s.limit.AllowN(s.start.Add(s.now), 1)
	}
	s.tick()
	p := &s.probes[i]
	p.attempts++
	p.sent = s.now
	p.host.asked++
	s.inflight++
	s.stats.Sent++
	if e, ended := s.wire.begin(i, p.to); ended {
		s.tick()
		s.settle(e)
		return
	}
	s.wheel.add(s.probes, i, s.now+shortest)
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
	if s.now < s.shortage.until {
		sooner(s.shortage.until - s.now)
	} else if s.limit != nil && s.room && s.inflight < s.window.size && (len(s.turns) > 0 || s.next < s.space.Len() && len(s.free) > 0) {
		lack := 1 - s.limit.TokensAt(s.start.Add(s.now))
		sooner(time.Duration(lack / s.cfg.Rate * float64(time.Second)))
	}
	return d
}

// unask frees a pair's place at its host and in the window.
func (s *sweep) unask(i int32) {
	p := &s.probes[i]
	if p.spoke != none {
		s.wheel.remove(s.probes, i)
	}
	p.host.asked--
	s.inflight--
	s.window.end(s.now)
	s.turn(p.host)
}

// expire looks at the probes that may have been awaited long enough.
func (s *sweep) expire() {
	s.due = s.wheel.due(s.probes, s.now, s.due[:0])
	for _, i := range s.due {
		p := &s.probes[i]
		most := s.tries(p.host)
		wait := s.patience(p, p.attempts >= most)
		if left := p.sent + wait - s.now; left > 0 {
			// Not longer than this, for the wait may shrink meanwhile.
			s.wheel.add(s.probes, i, s.now+min(left, 100*time.Millisecond))
			continue
		}
		s.wire.drop(i)
		s.unask(i)
		s.dismiss(p.host)
		s.unheard(i, wait)
	}
}

// unheard deals with a pair of which nothing was heard within wait.
func (s *sweep) unheard(i int32, wait time.Duration) {
	p := &s.probes[i]
	p.wait = max(p.wait, wait)
	if p.attempts < s.tries(p.host) {
		s.queue(i, false)
		return
	}
	s.finish(i, Result{State: StateFiltered, Reason: ReasonNoResponse})
}

// flush hands results on and shows the totals.
func (s *sweep) flush() {
	s.room = s.out.put(s.batch)
	clear(s.batch)
	s.batch = s.batch[:0]
	s.stats.Inflight = s.inflight
	s.stats.Rate = s.pace.rate(s.now, s.stats.Sent)
	s.c.mu.Lock()
	s.c.stats = s.stats
	s.c.mu.Unlock()
}

// skip reports a pair that has left the scope.
func (s *sweep) skip(to netip.AddrPort) {
	s.stats.Done++
	s.batch = append(s.batch, Result{Target: to, State: StateSkipped, Reason: ReasonOutOfScope, Time: s.start.Add(s.now),
		Err: fmt.Errorf("%v is outside the scope", to.Addr())})
}

// finish reports what is known of a pair and frees its slot.
func (s *sweep) finish(i int32, r Result) {
	p := &s.probes[i]
	h := p.host
	r.Target, r.Attempts, r.Time = p.to, p.attempts, s.start.Add(s.now)
	s.batch = append(s.batch, r)
	s.stats.Done++
	*p = probe{}
	s.free = append(s.free, i)
	if h.pairs--; h.pairs == 0 {
		s.hosts.rest(h)
	}
}

// abandon reports the pairs under way when the sweep was stopped.
func (s *sweep) abandon(cause error) {
	for i := range s.probes {
		p := &s.probes[i]
		if !p.used || p.attempts == 0 {
			continue
		}
		if p.spoke != none {
			s.wire.drop(int32(i))
			s.unask(int32(i))
			s.dismiss(p.host)
		}
		s.finish(int32(i), Result{State: StateUnknown, Reason: ReasonUnknown, Err: fmt.Errorf("asking %v: %w", p.to, cause)})
	}
}
