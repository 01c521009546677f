package scan

import "time"

// A counting says how a probe counts at its host. A SYN that stays silent opens
// no connection there: once it has been awaited for longer than answers take, it
// no longer counts, and the scanner only listens for its answer. Config.PerHost
// limits the connections that may be open.
type counting uint8

const (
	notCounted   counting = iota
	counted               // within PerHost, with a slot of the host
	countedExtra          // beyond PerHost, because earlier silence shows that hardly any will be open
)

// Limits of the time in which an answer is expected. The kernel needs some
// milliseconds to report one, even if it arrived at once.
const (
	minAnswerTime     = 10 * time.Millisecond
	unknownAnswerTime = 150 * time.Millisecond // where nobody answered yet
)

// answerTime returns how long a probe for a host may still open a connection.
func (s *sweep) answerTime(h *host) time.Duration {
	d := unknownAnswerTime
	switch {
	case h.est.known():
		d = h.est.timeout()
	case h.net.est.known():
		d = h.net.est.timeout()
	case s.all.known():
		d = 2 * s.all.timeout()
	}
	return min(max(d, minAnswerTime), s.cfg.Timeout)
}

// extraLimit returns how many probes may count at a host beyond PerHost: as many
// as ports have been silent, so that the number doubles with each round trip,
// divided by the number of open ports plus one, so that at most about one more
// open port is likely among them. A loss halves it.
func (h *host) extraLimit() int { return int(h.silentFirst) / (1 + int(h.opened)) }

// roomAtHost reports whether one more probe may count at a host, as far as this
// sweep knows.
func (s *sweep) roomAtHost(h *host) bool {
	return int(h.counted) < s.cfg.PerHost || int(h.countedExtra) < h.extraLimit()
}

// acquireRoom acquires the right to send one more probe to a host and returns how
// that probe counts, notCounted if it must not be sent now.
func (s *sweep) acquireRoom(h *host) counting {
	switch {
	case int(h.counted) < s.cfg.PerHost && s.acquireHostSlot(h):
		return counted
	case int(h.countedExtra) < h.extraLimit():
		return countedExtra
	}
	return notCounted
}

// setCounted records how a pair counts at its host.
func (s *sweep) setCounted(i int32, as counting) {
	p := &s.probes[i]
	p.counting, p.slotted = as, as == counted
	switch as {
	case counted:
		p.host.counted++
	case countedExtra:
		p.host.countedExtra++
	}
}

// uncount records that a probe no longer counts at its host. Its slot of the
// host, if it has one, is not released.
func (p *probe) uncount() {
	switch p.counting {
	case counted:
		p.host.counted--
	case countedExtra:
		p.host.countedExtra--
	}
	p.counting = notCounted
}

// overdue handles a probe that has been silent for longer than an answer takes.
func (s *sweep) overdue(p *probe) {
	if p.counting == notCounted {
		return
	}
	p.uncount()
	s.releaseHostSlot(p)
	if p.attempts == 1 && p.earlier == 0 && !p.control {
		p.host.silentFirst++
	}
	s.turn(p.host)
}
