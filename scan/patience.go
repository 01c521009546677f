package scan

import (
	"fmt"
	"math"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// Bounds of the wait for one answer. An answer that takes much longer than
// others of its host or net did is rare but real: a machine that sleeps, a
// link that was down. So every try is awaited at least so long, and the last
// one longer, the less is known of the host.
const (
	shortest    = 30 * time.Millisecond   // any try
	nearLast    = 100 * time.Millisecond  // the last, if the host or a neighbour answered before
	strangeLast = time.Second             // if only other nets did (RFC 6298, Section 2.1)
	blindFirst  = 500 * time.Millisecond  // the first, if nobody answered yet; then twice that, and so on
	slowRefusal = 2500 * time.Millisecond // the last, where a refusal may take longer than other answers, and none is known yet
	notedWait   = 250 * time.Millisecond  // at most, for one of which an ICMP error was heard
)

// Windows tells of a refusal only after it has sent the SYN three times, half a
// second apart: an open port answers in a round trip, a closed one about a
// second later. What connects for a test, or in place of the kernel, may too.

// patience returns how long the try under way for p is awaited; last says
// that there will be no other.
func (s *sweep) patience(p *probe, last bool) time.Duration {
	h := p.host
	var usual, least time.Duration
	switch {
	case h.est.known():
		usual, least = h.est.timeout(), nearLast
	case h.net.est.known():
		usual, least = h.net.est.timeout(), nearLast
	case s.all.known():
		usual, least = 2*s.all.timeout(), strangeLast
	case last:
		return s.cfg.Timeout
	default:
		return blindWait(p.attempts, s.cfg.Timeout)
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

// blindWait is how long the given try, from 1 and not the last, is awaited where
// nobody answered yet.
func blindWait(try int, timeout time.Duration) time.Duration {
	return min(blindFirst<<min(try-1, 4), timeout)
}

// tries returns how many probes a silent pair of h gets.
func (s *sweep) tries(h *host) int {
	if s.cfg.Retries < 0 {
		return 1
	}
	loss := s.lossRate(h)
	usual := 1 + s.cfg.Retries
	if s.all.lost == 0 {
		// Nothing was ever lost. One further try remains in any case: what
		// is lost is lost in bursts.
		return min(usual, max(tries(loss), 2))
	}
	return min(max(tries(loss), usual), 5*usual)
}

// lossRate is the chance that a probe of a host, or its answer, is lost. Where each
// pair is asked once, a pair that answers tells nothing of those that got lost: only
// controls do.
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

// A FewProbesError is why the silence of a pair proves nothing although its host is up:
// so much gets lost on the way that its few probes may all have been.
type FewProbesError struct {
	Loss   float64 // the share of probes or their answers that get lost
	Probes int     // so many were sent
}

// Error tells both.
func (e *FewProbesError) Error() string {
	return fmt.Sprintf("%.0f %% of the probes or their answers are lost, and it was probed %d times (--retries)", 100*e.Loss, e.Probes)
}

// maxMissed is how likely it may be that all probes of a silent pair got lost: no
// likelier than what the coverage floor lets be unknown.
const maxMissed = 0.05

// TooFewProbes returns a [FewProbesError] if so many probes, of which such a share gets lost,
// may all have got lost; nil if their silence counts.
func TooFewProbes(loss float64, probes int) error {
	if math.Pow(loss, float64(probes)) <= maxMissed {
		return nil
	}
	return &FewProbesError{loss, probes}
}

// tooFewProbes is why a silent pair of a host that is up is not filtered, nil if it is.
// Where nothing is known to get lost, its silence counts.
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

// minSampled is how many controls must have been asked before it is known how much
// gets lost, where each pair is asked once.
const minSampled = 9

// lossUnknown reports whether nothing shows yet how much gets lost.
func (s *sweep) lossUnknown() bool { return s.cfg.Retries < 0 && s.sampled.sent < minSampled }

// sampleLoss ends the part of a host whose pairs are asked once: it asks controls
// until it is known how much gets lost, and then reports the silent pairs. It
// returns false: none of them is asked again.
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

// unaskedReason says why a question could not be asked.
func unaskedReason(err error) result.Reason {
	if as := dialer.OutcomeOf(err); as.Unreachable() {
		return as.Reason()
	}
	return result.ReasonUnknown
}
