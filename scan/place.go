package scan

import "time"

// A place is what a probe under way takes at its host while its answer may still
// come. A SYN that stays silent opens nothing there: once it has been awaited for
// longer than answers take, it gives its place away, and is only listened to.
// What counts towards PerHost is what may be open.
type place uint8

const (
	noPlace place = iota
	counted       // one of those that PerHost allows, with a slot of the host
	spare         // beyond those, where earlier silence shows that hardly any will be open
)

// How long an answer is likely to come. The kernel needs some milliseconds to tell
// of one, even if it came at once.
const (
	shortestFresh = 10 * time.Millisecond
	blindFresh    = 150 * time.Millisecond // where nobody answered yet
)

// freshness returns how long a probe for a host may still open a connection.
func (s *sweep) freshness(h *host) time.Duration {
	d := blindFresh
	switch {
	case h.est.known():
		d = h.est.timeout()
	case h.net.est.known():
		d = h.net.est.timeout()
	case s.all.known():
		d = 2 * s.all.timeout()
	}
	return min(max(d, shortestFresh), s.cfg.Timeout)
}

// spares returns how many probes may be fresh at a host beyond PerHost: as many as
// ports have been silent, so that they double from one round trip to the next, but
// so many times less as ports are open that one more at most is likely among them.
// A loss halves them.
func (h *host) spares() int { return int(h.outlived) / (1 + int(h.opened)) }

// placeLeft reports whether one more probe may be fresh at a host, by what this sweep
// has under way there.
func (s *sweep) placeLeft(h *host) bool {
	return int(h.fresh) < s.cfg.PerHost || int(h.spared) < h.spares()
}

// takePlace takes a place at a host for a probe, or returns noPlace.
func (s *sweep) takePlace(h *host) place {
	switch {
	case int(h.fresh) < s.cfg.PerHost && s.acquireHostSlot(h):
		return counted
	case int(h.spared) < h.spares():
		return spare
	}
	return noPlace
}

// occupy gives a pair the place that was taken for it.
func (s *sweep) occupy(i int32, as place) {
	p := &s.probes[i]
	p.place, p.slotted = as, as == counted
	switch as {
	case counted:
		p.host.fresh++
	case spare:
		p.host.spared++
	}
}

// leavePlace gives the place of a probe away; a slot of the host that it has stays.
func (p *probe) leavePlace() {
	switch p.place {
	case counted:
		p.host.fresh--
	case spare:
		p.host.spared--
	}
	p.place = noPlace
}

// outlive deals with a probe that has been silent for longer than an answer takes.
func (s *sweep) outlive(p *probe) {
	if p.place == noPlace {
		return
	}
	p.leavePlace()
	s.releaseHostSlot(p)
	if p.attempts == 1 && p.earlier == 0 && !p.control {
		p.host.outlived++
	}
	s.turn(p.host)
}
