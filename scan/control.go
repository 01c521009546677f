package scan

import (
	"math"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// When a control is probed: a pair of a host that is up, and is known to answer.
// Silence proves nothing if a firewall blocks the scanner, the host has gone or the
// path is down; an answered control rules that out for all pairs probed before it.
const (
	firstControl  = 32  // silent pairs of a host that require a control
	lastControl   = 512 // twice as many each time, up to this
	parkedControl = 4   // or this many times the number of parked pairs, which are probed again in any case
	oldControl    = 24  // or this many, if the latest answer is older than this
	controlAge    = 1500 * time.Millisecond
	fewAnswers    = 4    // with fewer, it is not known how much of a host is silent
	unlikely      = 1e-3 // if most pairs answer, a series of silent pairs less likely than this requires a control
	rare          = 0.9  // if more pairs than this fraction answer, each silent one is probed once more at the end
)

// How often and for how long a silent control is probed.
const (
	controlTries = 3
	backTries    = 2           // after a pause
	icmpApart    = time.Second // hosts send about one ICMP error a second (RFC 1812, Section 4.3.2.8)
	firstPause   = time.Second // doubled each time
	longestPause = 31 * time.Second
	allPauses    = 60 * time.Second // for one host
	slowest      = 2 * time.Second  // between two probes to a host that limits the rate
	maxRequeues  = 10               // how often all waiting pairs are probed again because a control needed two tries
)

// scheduleControl schedules a control of a host if one is due.
func (s *sweep) scheduleControl(h *host) {
	if u := h.up; u != nil && u.phase == trusted && s.controlDue(h) {
		u.tries, u.with = 0, u.best()
		s.approach(h)
	}
}

// best returns the preferred way to get an answer from a control.
func (u *upHost) best() way {
	w, _ := u.other(0)
	return w
}

// other returns the first way from w on in which a pair is known to answer. It reports
// false if there is none. An ICMP error is used only if there is no other.
func (u *upHost) other(w way) (way, bool) {
	for ; w < ways; w++ {
		if u.has&(1<<w) != 0 && (w != byICMP || u.rejectsOnly()) {
			return w, true
		}
	}
	return 0, false
}

// approach queues the control. A control by ICMP waits for a pause first: a host that
// has just sent such errors limits their rate.
func (s *sweep) approach(h *host) {
	u := h.up
	if at := h.last + icmpApart; u.with == byICMP && s.now < at {
		u.phase, u.until = quiet, at
		s.alarm(h, at)
		return
	}
	u.phase = asking
	s.turn(h)
}

// pickControl returns a control that may be probed now, or none.
func (s *sweep) pickControl() int32 {
	for len(s.controls) > 0 && len(s.free) > 0 {
		h := s.controls[0]
		s.controls = s.controls[1:]
		u := h.up
		u.listed = false
		if u.phase != asking || int(h.counted) >= s.cfg.PerHost || !s.acquireHostSlot(h) {
			continue // turn lists it again
		}
		u.flying = true
		i := s.slot(h, u.known[u.with])
		s.setCounted(i, counted)
		s.probes[i].control = true
		return i
	}
	return none
}

// settleControl handles the end of a try of a control.
func (s *sweep) settleControl(e dialer.Ending) {
	p := s.probes[e.Slot]
	h, u := p.host, p.host.up
	if e.As == dialer.Connected && e.Err == nil {
		s.hangUp(e.Slot)
	}
	if e.As == dialer.Connected && u.with == byReset {
		s.reopen(&p)
	}
	s.releaseHostSlot(&s.probes[e.Slot])
	s.vacate(e.Slot)
	u.flying = false
	switch {
	case e.As == dialer.Connected || e.As == dialer.ZeroWindow:
		s.controlled(&p, byAccept)
	case e.As == dialer.Refused && u.with == byAccept:
		s.controlled(&p, byAccept) // it was reported as open: it is not one of the closed pairs
	case e.As == dialer.Refused:
		s.controlled(&p, byReset)
	case e.From == h.addr && e.As.Unreachable() && u.with == byICMP:
		s.controlled(&p, byICMP)
	case e.As == dialer.ResourceExhausted && !s.backoff.exhausted():
		s.stats.Sent--
		s.stats.Controls--
		s.backoff.wait(s.now)
		s.turn(h)
	default:
		s.uncontrolled(h)
	}
}

// reopen reports a pair as open that was closed and now accepts a connection: a load
// balancer, or a device on the path, may have refused the first one.
func (s *sweep) reopen(p *probe) {
	p.host.up.has &^= 1 << byReset // the way in which the pair was known
	s.stats.Open++
	s.batch = append(s.batch, Result{Target: p.to, State: result.StateOpen, Reason: result.ReasonSynAck, WasClosed: true,
		RTT: s.roundTrip(p), Attempts: 1, Time: s.start.Add(s.now)})
}

// controlled records that a control was answered. If an earlier try of it was not, the
// pairs in between are probed again.
func (s *sweep) controlled(p *probe, by way) {
	h, u := p.host, p.host.up
	u.phase = trusted
	s.sampled.answer(s.roundTrip(p), 0)
	if !u.failed {
		s.learn(p, u.tries)
		u.every = min(2*u.every, lastControl)
		if u.tries > 0 && u.gap > 0 { // silent again for a while, as before
			if u.requeues == maxRequeues {
				s.block(h) // else this would repeat forever
				return
			}
			u.requeues++
			s.requeueUnproven(h)
		}
		s.hostAnswered(h, p.sent, by, p.to.Port())
	} else {
		s.learn(p, 0)
		u.waited += s.now - u.pausedAt
		u.failed, u.every = false, firstControl
		s.requeueUnproven(h)
		s.hostAnswered(h, p.sent, by, p.to.Port())
	}
	s.turn(h)
	s.scheduleControl(h)
}

// requeueUnproven queues all pairs again that wait for an answer of their host.
func (s *sweep) requeueUnproven(h *host) {
	u := h.up
	for _, list := range [][]unsettled{u.held, u.parked} {
		for _, q := range list {
			s.unsettled--
			s.putBack(h, q)
		}
	}
	u.held, u.parked = nil, nil
}

// uncontrolled records that a try of a control stayed silent.
func (s *sweep) uncontrolled(h *host) {
	u := h.up
	s.sampled.sent, s.sampled.lost = s.sampled.sent+1, s.sampled.lost+1
	most := max(controlTries, s.tries(h))
	if u.failed {
		most = backTries
	}
	if u.tries++; u.tries >= most {
		with, ok := u.other(u.with + 1)
		if !ok {
			s.pauseOrBlock(h)
			return
		}
		u.with, u.tries = with, 0
	}
	s.approach(h)
}

// pauseOrBlock pauses a host whose controls stay silent, or gives it up. The pairs that
// wait for their turn release their slots.
func (s *sweep) pauseOrBlock(h *host) {
	u := h.up
	if !u.failed {
		u.failed, u.pausedAt, u.pause = true, s.now, firstPause
		s.slowDown(h)
		s.drain(h)
	}
	spent := s.now - u.pausedAt
	left := min(s.c.longestPause-spent, allPauses-u.waited-spent)
	if left <= 0 {
		s.block(h)
		return
	}
	u.phase, u.until = paused, s.now+min(u.pause, left)
	u.pause *= 2
	s.alarm(h, u.until)
}

// slowDown halves the rate at which a host is probed, because the rate may be why it
// stopped answering.
func (s *sweep) slowDown(h *host) {
	h.silentFirst = 0
	average := (s.now - h.first) / time.Duration(max(h.probes, 1))
	h.up.gap = min(max(2*h.up.gap, 2*average, time.Millisecond), slowest)
}

// resumeHost resumes a host whose pause is over.
func (s *sweep) resumeHost(h *host) {
	u := h.up
	switch u.phase {
	case quiet, paused:
		if s.now < u.until {
			s.alarm(h, u.until)
			return
		}
		if u.phase == paused {
			u.tries, u.with = 0, u.best()
		}
		s.approach(h)
	default:
		s.turn(h)
	}
}

// controlDue reports whether the silent pairs of a host require a control.
func (s *sweep) controlDue(h *host) bool {
	u, n := h.up, len(h.up.held)
	switch {
	case len(h.guarded) > 0:
		return true
	case n+len(u.parked) == 0:
		return false
	case u.proof < 0: // it was not probed in this run
		return true
	case n >= int(u.every), len(u.parked) >= min(parkedControl*int(u.every), lastControl), s.unsettled >= maxUnsettled, s.over(h):
		return true
	case n >= oldControl && s.now-u.proof >= controlAge:
		return true
	}
	n += len(u.parked)
	share := s.answering(h)
	return share >= 0.5 && math.Pow(1-share, float64(n)) < unlikely
}

// answering returns the fraction of the pairs of a host that answer, 0 while too
// little is known. Pairs that are to be probed again count as silent, and so do those
// that wait until the loss is known.
func (s *sweep) answering(h *host) float64 {
	answers, silent := float64(h.est.answers), h.up.silent+len(h.up.again)
	if answers < fewAnswers {
		return 0
	}
	if s.cfg.Retries < 0 {
		silent += len(h.up.late)
	}
	return answers / (answers + float64(silent) + 2)
}

// finishParts probes the controls at the end of the parts of all hosts, after the last
// pair was drawn.
func (s *sweep) finishParts() {
	s.drawn = true
	for _, h := range s.hosts.hosts {
		if h.up != nil {
			s.conclude(h)
			s.scheduleControl(h)
		} else {
			s.endSilent(h)
		}
	}
}
