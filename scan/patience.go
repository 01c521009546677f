package scan

import "time"

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
	loss := s.all.lossRate()
	if h.net.est.lost > 0 {
		loss = max(loss, h.net.est.lossRate())
	}
	usual := 1 + s.cfg.Retries
	if s.all.lost == 0 {
		// Nothing was ever lost. One further try remains in any case: what
		// is lost is lost in bursts.
		return min(usual, max(tries(loss), 2))
	}
	return min(max(tries(loss), usual), 5*usual)
}

// unaskedReason says why a question could not be asked.
func unaskedReason(err error) Reason {
	if as, ok := errnoOutcome(err); ok && as.unreachable() {
		return as.reason()
	}
	return ReasonUnknown
}
