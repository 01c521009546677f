package syn

import (
	"math"
	"time"
)

const (
	// outagePatience is how long a sweep waits for a host that has stopped to
	// answer; all such hosts are waited for at the same time.
	outagePatience = time.Minute
	// outageGap is the time between two controls of a host that is waited for.
	outageGap = time.Second
	// outageHosts is how many hosts are asked whether an outage is over.
	outageHosts = 64
)

// outlast is called behind a pass. Where nothing comes through any more, however
// slow, it asks some who had answered before, and nobody else, until one does
// again: then the outage is over, and further passes ask again what was asked
// in it. It reports false if they stay away: somebody shuts the scanner out,
// and what is silent may be so for that.
func (r *run) outlast(pass int) bool {
	t := &transmitter{run: r, senders: r.s.senders[0], pass: pass, first: true}
	begun, latest := now(), r.latest()
	for next := begun; r.ctx.Err() == nil; {
		at := now()
		heard := r.latest() > begun
		switch {
		case heard && !r.loss.blocked():
			r.outlasted(latest)
			return true
		case r.waited >= r.s.patience:
			r.s.counts.blockedMidScan.Store(true)
			r.s.counts.unproven.Store(true)
			return false
		case heard:
			// How much gets through again takes more answers to tell.
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

// outlasted takes in that an outage is over which began after a moment: the
// passes that it met prove nothing, and no host is to blame.
func (r *run) outlasted(latest int64) {
	r.loss.mu.Lock()
	for pass := range int(r.pass.number.Load()) + 1 {
		if r.loss.ends[pass] > latest {
			r.loss.void[pass], r.loss.ends[pass] = true, 0
		}
	}
	r.loss.mu.Unlock()
	r.pick(func(h *upHost) bool {
		r.hosts.gone -= r.hosts.goneOf(h)
		h.asked, h.missed, h.suspect = 0, 0, false
		return false
	})
}

// someUp are some of the hosts that are up, with no control under way.
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

// latest is when the latest probe left that a host answered.
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

// A recheckedHost is a host that was silent for a while and whose silent pairs are asked
// again: a few, then a control, and the next ones only if that is answered.
type recheckedHost struct {
	id     uint32
	from   uint32        // silent pairs at places in front of it are proven
	to     uint32        // those from from up to here are asked
	before int           // how many probes of its silent pairs counted before
	times  int           // how often those from from up to to are asked
	left   int           // how often they are yet to be asked
	sent   int64         // when they were asked last; 0 if they are not
	silent bool          // the host was, since then, so that they must be asked again
	waited time.Duration // while it was silent
	next   int64         // no control before this
}

// recheck asks the silent pairs of hosts until each is proven, or its host has
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

// repeats is how often a pair is asked so that no more than one in a thousand of
// those that answer is missed.
func repeats(loss float64) int {
	if loss <= 0.001 {
		return 1
	}
	return int(min(math.Ceil(math.Log(0.001)/math.Log(min(loss, 0.99))), 10))
}

// askSome asks the next few silent pairs of a host, unless its control is
// awaited.
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

// recheckHeard takes in what became of the control of a host, if it was awaited
// for so long.
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
	case h.heard < a.sent && h.missed < enough:
		return false // asked again at once
	case h.heard < a.sent:
		a.silent = true
		a.waited += took
		return a.waited >= r.s.patience
	case a.silent:
		// No faster than before: what was asked meanwhile is asked again.
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
