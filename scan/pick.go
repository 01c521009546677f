package scan

import (
	"net/netip"

	"github.com/mxsweep/mxsweep/scan/dialer"
)

// stride is how many pairs in a row are skipped before the context, and the room for
// results, are checked again.
const stride = 4096

// pick returns a pair that may be probed now, or none.
func (s *sweep) pick() int32 {
	if i := s.pickControl(); i != none {
		return i
	}
	if i := s.pickOf(&s.turns, func(h *host) { h.queued = false }); i != none {
		return i
	}
	if s.limit != nil && s.inRow < drawsInRow {
		if i := s.draw(); i != none {
			s.inRow++
			return i
		}
	}
	s.inRow = 0
	if i := s.pickOf(&s.further, func(h *host) { h.furtherQueued = false }); i != none {
		return i
	}
	if i := s.pickOf(&s.later, func(h *host) { h.laterQueued = false }); i != none {
		return i
	}
	return s.draw()
}

// pickOf returns a pair that may be probed now of the first host of a list that has
// one, or none. The hosts up to it are taken from the list, and told so.
func (s *sweep) pickOf(list *[]*host, taken func(*host)) int32 {
	for len(*list) > 0 {
		h := (*list)[0]
		*list = (*list)[1:]
		taken(h)
		if i := s.pickAt(h); i != none {
			s.turn(h)
			return i
		}
	}
	return none
}

// drawsInRow is how many pairs are drawn for each further try, where there is a rate:
// or the tries at silent hosts would keep those that answer waiting.
const drawsInRow = 3

// draw returns the next pair of the order that may be asked now, or none. Those in
// front of it wait for their turn.
func (s *sweep) draw() int32 {
	for end := s.next + stride; s.next < min(end, s.space.Len()) && len(s.free) > 0; {
		to, ok := s.advance()
		if !ok {
			continue
		}
		h := s.hosts.find(to.Addr())
		if s.overtime(h, to.Port()) {
			continue
		}
		if h.up != nil && s.setAside(h, to.Port()) {
			continue
		}
		i := s.slot(h, to.Port())
		if h.head == none && (h.up == nil || len(h.up.again) == 0) {
			if at := s.acquireRoom(h); at != notCounted {
				s.setCounted(i, at)
				return i
			}
		}
		s.queue(i, false)
	}
	return none
}

// advance takes the next pair of the order. It is not ok if the pair must not be
// asked: an earlier run has finished it, or it left the scope.
func (s *sweep) advance() (to netip.AddrPort, ok bool) {
	place := s.next
	s.next++
	if s.cfg.Skip != nil && s.cfg.Skip(place) {
		s.stats.Done++
		s.skipped = true
		return to, false
	}
	to = s.space.At(s.order.At(place))
	if !s.cfg.Scope.Allows(to.Addr()) {
		s.skip(to)
		return to, false
	}
	return to, true
}

// pickAt returns a pair of a host that may be probed now, or none.
func (s *sweep) pickAt(h *host) int32 {
	u := h.up
	if !s.roomAtHost(h) || u != nil && u.onHold() {
		return none // turn lists it again
	}
	if u != nil && u.gap > 0 && s.now < u.next {
		s.alarm(h, u.next)
		return none
	}
	if h.head != none {
		at := s.acquireRoom(h)
		if at == notCounted {
			return none // requeueFreed lists it again
		}
		i := h.head
		s.setCounted(i, at)
		if h.head = s.probes[i].next; h.head == none {
			h.tail = none
		}
		return i
	}
	switch {
	case u != nil && len(u.again) > 0:
		return s.pickFrom(h, &u.again)
	case h.inSecondRound():
		return s.pickFrom(h, &h.waiting)
	}
	return none
}

// pickFrom returns a pair of a list that has no slot yet, if it may be probed now, or
// none.
func (s *sweep) pickFrom(h *host, list *[]unsettled) int32 {
	if len(s.free) == 0 {
		s.slotless = append(s.slotless, h)
		return none
	}
	at := s.acquireRoom(h)
	if at == notCounted {
		return none
	}
	q := (*list)[len(*list)-1]
	if *list = (*list)[:len(*list)-1]; len(*list) == 0 {
		*list = nil
	}
	s.unsettled--
	i := s.slot(h, q.port)
	p := &s.probes[i]
	p.attempts, p.earlier, p.as, p.from, p.wait, p.last = int(q.attempts), int(q.earlier), q.as, q.from, q.wait, q.last
	s.setCounted(i, at)
	return i
}

// setAside stores a newly drawn pair without a slot, if its host is not probed now. It
// reports false if the pair is to be probed.
func (s *sweep) setAside(h *host, port uint16) bool {
	u, q := h.up, unsettled{port: port, as: dialer.Silent}
	if u.failed && s.unsettled >= maxUnsettled {
		s.block(h)
	}
	switch {
	case u.phase == blocked:
		s.yieldBlocked(h, q)
		s.hosts.setIdle(h)
	case (u.onHold() || u.gap > 0) && s.unsettled < maxUnsettled:
		s.putBack(h, q)
		s.turn(h)
	default:
		return false
	}
	return true
}

// slot takes a free slot for a pair. There must be one.
func (s *sweep) slot(h *host, port uint16) int32 {
	i := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	h.pairs++
	if h.up == nil {
		s.notUp++
	}
	s.probes[i] = probe{to: netip.AddrPortFrom(h.addr, port), host: h, as: dialer.Silent, spoke: none, next: none, used: true}
	return i
}

// queue lets a pair wait for its turn at its host, before all others there if first is
// set.
func (s *sweep) queue(i int32, first bool) {
	h := s.probes[i].host
	switch {
	case h.up != nil && h.up.failed:
		q := s.probes[i].unsettled(s.now)
		s.vacate(i)
		s.putBack(h, q)
		return
	case h.up != nil && h.up.phase == blocked:
		q := s.probes[i].unsettled(s.now)
		s.vacate(i)
		s.yieldBlocked(h, q)
		return
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

// turn queues h if a pair of it, or its control, may be probed.
func (s *sweep) turn(h *host) {
	if !s.roomAtHost(h) {
		return
	}
	u := h.up
	if u != nil && u.phase == asking && !u.listed && !u.flying {
		u.listed = true
		s.controls = append(s.controls, h)
	}
	if u != nil && u.onHold() {
		return
	}
	switch {
	case h.head != none && s.probes[h.head].attempts == 0:
		if !h.queued {
			h.queued = true
			s.turns = append(s.turns, h)
		}
	case h.head != none || u != nil && len(u.again) > 0 || h.inSecondRound():
		s.turnFurther(h)
	}
}

// turnFurther queues h for a further try. The second round comes last: its many tries
// would delay the few at hosts that are up, each of which takes a round trip, and the
// controls after them, which tell how often all others have to be probed.
func (s *sweep) turnFurther(h *host) {
	switch {
	case h.second && h.up == nil:
		if !h.laterQueued {
			h.laterQueued = true
			s.later = append(s.later, h)
		}
	case !h.furtherQueued:
		h.furtherQueued = true
		s.further = append(s.further, h)
	}
}
