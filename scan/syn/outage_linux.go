package syn

import (
	"math"
	"time"
)

const (
	// outagePatience is how long a sweep waits for hosts that stopped answering;
	// it waits for all of them at the same time.
	outagePatience = time.Minute
	// outageGap is the time between two controls of a host that is waited for.
	outageGap = time.Second
	// outageHosts is how many hosts are probed to learn whether an outage is
	// over.
	outageHosts = 64
)

// waitOutOutage is called after a pass. If nothing gets through at any rate, it
// probes controls of some hosts that had answered, and nothing else, until one
// answers: then the outage is over, and further passes repeat the probes sent
// during it. It returns false if none answers: the scanner is blocked, which may
// be why pairs are silent.
func (r *run) waitOutOutage(pass int) bool {
	t := &transmitter{run: r, senders: r.s.senders[0], pass: pass, first: true}
	begun, latest := now(), r.latest()
	for next := begun; r.ctx.Err() == nil; {
		at := now()
		answered := r.latest() > begun
		switch {
		case answered && !r.loss.blocked():
			r.endOutage(latest)
			return true
		case r.waited >= r.s.patience:
			r.s.counts.blockedMidScan.Store(true)
			r.s.counts.unproven.Store(true)
			return false
		case answered:
			// It takes more answers to know how many probes get through again.
			t.validate(at, r.s.clock.port(at))
			if err := t.flush(); err != nil {
				if err != errStopped {
					r.fail(err)
				}
				return false
			}
		case at >= next:
			next = at + int64(outageGap)
			r.askControls(pass, r.someUp(at))
		}
		r.await(at + int64(10*time.Millisecond))
		r.waited += time.Duration(now() - at)
	}
	return false
}

// endOutage records the end of an outage that began after the time latest: the
// passes it affected prove nothing, and no host is suspect because of it.
func (r *run) endOutage(latest int64) {
	r.loss.mu.Lock()
	for pass := range int(r.pass.number.Load()) + 1 {
		if r.loss.ends[pass] > latest {
			r.loss.discarded[pass], r.loss.ends[pass] = true, 0
		}
	}
	r.loss.mu.Unlock()
	r.pick(func(h *upHost) bool {
		r.hosts.gone -= r.hosts.goneOf(h)
		h.asked, h.missed, h.suspect = 0, 0, false
		return false
	})
}

// someUp returns some of the hosts that are up and have no control pending.
func (r *run) someUp(at int64) []uint32 {
	before, n := at-int64(r.timeout()), 0
	return r.pick(func(h *upHost) bool {
		if n == outageHosts {
			return false
		}
		r.hosts.expire(h, before, 1, false)
		if h.asked != 0 {
			return false
		}
		n++
		return true
	})
}

// latest returns when the most recent probe that a host answered was sent.
func (r *run) latest() int64 {
	r.hosts.mu.Lock()
	defer r.hosts.mu.Unlock()
	return r.hosts.latest
}

// blocked reports whether next to nothing gets through.
func (l *lossState) blocked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.governor.blocked()
}

// A recheckedHost is a host that was silent for a while and whose silent pairs
// are probed again: a few, then a control, and the next ones only if the control
// is answered.
type recheckedHost struct {
	id     uint32
	from   uint32        // silent pairs before this place are proven
	to     uint32        // those from from up to here are probed
	before int           // how many probes of its silent pairs counted before
	times  int           // how often those from from up to to are probed
	left   int           // how often they are yet to be probed
	sent   int64         // when they were probed last; 0 if they were not
	silent bool          // the host was silent since then, so that they must be probed again
	waited time.Duration // while it was silent
	next   int64         // no control before this time
}

// recheck probes the silent pairs of hosts until each is proven, or its host has
// been waited for long enough.
func (r *run) recheck(ids []uint32) {
	list, passes, whole := make([]recheckedHost, len(ids)), r.counted(), r.lastWhole()
	for k, id := range ids {
		list[k] = recheckedHost{id: id, waited: r.waited, sent: now(), silent: true}
		r.hosts.mu.Lock()
		if h := &r.hosts.all[id]; !h.suspect && h.since < whole {
			list[k].before = passes
		}
		r.hosts.mu.Unlock()
	}
	t := &transmitter{run: r, senders: r.s.senders[0], pass: int(r.pass.number.Load())}
	for begun := now(); len(list) > 0 && r.ctx.Err() == nil; {
		var controls []uint32
		for k := range list {
			a := &list[k]
			if err := r.askSome(t, a); err != nil {
				if err != errStopped {
					r.fail(err)
				}
				return
			}
			if at := now(); a.left == 0 && at >= a.next {
				controls = append(controls, a.id)
				if a.silent {
					a.next = at + int64(outageGap)
				}
			}
		}
		r.askControls(t.pass, controls)
		r.await(now() + int64(r.timeout()))
		took := time.Duration(now() - begun)
		begun = now()
		left := list[:0]
		for _, a := range list {
			if !r.recheckHeard(&a, took) {
				left = append(left, a)
			}
		}
		list = left
	}
}

// repeats returns how often a pair must be probed so that at most one in a
// thousand of those that answer is missed. loss is the fraction of probes that
// get lost.
func repeats(loss float64) int {
	if loss <= 0.001 {
		return 1
	}
	return int(min(math.Ceil(math.Log(0.001)/math.Log(min(loss, 0.99))), 10))
}

// askSome probes the next few silent pairs of a host, unless its control is
// pending.
func (r *run) askSome(t *transmitter, a *recheckedHost) error {
	if a.sent != 0 && a.left == 0 {
		return nil
	}
	r.hosts.mu.Lock()
	h := r.hosts.all[a.id]
	r.hosts.mu.Unlock()
	if a.sent == 0 {
		a.times = repeats(r.s.counts.lossNow())
		a.left = a.times
	}
	var list []uint64
	for a.to = a.from; a.to < h.pairs && len(list) < int(h.step); a.to++ {
		if i := h.first + uint64(a.to); !r.answered.has(i) {
			list = append(list, i)
		}
	}
	if _, err := t.ask(list); err != nil {
		return err
	}
	a.sent = max(r.pass.lastTx.Load(), 1)
	a.left--
	return nil
}

// recheckHeard handles the result of the control of a host. took is how long it
// was awaited. It reports whether the host is done.
func (r *run) recheckHeard(a *recheckedHost, took time.Duration) (done bool) {
	t, at := r.hosts, now()
	t.mu.Lock()
	defer t.mu.Unlock()
	h, enough := &t.all[a.id], silence(r.s.counts.lossNow())
	switch {
	case r.late(h):
		return true
	case a.left > 0:
		return false
	}
	t.expire(h, at-int64(r.timeout()), enough, true)
	switch {
	case h.proof < a.sent && h.missed < enough:
		return false // the control is probed again at once
	case h.proof < a.sent:
		a.silent = true
		a.waited += took
		return a.waited >= r.s.patience
	case a.silent:
		// The step starts small again: the pairs probed while the host was silent
		// are probed again.
		a.sent, a.silent, a.next, h.step = 0, false, 0, firstStep
		return false
	}
	if n := uint8(min(a.before+a.times, math.MaxUint8)); h.probes == 0 || n < h.probes {
		h.probes = n
	}
	a.from, a.sent = a.to, 0
	h.proven, h.step = a.from, min(2*h.step, lastStep)
	if h.proven == h.pairs {
		h.suspect = false
		return true
	}
	return false
}
