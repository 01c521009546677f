package scan

import (
	"fmt"
	"math"
	"time"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// Bounds of the wait for one answer. An answer that takes much longer than others of
// its host or net is rare but real: a machine that sleeps, a link that was down. So
// every try is awaited at least this long, and the last one longer, the less is known
// of the host.
const (
	shortest    = 30 * time.Millisecond   // any try
	nearLast    = 100 * time.Millisecond  // the last, if the host or its net answered before
	steadyLast  = 50 * time.Millisecond   // and if many answers came fast, none of them after a loss
	strangeLast = time.Second             // if only other nets did (RFC 6298, Section 2.1)
	blindFirst  = 400 * time.Millisecond  // all but the last, if nothing answered yet
	slowRefusal = 2500 * time.Millisecond // the last, if a refusal may take longer than other answers, and none is known yet
	notedWait   = 250 * time.Millisecond  // at most, after an ICMP error
)

// Windows reports a refusal only after it has sent the SYN three times, half a second
// apart: an open port answers in one round trip, a closed one about a second later. A
// test dialer, or one in place of the kernel, may do so too.

// patience returns how long the try under way for p is awaited; last says that there
// will be no other.
func (s *sweep) patience(p *probe, last bool) time.Duration {
	h := p.host
	var usual, least time.Duration
	switch {
	case h.est.known():
		usual, least = h.est.timeout(), s.nearLast(p)
	case h.net.est.known():
		usual, least = h.net.est.timeout(), s.nearLast(p)
	case s.all.known():
		usual, least = 2*s.all.timeout(), strangeLast
	case last:
		return s.cfg.Timeout
	default:
		return min(blindFirst, s.cfg.Timeout)
	}
	if s.c.slowRefusals {
		if s.refusals.known() {
			usual = max(usual, s.refusals.timeout())
		} else {
			least = max(least, slowRefusal)
		}
	}
	if last {
		return min(max(3*usual, least), s.cfg.Timeout)
	}
	return min(max(usual, shortest), s.cfg.Timeout)
}

// steadyAnswers is how many answers show how late one may be.
const steadyAnswers = 16

// nearLast returns how long the last try for p is awaited at least, if its host or net
// answered before. Many answers, none of them after a loss, tell how late one may be: a
// pair that was probed twice is awaited five times as long as the longest of them took,
// within bounds. A control is awaited longer, because much depends on it, and so is a try
// that may not be the last: meanwhile answers may show that it is.
func (s *sweep) nearLast(p *probe) time.Duration {
	if p.control || p.attempts < max(2, s.tries(p.host)) || s.all.answers < steadyAnswers || s.all.lost > 0 {
		return nearLast
	}
	return min(max(5*s.all.longest, steadyLast), nearLast)
}

// maybeLast reports whether the second try, which is under way for p, may turn out to be
// the last, although there are too few answers yet to know that nothing gets lost. It is
// awaited as such: in the second round, the controls of the hosts that are up will give
// more of them.
func (s *sweep) maybeLast(p *probe) bool {
	h := p.host
	return p.attempts == 2 && h.second && h.up == nil && s.all.lost == 0 && h.net.est.known() && s.tries(h) == 3
}

// lastWait returns how much longer the latest probe is awaited if it is the last one
// for its pair.
func (s *sweep) lastWait() time.Duration {
	if s.latest.host == nil {
		return 0
	}
	return max(0, s.latest.sent+s.patience(&s.latest, true)-s.now)
}

// tries returns how many probes a silent pair of h gets.
func (s *sweep) tries(h *host) int { return s.triesAt(s.lossRate(h)) }

// triesAt returns how many probes a silent pair gets where so many are lost.
func (s *sweep) triesAt(loss float64) int {
	if s.cfg.Retries < 0 {
		return 1
	}
	usual := 1 + s.cfg.Retries
	switch {
	case !s.all.known():
		return usual // and the kernel repeats the last one, which is awaited for so long
	case s.all.lost == 0:
		// Nothing was ever lost, as far as these answers tell. One further try
		// remains in any case: what is lost is lost in bursts.
		return min(max(triesWithoutLoss(s.all.sent), 2), usual+1)
	}
	return min(max(tries(loss), usual), 5*usual)
}

// lossRate is the probability that a probe of a host, or its answer, is lost. If each
// pair is probed once, a pair that answers says nothing about lost ones; only controls
// do.
func (s *sweep) lossRate(h *host) float64 {
	if s.cfg.Retries < 0 {
		return s.sampled.lossRate()
	}
	loss := s.all.lossRate()
	if h.net.est.lost > 0 {
		loss = max(loss, h.net.est.lossRate())
	}
	return loss
}

// A FewProbesError says that the silence of a pair proves nothing although its host is
// up: so much is lost on the path that all its probes may have been.
type FewProbesError struct {
	Loss   float64 // the fraction of probes or answers that are lost
	Probes int     // how many were sent
}

// Error returns both numbers.
func (e *FewProbesError) Error() string {
	return fmt.Sprintf("%.0f %% of the probes or their answers are lost, and it was probed %s (--retries)", 100*e.Loss, wording.Plural(e.Probes, "time"))
}

// maxMissed is how likely it may be that all probes of a silent pair were lost: not
// more than the fraction that the default of --min-coverage allows to be unknown.
const maxMissed = 0.05

// TooFewProbes returns a [FewProbesError] if, at this loss, all of these probes may
// have been lost; nil if their silence counts.
func TooFewProbes(loss float64, probes int) error {
	if math.Pow(loss, float64(probes)) <= maxMissed {
		return nil
	}
	return &FewProbesError{loss, probes}
}

// tooFewProbes returns why a silent pair of a host that is up is not filtered, nil if
// it is. If no loss is known, its silence counts.
func (s *sweep) tooFewProbes(h *host, q *unsettled) error {
	lost := s.all.lost
	if s.cfg.Retries < 0 {
		lost = s.sampled.lost
	}
	if lost == 0 || q.as.Unreachable() {
		return nil
	}
	return TooFewProbes(s.lossRate(h), int(q.attempts))
}

// minSampled is how many controls must have been probed before the loss is known, if
// each pair is probed once.
const minSampled = 9

// lossUnknown reports whether the loss is not known yet.
func (s *sweep) lossUnknown() bool { return s.cfg.Retries < 0 && s.sampled.sent < minSampled }

// sampleLoss ends the part of a host whose pairs are probed once: it probes controls
// until the loss is known, and then reports the silent pairs. It returns false: none
// of them is probed again.
func (s *sweep) sampleLoss(h *host) bool {
	u := h.up
	switch {
	case u.phase != trusted: // a control is under way
	case s.lossUnknown():
		u.tries, u.with = 0, u.best()
		s.approach(h)
	default:
		late := u.late
		u.late = nil
		for _, q := range late {
			s.unsettled--
			u.silent++
			s.yieldProven(h, q)
		}
	}
	return false
}

// notProbedReason returns the reason for a pair that could not be probed.
func notProbedReason(err error) result.Reason {
	if as := dialer.OutcomeOf(err); as.Unreachable() {
		return as.Reason()
	}
	return result.ReasonUnknown
}
