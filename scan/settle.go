package scan

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// settle handles the end of a connection attempt.
func (s *sweep) settle(e dialer.Ending) {
	p := &s.probes[e.Slot]
	p.rtt = e.RTT
	if e.From.IsValid() && e.From == p.to.Addr().WithZone("") {
		e.From = p.to.Addr()
	}
	inScope := s.cfg.Scope.Allows(p.to.Addr()) // checked again: the answer counts only in scope
	if inScope && (e.As.Unreachable() || e.As == dialer.ZeroWindow) && (!p.control || e.As.Unreachable() && e.From != p.to.Addr()) {
		s.note(e)
		return
	}
	s.releaseProbe(e.Slot)
	if p.control {
		s.settleControl(e)
		return
	}
	if !inScope {
		s.dialer.Drop(e.Slot)
		s.releaseHostSlot(p)
		s.finish(e.Slot, Result{State: result.StateSkipped, Reason: result.ReasonOutOfScope, Err: fmt.Errorf("%v is outside the scope", p.to.Addr())})
		return
	}
	if e.As != dialer.ResourceExhausted && e.As != dialer.LocalFailure {
		s.backoff.reset()
	}
	if e.As == dialer.Connected {
		s.open(e)
		return
	}
	s.releaseHostSlot(p)
	switch e.As {
	case dialer.Refused:
		s.refusals.answer(s.roundTrip(p), 0)
		s.answered(e.Slot, Result{State: result.StateClosed, Reason: result.ReasonConnRefused}, byReset)
	case dialer.Silent:
		s.tryTimedOut(e.Slot, s.now-p.sent)
	case dialer.SelfConnect:
		// The kernel used the port as its own source port, so no one listens there now;
		// it is probed again, from another port. The probe never left the machine.
		s.again(e.Slot, fmt.Errorf("connecting to %v: reached itself", p.to))
	case dialer.ResourceExhausted:
		s.outOfResources(e)
	case dialer.LocalFailure:
		s.finish(e.Slot, Result{State: result.StateUnknown, Reason: notProbedReason(e.Err), Err: fmt.Errorf("connecting to %v: %w", p.to, e.Err)})
	}
}

// open reports an open port.
func (s *sweep) open(e dialer.Ending) {
	r := Result{State: result.StateOpen, Reason: result.ReasonSynAck}
	p := &s.probes[e.Slot]
	p.host.opened++
	switch {
	case e.Err != nil:
		s.releaseHostSlot(p)
	case s.cfg.HandOn && s.out.reserve(s.cfg.Waiting):
		if r.Conn = s.handOver(e.Slot); r.Conn == nil {
			s.out.yielded()
		}
	default:
		s.hangUp(e.Slot)
		s.releaseHostSlot(p)
	}
	s.stats.Open++
	s.answered(e.Slot, r, byAccept)
}

// note records a message about a try that is not conclusive by itself. The try is
// awaited a little longer, and the pair probed again, as if nothing had come.
func (s *sweep) note(e dialer.Ending) {
	s.backoff.reset()
	p := &s.probes[e.Slot]
	own := e.As == dialer.ZeroWindow || e.From == p.to.Addr()
	if p.as != dialer.ZeroWindow && (own || p.from != p.to.Addr()) {
		p.as, p.from = e.As, e.From
	}
	p.noted = true
	if own && !p.control {
		by := byICMP
		if e.As == dialer.ZeroWindow {
			by = byAccept
		}
		s.learn(p, 0)
		s.hostAnswered(p.host, p.sent, by, p.to.Port())
	}
	if p.spoke == none {
		s.wheel.add(s.probes, e.Slot, s.now+shortest)
	}
}

// roundTrip returns how long the answer to p took. This sweep may have seen it later than
// it came, busy with other probes: what the kernel has measured is preferred.
func (s *sweep) roundTrip(p *probe) time.Duration {
	seen := max(s.now-p.sent, 1)
	if p.rtt > 0 {
		return min(p.rtt, seen)
	}
	return seen
}

// learn records how long an answer to p took, after lost earlier probes had been lost.
func (s *sweep) learn(p *probe, lost int) {
	rtt := s.roundTrip(p)
	p.host.est.answer(rtt, lost)
	p.host.net.est.answer(rtt, lost)
	p.host.net.path.answered(p.sent)
	s.all.answer(rtt, lost)
	s.window.answer(lost)
}

// answered reports a port for which its host answered, and records how long that took.
func (s *sweep) answered(i int32, r Result, by way) {
	p := &s.probes[i]
	r.RTT = s.roundTrip(p)
	lost := p.attempts - 1
	if lost > 0 && r.RTT > p.wait {
		lost = 0 // the earlier tries were not lost, but awaited too briefly
	}
	if s.learn(p, lost); lost > 0 {
		p.host.silentFirst /= 2
	}
	s.stats.Lost += uint64(lost)
	p.from = netip.Addr{}
	s.hostAnswered(p.host, p.sent, by, p.to.Port())
	s.finish(i, r)
}

// again puts a pair back whose try did not count, unless that has happened too often.
func (s *sweep) again(i int32, err error) {
	p := &s.probes[i]
	if p.localFailures++; p.localFailures > maxLocalFailures {
		s.finish(i, Result{State: result.StateUnknown, Reason: result.ReasonUnknown, Err: err})
		return
	}
	p.attempts--
	s.queue(i, true)
}

// outOfResources handles a probe that could not be sent because this machine had no
// free descriptor, port or memory.
func (s *sweep) outOfResources(e dialer.Ending) {
	s.stats.Sent--
	p := &s.probes[e.Slot]
	err := fmt.Errorf("connecting to %v: %w", p.to, e.Err)
	if s.inflight > 0 {
		// The probes in flight will free some. Until then, use what there is.
		s.window.shrink(s.inflight)
		s.backoff.wait(s.now)
		p.attempts--
		s.queue(e.Slot, true)
		return
	}
	if s.backoff.exhausted() {
		s.finish(e.Slot, Result{State: result.StateUnknown, Reason: result.ReasonUnknown, Err: err})
		return
	}
	s.backoff.wait(s.now)
	s.again(e.Slot, err)
}

// maxLocalFailures is how often a pair is put back because of this machine itself.
const maxLocalFailures = 8

// A backoff is a time without probes because this machine has no resources for one.
type backoff struct {
	until time.Duration // no probe before this time
	since int           // waits since the last probe that was sent
}

// wait begins a backoff, longer each time.
func (b *backoff) wait(now time.Duration) {
	b.until = now + min(5*time.Millisecond<<min(b.since, 8), time.Second)
	b.since++
}

// exhausted reports whether waiting for seconds has not helped.
func (b *backoff) exhausted() bool { return b.since > maxLocalFailures }

// reset records that a probe was sent.
func (b *backoff) reset() { b.since = 0 }

// A pace measures the rate of probes over the last second or so.
type pace struct {
	at   time.Duration
	sent uint64
	last float64
}

// rate returns the probes per second.
func (p *pace) rate(now time.Duration, sent uint64) float64 {
	if d := now - p.at; d >= time.Second/2 {
		p.last = float64(sent-min(p.sent, sent)) / d.Seconds()
		p.at, p.sent = now, sent
	}
	return p.last
}
