package syn

import "time"

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
		case heard && !r.blocked():
			r.outlasted(latest)
			return true
		case r.waited >= r.s.patience:
			r.s.counts.shutOut.Store(true)
			r.s.counts.unproven.Store(true)
			return false
		case heard:
			// How much gets through again takes more answers to tell.
			t.witness(at, r.s.clock.port(at))
			if err := t.flush(at); err != nil {
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
	r.mu.Lock()
	for pass := range int(r.pass.Load()) + 1 {
		if r.ends[pass] > latest {
			r.void[pass], r.ends[pass] = true, 0
		}
	}
	r.mu.Unlock()
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
func (r *run) blocked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.governor.blocked()
}
