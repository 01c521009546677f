package fingerprint

import (
	"context"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

const (
	// fewUnproductive, someUnproductive and manyUnproductive are numbers of ports
	// of a host without a result, because they were silent or their replies did
	// not end. From each of them on, the other ports get less time. No mail host
	// has that many; a firewall that accepts connections on all ports has.
	// manyHeldUp is used instead of manyUnproductive if ports that are slow now
	// are counted, too.
	fewUnproductive  = 4
	someUnproductive = 8
	manyUnproductive = 16
	manyHeldUp       = 2 * manyUnproductive

	// A first connection whose reply does not end within detachAfter no longer
	// counts towards the limit of the host; on a slow host after detachFactor
	// times its slowest reply, up to maxDetachAfter. If someUnproductive ports of
	// the host gave no result or are slow, this applies to every connection,
	// after detachSooner plus the time of the slowest reply.
	detachAfter    = time.Second
	detachFactor   = 5
	maxDetachAfter = 4 * time.Second
	detachSooner   = 100 * time.Millisecond

	// turnSize is the share of a host's turns that a port takes: the number of
	// its concurrent probes while its greeting is waited for.
	turnSize = maxPerPort - 1

	// turnLook is how often a port that waits for its turn looks whether it needs one.
	turnLook = time.Second
)

// noteOutcome records whether the dialogue with a port of the host gave a result.
func (h *host) noteOutcome(port uint16, result bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, port)
	if result {
		delete(h.unproductive, port)
		delete(h.noReply, port)
	} else {
		h.unproductive[port] = true
	}
}

// noteNoReply records that a port replied to none of the probes for silent ports.
// Whether it is unproductive is known only after the wait for its greeting.
func (h *host) noteNoReply(port uint16) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, port)
	h.noReply[port] = true
}

// noteSlow records that a port is slow now, and whether it has sent nothing so far.
func (h *host) noteSlow(port uint16, sentNothing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unproductive[port] || h.noReply[port] {
		return
	}
	h.waiting[port] = time.Time{}
	if sentNothing {
		h.waiting[port] = time.Now()
	}
}

// endSlow records that a port is not slow any more.
func (h *host) endSlow(port uint16) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, port)
}

// manyWithoutReply reports whether at least manyUnproductive ports of the host replied to
// no probe, or manyHeldUp together with those that have sent nothing so far.
func (h *host) manyWithoutReply() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.noReply)
	switch {
	case n >= manyUnproductive:
		return true
	case n < fewUnproductive || n+len(h.waiting) < manyHeldUp:
		return false
	}
	now := time.Now()
	for _, since := range h.waiting {
		if !since.IsZero() && now.Sub(since) >= detachAfter {
			n++
		}
	}
	return n >= manyHeldUp
}

// unproductiveLocked returns how many ports of the host gave no result. The caller
// holds the lock.
func (h *host) unproductiveLocked() int { return max(len(h.unproductive), len(h.noReply)) }

// crowded reports whether so many ports of the host gave no result, or are slow,
// that the others get less time.
func (h *host) crowded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.crowdedLocked()
}

func (h *host) crowdedLocked() bool {
	n := h.unproductiveLocked()
	return n >= manyUnproductive || n+len(h.waiting) >= manyHeldUp
}

// holdsUp reports whether at least someUnproductive ports of the host gave no
// result or are slow.
func (h *host) holdsUp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unproductiveLocked()+len(h.waiting) >= someUnproductive
}

// countTrickling adds n to the number of ports whose first reply has begun but
// not ended.
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

// watch makes a connection stop counting towards the limit of its host when the
// other side becomes slow, until stop is called: the first connection of a port,
// and any connection on a host for which holdsUp is true.
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
		if s.saysNothing() || s.trickling {
			s.waitedFor = true
			s.host.noteSlow(s.target.Port(), !s.greetingBegun)
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
		if s.greetingBegun {
			s.waitNoMore()
		}
	}
}

// waitNoMore records that the port is not slow any more. The caller holds the lock.
func (s *session) waitNoMore() {
	if s.waitedFor {
		s.waitedFor = false
		s.host.endSlow(s.target.Port())
	}
}

// detachAfter returns after what time the other side counts as slow: later on a
// host that replies slowly, so that it does not get more load.
func (s *session) detachAfter() time.Duration {
	if s.host.holdsUp() {
		return detachSooner + s.host.slow() + 3*s.rtt
	}
	return max(detachAfter, min(detachFactor*s.host.slow(), maxDetachAfter)) + 3*s.rtt
}

// noteTrickling records that the first reply of the port has begun, but is slow. The
// caller holds the lock.
func (s *session) noteTrickling() {
	if s.overdue && s.greetingBegun && !s.trickling {
		s.trickling = true
		s.host.countTrickling(1)
	}
}

// detach releases what the port does not need while it is slow. The caller holds the
// lock.
func (s *session) detach() {
	if s.detached || s.first == nil {
		return
	}
	if s.detached = s.host.detach(s.first.conn); s.detached && s.idle != nil {
		s.idle(s.saysNothing())
	}
}

// hasShortTime reports whether the port gets no more time, because its reply is slow,
// and those of many ports of its host are. The caller holds the lock.
func (s *session) hasShortTime() bool {
	return s.trickling && (s.host.manyTrickle() || s.host.holdsUp())
}

// A turn is what a port needs before probes for silent ports are sent to it. A
// host has few of them, so that its other ports need not wait.
type turn struct {
	held   int64              // the acquired share of the host's turns; zero: none
	cancel context.CancelFunc // ends the wait for it; nil if there is no wait
	since  time.Time          // start of that wait
	spent  time.Duration      // duration of earlier waits
}

// waited returns how long the port has waited for its turn.
func (t *turn) waited() time.Duration {
	if t.cancel != nil {
		return t.spent + time.Since(t.since)
	}
	return t.spent
}

// wantTurn reports whether the port has a turn, and begins to wait for one if it
// has none. The caller holds the lock.
func (s *session) wantTurn(ctx context.Context) bool {
	if s.turn.held == 0 && s.brief() {
		s.leaveTurn()
		return true // its few probes run concurrently with those of others
	}
	if s.turn.held > 0 || s.turn.cancel != nil {
		return s.turn.held > 0
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

// awaitTurn waits for a turn until the context is done.
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

// leaveTurn releases the turn for another port, or ends the wait for it. The caller
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
	if s.repliedToNothing() && len(s.order) > 0 {
		s.host.noteNoReply(s.target.Port())
	}
}

// brief reports whether the port, which is silent so far, gets only the first
// probe and those suggested by its number, because so many others of its host are
// silent. One that replies to any of them gets the others too. The caller holds
// the lock.
func (s *session) brief() bool {
	return !s.second && !s.id.Record && s.repliedToNothing() && s.host.manyWithoutReply()
}

// skips reports whether a probe is not sent to the port for that reason. The
// caller holds the lock.
func (s *session) skips(p *signatures.Probe) bool {
	if s.suggested[p.ID] || !s.brief() {
		return false
	}
	s.skipped = true
	return true
}

// askSkipped allows the skipped probes if the port is not silent after all, or
// its host is not. The caller holds the lock.
func (s *session) askSkipped() {
	if !s.skipped || s.brief() && !s.greetingBegun {
		return
	}
	s.skipped = false
	s.alive = slices.Clone(s.id.Signatures.Signatures)
	s.observations = slices.Clone(s.id.Signatures.Observations)
}

// suggest returns the first probe for silent ports, and the probes in hints, with
// all that they may wait for.
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
	if p := firstQuestion(set); p != nil {
		add(p.ID)
	}
	return all
}

// firstQuestion returns the probe for silent ports that goes before all others where the
// number of the port suggests none, nil if there is none.
func firstQuestion(set *signatures.Set) *signatures.Probe {
	if i := slices.IndexFunc(set.Probes, func(p *signatures.Probe) bool { return p.Quiet > 0 && p.After == nil }); i >= 0 {
		return set.Probes[i]
	}
	return nil
}
