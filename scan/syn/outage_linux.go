package syn

import "time"

// outagePatience is how many timeouts a sweep waits, in all, for those who
// have stopped to answer.
const outagePatience = 4

// outlast is called behind a pass. Where next to nothing came through in the
// end, however slow, it asks those who had answered before, and nobody else,
// until some do again: then the outage is over, and further passes ask again
// what was asked in it. It reports false if they stay away: somebody shuts the
// scanner out, and what is silent may be so for that.
func (r *run) outlast(pass int) bool {
	t := &transmitter{run: r, senders: r.s.senders[0], pass: pass, first: true}
	for r.blocked() && r.ctx.Err() == nil {
		begun := now()
		if r.patience <= 0 || r.s.config.Retries < 0 {
			r.s.counts.shutOut.Store(true)
			return false
		}
		t.witness(begun, r.s.clock.port(begun))
		if err := t.flush(begun); err != nil {
			if err != errStopped {
				r.fail(err)
			}
			return false
		}
		r.await(begun + int64(10*time.Millisecond))
		r.patience -= time.Duration(now() - begun)
	}
	return true
}

// blocked reports whether next to nothing gets through.
func (r *run) blocked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.governor.blocked()
}
