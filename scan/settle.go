package scan

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// settle deals with the end of a connection attempt.
func (s *sweep) settle(e ending) {
	p := &s.probes[e.slot]
	if e.from.IsValid() && e.from == p.to.Addr().WithZone("") {
		e.from = p.to.Addr()
	}
	inScope := s.cfg.Scope.Allows(p.to.Addr()) // asked again: the answer counts only in scope
	if inScope && (e.as.unreachable() || e.as == windowless) && (!p.control || e.as.unreachable() && e.from != p.to.Addr()) {
		s.note(e)
		return
	}
	s.unask(e.slot)
	if p.control {
		s.settleControl(e)
		return
	}
	if !inScope {
		s.wire.drop(e.slot)
		s.releaseHostSlot(p.host)
		s.finish(e.slot, Result{State: result.StateSkipped, Reason: result.ReasonOutOfScope, Err: fmt.Errorf("%v is outside the scope", p.to.Addr())})
		return
	}
	if e.as != starved && e.as != impossible {
		s.shortage.over()
	}
	if e.as == connected {
		s.open(e)
		return
	}
	s.releaseHostSlot(p.host)
	switch e.as {
	case refused:
		s.refusals.answer(max(s.now-p.sent, 1), 0)
		s.answered(e.slot, Result{State: result.StateClosed, Reason: result.ReasonConnRefused}, byReset)
	case silent:
		s.unheard(e.slot, s.now-p.sent)
	case looped:
		// The port was free for our own end, so nobody listens there now; it
		// is asked again, from another port. The probe never left the host.
		s.again(e.slot, fmt.Errorf("connecting to %v: reached itself", p.to))
	case starved:
		s.starve(e)
	case impossible:
		s.finish(e.slot, Result{State: result.StateUnknown, Reason: unaskedReason(e.err), Err: fmt.Errorf("connecting to %v: %w", p.to, e.err)})
	}
}

// open reports an open port.
func (s *sweep) open(e ending) {
	r := Result{State: result.StateOpen, Reason: result.ReasonSynAck}
	h := s.probes[e.slot].host
	switch {
	case e.err != nil:
		s.releaseHostSlot(h)
	case s.cfg.HandOn && s.out.reserve(s.cfg.Waiting):
		if r.Conn = s.handOver(e.slot, h); r.Conn == nil {
			s.out.yielded()
		}
	default:
		s.wire.reset(e.slot)
		s.releaseHostSlot(h)
	}
	s.stats.Open++
	s.answered(e.slot, r, byAccept)
}

// note keeps what was heard of a try that settles nothing: one message is no
// verdict. The try is awaited a while longer, and the pair asked again, as if
// nothing had been heard.
func (s *sweep) note(e ending) {
	s.shortage.over()
	p := &s.probes[e.slot]
	own := e.as == windowless || e.from == p.to.Addr()
	if p.as != windowless && (own || p.from != p.to.Addr()) {
		p.as, p.from = e.as, e.from
	}
	p.noted = true
	if own && !p.control {
		by := byICMP
		if e.as == windowless {
			by = byAccept
		}
		s.learn(p, 0)
		s.heard(p.host, p.sent, by, p.to.Port())
	}
	if p.spoke == none {
		s.wheel.add(s.probes, e.slot, s.now+shortest)
	}
}

// learn takes in how long an answer to p took, after which it is known that
// lost probes before it had been lost.
func (s *sweep) learn(p *probe, lost int) {
	rtt := max(s.now-p.sent, 1)
	p.host.est.answer(rtt, lost)
	p.host.net.est.answer(rtt, lost)
	s.all.answer(rtt, lost)
	s.window.answer(lost)
}

// answered reports a port that its host answered for, and learns from how
// long that took.
func (s *sweep) answered(i int32, r Result, by way) {
	p := &s.probes[i]
	r.RTT = max(s.now-p.sent, 1)
	lost := p.attempts - 1
	if lost > 0 && r.RTT > p.wait {
		lost = 0 // the earlier tries were not lost, but not awaited long enough
	}
	s.learn(p, lost)
	s.stats.Lost += uint64(lost)
	p.from = netip.Addr{}
	s.heard(p.host, p.sent, by, p.to.Port())
	s.finish(i, r)
}

// again puts a pair back whose try did not count, unless that has happened
// too often.
func (s *sweep) again(i int32, err error) {
	p := &s.probes[i]
	if p.lacks++; p.lacks > maxLacks {
		s.finish(i, Result{State: result.StateUnknown, Reason: result.ReasonUnknown, Err: err})
		return
	}
	p.attempts--
	s.queue(i, true)
}

// starve deals with a probe that could not leave because this machine lacked
// something, like a free descriptor or port.
func (s *sweep) starve(e ending) {
	s.stats.Sent--
	p := &s.probes[e.slot]
	err := fmt.Errorf("connecting to %v: %w", p.to, e.err)
	if s.inflight > 0 {
		// What is in flight will free some. Until then, do with what we have.
		s.window.shrink(s.inflight)
		s.shortage.wait(s.now)
		p.attempts--
		s.queue(e.slot, true)
		return
	}
	if s.shortage.hopeless() {
		s.finish(e.slot, Result{State: result.StateUnknown, Reason: result.ReasonUnknown, Err: err})
		return
	}
	s.shortage.wait(s.now)
	s.again(e.slot, err)
}

// maxLacks is how often a pair is put back because of this machine itself.
const maxLacks = 8

// A shortage is a time in which this machine lacks something that every probe
// needs.
type shortage struct {
	until time.Duration // no probe before
	since int           // waits without a probe that left
}

// wait backs off, longer each time.
func (s *shortage) wait(now time.Duration) {
	s.until = now + min(5*time.Millisecond<<min(s.since, 8), time.Second)
	s.since++
}

// hopeless reports whether waiting has not helped for seconds.
func (s *shortage) hopeless() bool { return s.since > maxLacks }

// over says that a probe has left.
func (s *shortage) over() { s.since = 0 }

// A pace measures the rate of probes over the last second or so.
type pace struct {
	at   time.Duration
	sent uint64
	last float64
}

// rate returns the probes a second.
func (p *pace) rate(now time.Duration, sent uint64) float64 {
	if d := now - p.at; d >= time.Second/2 {
		p.last = float64(sent-min(p.sent, sent)) / d.Seconds()
		p.at, p.sent = now, sent
	}
	return p.last
}
