package fingerprint

import (
	"context"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

const (
	// fewUnproductive, someUnproductive and manyUnproductive are how many ports of a
	// host may give nothing, because they are silent or come to no end, before the
	// others are given less time. No mail host has so many; a firewall that accepts for
	// all ports has. manyHeldUp is manyUnproductive where those count, too, that take
	// their time now.
	fewUnproductive  = 4
	someUnproductive = 8
	manyUnproductive = 16
	manyHeldUp       = 2 * manyUnproductive

	// detachAfter is after what time without the end of what the other side says the
	// place of the first connection is given back, or detachFactor times the slowest
	// answer of a slow host, up to maxDetachAfter. Where someUnproductive ports of the
	// host give nothing or take their time, that of any connection is given back
	// detachSooner, or as much later as the slowest answer took.
	detachAfter    = time.Second
	detachFactor   = 5
	maxDetachAfter = 4 * time.Second
	detachSooner   = 100 * time.Millisecond

	// turnSize is how much of the turns of a host a port takes: as many as are asked
	// of it at once while it is listened to.
	turnSize = maxPerPort - 1
)

// gave notes whether the conversation with a port of the host brought anything.
func (h *host) gave(port uint16, something bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, port)
	if something {
		delete(h.unproductive, port)
		delete(h.mute, port)
	} else {
		h.unproductive[port] = true
	}
}

// askedInVain notes that a port was asked what silent ports are asked, and replied to
// nothing. Whether it is unproductive shows only when it was listened to.
func (h *host) askedInVain(port uint16) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, port)
	h.mute[port] = true
}

// waitsFor notes that a port takes its time, and whether it says nothing meanwhile.
func (h *host) waitsFor(port uint16, mute bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unproductive[port] || h.mute[port] {
		return
	}
	h.waiting[port] = time.Time{}
	if mute {
		h.waiting[port] = time.Now()
	}
}

// waitsNoMore notes that a port takes its time no more.
func (h *host) waitsNoMore(port uint16) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, port)
}

// manyMute reports whether manyUnproductive ports of the host, or more, were asked in
// vain, or manyHeldUp with those that say nothing for now.
func (h *host) manyMute() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.mute)
	for _, since := range h.waiting {
		if !since.IsZero() && time.Since(since) >= detachAfter {
			n++
		}
	}
	return len(h.mute) >= manyUnproductive || len(h.mute) >= fewUnproductive && n >= manyHeldUp
}

// unproductiveLocked is how many ports of the host gave nothing.
func (h *host) unproductiveLocked() int { return max(len(h.unproductive), len(h.mute)) }

// crowded reports whether so many ports of the host give nothing, or take their time,
// that the others are given less time.
func (h *host) crowded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.crowdedLocked()
}

func (h *host) crowdedLocked() bool {
	n := h.unproductiveLocked()
	return n >= manyUnproductive || n+len(h.waiting) >= manyHeldUp
}

// holdsUp reports whether someUnproductive ports of the host, or more, give nothing
// or take their time.
func (h *host) holdsUp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unproductiveLocked()+len(h.waiting) >= someUnproductive
}

// countTrickling counts a port, or counts it no more, that has begun to speak and
// takes its time.
func (h *host) countTrickling(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trickling += n
}

// manyTrickle reports whether more than fewUnproductive ports trickle.
func (h *host) manyTrickle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trickling > fewUnproductive
}

// watch gives back the place of a connection if the other side takes its time, until
// it is stopped: that of the first one, and on a host that holds up of any.
func (s *session) watch(w *wire) (stop func()) {
	s.mu.Lock()
	first := w == s.first
	s.mu.Unlock()
	if !first && !s.host.holdsUp() {
		return func() {}
	}
	over := false
	var timer *time.Timer
	armed := make(chan struct{})
	timer = time.AfterFunc(s.detachAfter(), func() {
		<-armed
		s.mu.Lock()
		defer s.mu.Unlock()
		if over {
			return
		}
		if !first {
			if w.detached = w.detached || s.host.detach(w.conn); !w.detached {
				timer.Reset(detachSooner)
			}
			return
		}
		s.overdue = true
		if s.detach(); !s.detached {
			timer.Reset(detachSooner)
		}
		s.noteTrickling()
		if !s.heard && s.mute() || s.trickling {
			s.waitedFor = true
			s.host.waitsFor(s.target.Port(), !s.heard)
		}
	})
	close(armed)
	return func() {
		timer.Stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		over = true
		if !first {
			return
		}
		s.overdue = false
		if s.trickling {
			s.trickling = false
			s.host.countTrickling(-1)
		}
		if s.heard {
			s.waitNoMore()
		}
	}
}

// waitNoMore notes that the port takes its time no more. The caller holds the lock.
func (s *session) waitNoMore() {
	if s.waitedFor {
		s.waitedFor = false
		s.host.waitsNoMore(s.target.Port())
	}
}

// detachAfter is how long the other side may take until its place is given back: on
// a host that answers slowly longer, so that it is not given more to do meanwhile.
func (s *session) detachAfter() time.Duration {
	if s.host.holdsUp() {
		return detachSooner + s.host.slow() + 3*s.rtt
	}
	return max(detachAfter, min(detachFactor*s.host.slow(), maxDetachAfter)) + 3*s.rtt
}

// noteTrickling notes that the port has begun to speak and takes its time. The
// caller holds the lock.
func (s *session) noteTrickling() {
	if s.overdue && s.heard && !s.trickling {
		s.trickling = true
		s.host.countTrickling(1)
	}
}

// detach gives back what the port does not need while it takes its time. The
// caller holds the lock.
func (s *session) detach() {
	if s.detached || s.first == nil {
		return
	}
	if s.detached = s.host.detach(s.first.conn); s.detached && s.idle != nil {
		s.idle(!s.heard && s.mute())
	}
}

// hasShortTime reports whether the port drags out what it says, as so many ports of
// its host do that it is given no more time. The caller holds the lock.
func (s *session) hasShortTime() bool {
	return s.trickling && (s.host.manyTrickle() || s.host.holdsUp())
}

// A turn is what a port needs in order to be asked what silent ports are asked: a
// host has few, so that its other ports are not kept waiting.
type turn struct {
	held   int64              // how much of what the host has; zero: none
	cancel context.CancelFunc // ends the wait for it; nil while none is waited for
	since  time.Time          // when that began
	spent  time.Duration      // on earlier waits
}

// waited is how long the turn was waited for.
func (t *turn) waited() time.Duration {
	if t.cancel != nil {
		return t.spent + time.Since(t.since)
	}
	return t.spent
}

// wantTurn reports whether the port has a turn, and begins to wait for one if it
// has none. The caller holds the lock.
func (s *session) wantTurn(ctx context.Context) bool {
	if s.turn.held > 0 || s.turn.cancel != nil {
		return s.turn.held > 0
	}
	if s.brief() {
		return true // its few questions are waited for beside those of others
	}
	size := int64(turnSize)
	if s.host.turns.TryAcquire(size) {
		s.turn.held = size
		return true
	}
	ctx, s.turn.cancel = context.WithCancel(ctx)
	s.turn.since = time.Now()
	s.running++
	s.goesOutside()
	s.waiting.Go(func() { s.awaitTurn(ctx, size) })
	return false
}

// awaitTurn waits for a turn until nobody wants it any more.
func (s *session) awaitTurn(ctx context.Context, size int64) {
	err := s.host.turns.Acquire(ctx, size)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && ctx.Err() != nil {
		s.host.turns.Release(size)
	} else if err == nil {
		s.turn.held = size
	}
	s.turn.spent = s.turn.waited()
	s.turn.cancel()
	s.turn.cancel = nil
	s.running--
	s.comesInside()
	s.wake()
}

// leaveTurn gives the turn to another port, or waits for it no more. The caller
// holds the lock.
func (s *session) leaveTurn() {
	if s.turn.cancel != nil {
		s.turn.cancel()
	}
	if s.turn.held == 0 {
		return
	}
	s.host.turns.Release(s.turn.held)
	s.turn.held = 0
	if s.mute() && len(s.order) > 0 {
		s.host.askedInVain(s.target.Port())
	}
}

// brief reports whether the port, which is silent so far, is asked only the first
// question and those that its number suggests, because so many others of its host
// are silent. One that replies to any of them is asked the others too. The caller
// holds the lock.
func (s *session) brief() bool {
	return s.host.manyMute() && s.mute() && !s.second && !s.id.Record
}

// skips reports whether a port is not asked a question for that reason. The caller
// holds the lock.
func (s *session) skips(p *signatures.Probe) bool {
	if s.suggested[p.ID] || !s.brief() {
		return false
	}
	s.skipped = true
	return true
}

// askSkipped lets a port be asked everything that is not silent after all, or whose
// host is not. The caller holds the lock.
func (s *session) askSkipped() {
	if !s.skipped || s.brief() && !s.heard {
		return
	}
	s.skipped = false
	s.alive = slices.Clone(s.id.Signatures.Signatures)
	s.observations = slices.Clone(s.id.Signatures.Observations)
}

// suggest returns the first question to silent ports, and the probes that name a
// port, with all that they may wait for.
func suggest(set *signatures.Set, hints map[string]bool) map[string]bool {
	all := make(map[string]bool)
	var add func(id string)
	var walk func([]signatures.Condition)
	walk = func(conditions []signatures.Condition) {
		for i := range conditions {
			walk(conditions[i].Any)
			walk(conditions[i].All)
			add(conditions[i].Probe)
		}
	}
	add = func(id string) {
		p := set.Probe(id)
		if p == nil || all[id] {
			return
		}
		all[id] = true
		walk(p.After)
	}
	for id := range hints {
		add(id)
	}
	if i := slices.IndexFunc(set.Probes, func(p *signatures.Probe) bool { return p.Quiet > 0 && p.After == nil }); i >= 0 {
		add(set.Probes[i].ID)
	}
	return all
}
