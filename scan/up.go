package scan

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// A way is how a pair that is known to answer does so. Controls prefer the first.
type way uint8

const (
	byReset  way = iota // costs the host least, and no service notices
	byICMP              // hosts limit the rate of these
	byAccept            // uses a connection of the host
	ways
)

// A phase is what a sweep does with a host that is up.
type phase uint8

const (
	trusted phase = iota // its pairs are probed
	quiet                // nothing is probed until a control by ICMP may be sent
	asking               // a control waits for its turn, or for its answer
	paused               // a control stayed silent: nothing is probed for a while
	blocked              // controls stayed silent to the end: nothing is probed any more
)

// An upHost is the data of a sweep about a host that is up: how to check whether it is
// still there, and the silent pairs that wait for the answer.
type upHost struct {
	memory // the fields that each pair needs come first, as in host

	phase  phase
	with   way  // way of the control that is probed
	failed bool // a control stayed silent, and none has been answered since
	listed bool // the control waits for its turn
	flying bool // the control waits for its answer
	tries  int  // tries of it that stayed silent
	silent int  // pairs whose silence was proven

	held   []unsettled // silent pairs that were probed after the proof
	parked []unsettled // pairs silent once, after the proof: the further tries wait for the next proof
	late   []unsettled // proven pairs that are probed once more at the end
	again  []unsettled // pairs to be probed, again or for the first time

	pausedAt     time.Duration
	pause        time.Duration // length of the next pause
	waited       time.Duration // total of the past pauses
	until, alarm time.Duration // when the phase ends; the next alarm, 0 for none
	next         time.Duration // when the next pair may be probed, if gap is set
	why          error         // the error of a blocked host
}

// A memory is what a sweep keeps until its end about a host that is up.
type memory struct {
	proof    time.Duration // when the latest probe that the host answered was sent; negative if not in this run
	gap      time.Duration // the minimum time between two probes, since a control failed
	known    [ways]uint16  // a port that answers in each way
	has      uint8         // the ways for which one is known
	every    uint16        // silent pairs that require a control
	requeues uint8         // how often all pairs were probed again after a control that needed two tries
	gone     bool          // blocked
	block    uint8         // its position in the list of blocked hosts plus one, 0 for none
}

// noProof is the proof of a host that answered only an earlier run.
const noProof = time.Duration(-1)

// An unsettled pair was silent, or is to be probed, and has no result yet.
type unsettled struct {
	sent, ended time.Duration // when the last probe was sent, and the wait for its answer ended
	wait        time.Duration // how long the tries were awaited
	from        netip.Addr    // the sender of the ICMP error, if there was one
	port        uint16
	attempts    uint16 // probes that count
	earlier     uint16 // probes that do not count, because a control failed after them
	as          dialer.Outcome
	last        bool // it was probed once more at the end
}

// voidTries makes the probes so far count no more.
func (q *unsettled) voidTries() { q.attempts, q.earlier = 0, q.earlier+q.attempts }

// maxUnsettled is how many pairs without a result and a slot are kept. Beyond it, each
// further one requires a control.
const maxUnsettled = 1 << 19

// onHold reports whether the pairs of the host are not probed now.
func (u *upHost) onHold() bool {
	return u.failed || u.phase == quiet || u.phase == blocked || u.phase == asking && u.with == byICMP
}

// pinned reports whether there is more to keep of the host than its memory.
func (h *host) pinned() bool {
	if h.pairs > 0 || len(h.unproven)+len(h.waiting)+len(h.guarded) > 0 {
		return true
	}
	u := h.up
	return u != nil && (len(u.held)+len(u.parked)+len(u.late)+len(u.again) > 0 || u.phase != trusted && u.phase != blocked)
}

// rejectsOnly reports whether the host has sent nothing but ICMP errors. If it has
// also answered in another way, they count as silence: a host that has banned the
// scanner may reject it (fail2ban does), also on its open ports.
func (u *upHost) rejectsOnly() bool { return u.has == 1<<byICMP }

// hostAnswered records that the host itself answered a probe for a port that was sent at
// sent. It proves the silent pairs that were probed before.
func (s *sweep) hostAnswered(h *host, sent time.Duration, by way, port uint16) {
	u := h.up
	if u == nil {
		u = &upHost{memory: memory{proof: noProof, every: firstControl}}
		h.up = u
		s.firstAnswer(h, sent)
	}
	u.known[by] = port
	u.has |= 1 << by
	if !u.failed {
		h.net.up, s.lastUp = h.addr, h.addr
	}
	if u.failed || sent <= u.proof || by == byICMP && !u.rejectsOnly() {
		return // only a control shows that the host is back, or does not block the scanner
	}
	u.proof = sent
	h.net.proof = max(h.net.proof, sent)
	s.resumeNets(h, sent)
	s.release(h)
}

// silence handles a pair whose last probe had no conclusive answer.
func (s *sweep) silence(i int32) {
	p := &s.probes[i]
	if p.as == dialer.ZeroWindow {
		s.finish(i, Result{State: result.StateUnknown, Reason: result.ReasonZeroWindow, Err: fmt.Errorf("connecting to %v: it advertises a zero window", p.to)})
		return
	}
	h, q, fromHost := p.host, p.unsettled(s.now), p.noted && p.from == p.to.Addr()
	s.vacate(i)
	switch u := h.up; {
	case u == nil:
		s.silentHost(h, q)
		return
	case u.phase == blocked:
		s.yieldBlocked(h, q)
	case u.failed:
		s.putBack(h, q)
	case q.sent < u.proof || fromHost && u.rejectsOnly():
		s.prove(h, q)
		s.conclude(h)
	default:
		u.held = append(u.held, q)
		s.unsettled++
	}
	s.scheduleControl(h)
}

// unsettled returns what is kept of p when its slot is released.
func (p *probe) unsettled(now time.Duration) unsettled {
	return unsettled{sent: p.sent, ended: now, from: p.from, port: p.to.Port(),
		attempts: uint16(p.attempts), earlier: uint16(p.earlier), as: p.as, wait: p.wait, last: p.last}
}

// release proves the silent pairs that were probed before the latest proof.
func (s *sweep) release(h *host) {
	u := h.up
	keep := u.held[:0]
	for _, q := range u.held {
		if q.sent >= u.proof {
			keep = append(keep, q)
			continue
		}
		s.unsettled--
		s.prove(h, q)
	}
	if u.held = keep; len(keep) == 0 {
		u.held = nil
	}
	s.unpark(h)
	s.conclude(h)
}

// prove handles a silent pair after which its host answered. If the loss is so high
// that it was not probed often enough, it is probed again. If its silence is odd, it
// is probed once more at the end, when a short outage is over, and the loss is known
// best.
func (s *sweep) prove(h *host, q unsettled) {
	u := h.up
	switch {
	case int(q.attempts) < s.tries(h):
		u.again = append(u.again, q)
		s.unsettled++
		s.turn(h)
	case !q.last && s.odd(h, &q) && s.unsettled < maxUnsettled:
		u.late = append(u.late, q)
		s.unsettled++
	case s.lossUnknown() && s.unsettled < maxUnsettled/2:
		u.late = append(u.late, q)
		s.unsettled++
	default:
		u.silent++
		s.yieldProven(h, q)
	}
}

// yieldProven reports a silent pair after which its host answered.
func (s *sweep) yieldProven(h *host, q unsettled) {
	r := Result{State: result.StateFiltered, Reason: q.as.Reason()}
	if r.Err = s.tooFewProbes(h, &q); r.Err != nil {
		r.State = result.StateUnknown
	}
	s.yield(h, q, r)
}

// odd reports whether the silence of a pair may have another cause than its port:
// another device sent an ICMP error; the host answers on nearly every other port; or
// it was probed too fast before.
func (s *sweep) odd(h *host, q *unsettled) bool {
	if q.as.Unreachable() {
		return q.from != h.addr
	}
	return s.cfg.Retries >= 0 && (h.up.gap > 0 || s.answering(h) > rare)
}

// over reports whether all pairs of h have been probed.
func (s *sweep) over(h *host) bool {
	return s.drawn && h.pairs == 0 && (h.up == nil || len(h.up.again) == 0)
}

// conclude ends the part of a host whose pairs have all been probed and are all
// proven, except for those that are probed once more.
func (s *sweep) conclude(h *host) {
	u := h.up
	if s.over(h) && len(u.held)+len(u.parked) == 0 && len(u.late) > 0 && (s.cfg.Retries >= 0 || s.sampleLoss(h)) {
		late := u.late
		u.late = nil
		for _, q := range late {
			q.last = true
			u.again = append(u.again, q)
		}
		s.turn(h)
	}
	if !h.pinned() {
		s.hosts.setIdle(h)
	}
}

// yield reports a pair that has no slot.
func (s *sweep) yield(h *host, q unsettled, r Result) {
	r.Target, r.From = netip.AddrPortFrom(h.addr, q.port), q.from
	r.Attempts, r.Time = int(q.attempts)+int(q.earlier), s.start.Add(q.ended)
	s.report(r)
}

// loadEarlier records which hosts were up in earlier runs.
func (s *sweep) loadEarlier() {
	if s.cfg.Earlier == nil {
		return
	}
	for r := range s.cfg.Earlier {
		if !r.FromTarget() {
			continue
		}
		a := r.Target.Addr().Unmap()
		m, ok := s.hosts.kept[a]
		if !ok {
			m = memory{proof: noProof, every: firstControl}
		}
		by := byAccept
		switch {
		case r.State == result.StateClosed:
			by = byReset
		case r.From.IsValid():
			by = byICMP
		}
		m.known[by] = r.Target.Port()
		m.has |= 1 << by
		s.hosts.keep(a, m)
	}
}
