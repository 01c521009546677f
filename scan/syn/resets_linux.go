package syn

import (
	"slices"
	"time"

	"mxsweep/scan"
)

// confirmResets asks hosts whose resets came with another TTL from some time on for
// a pair that they had refused before, until it is sure that the change is for good,
// or is none.
func (r *run) confirmResets(pass int) {
	t := r.hosts
	for range 2 * leastConfirmed {
		before := now() - int64(r.timeout())
		ids := r.pick(func(h *upHost) bool {
			c := t.resets[h.first]
			if c == nil || len(c.pairs) < leastRefused || c.sure() {
				return false
			}
			enough := silence(r.s.counts.lossNow())
			t.expire(h, before, enough, true)
			return h.missed < enough
		})
		if len(ids) == 0 || r.ctx.Err() != nil {
			return
		}
		r.askControls(pass, ids)
		// The next probe has another source port, which may take another path.
		for end := now() + int64(max(r.timeout(), 4*r.s.clock.tick())); now() < end && r.ctx.Err() == nil && r.awaited(ids); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(4 * r.s.clock.tick())
	}
}

// awaited reports whether one of some hosts has not yet answered its control.
func (r *run) awaited(ids []uint32) bool {
	r.hosts.mu.Lock()
	defer r.hosts.mu.Unlock()
	return slices.ContainsFunc(ids, func(id uint32) bool { return r.hosts.all[id].asked != 0 })
}

// takeBack yields the pairs that were refused once the resets of their host had
// changed for good: nobody knows what the host itself says of them. It returns
// false if no more is wanted.
func (r *run) takeBack(attempts int, yield func(scan.Result) bool) bool {
	t, c := r.hosts, &r.s.counts
	t.mu.Lock()
	var hosts []uint64
	for first, change := range t.resets {
		if change.sure() {
			hosts = append(hosts, first)
		}
	}
	t.mu.Unlock()
	slices.Sort(hosts)
	for _, first := range hosts {
		change := t.resets[first]
		since := time.Unix(0, change.since)
		change.pairs = slices.DeleteFunc(change.pairs, func(i uint64) bool { return !r.refused.has(i) }) // accepted since
		n := uint64(len(change.pairs))
		c.closed.Add(-n)
		c.blockedPairs.Add(n)
		c.block(scan.BlockedHost{Addr: r.s.view.at(first).Addr(), Since: since, Pairs: n, Resets: true})
		err := &changedResetError{since}
		for _, i := range change.pairs {
			if !yield(scan.Result{Target: r.s.view.at(i), State: scan.StateUnknown, Reason: scan.ReasonBlocked, WasClosed: true,
				Attempts: attempts, Time: time.Now(), Err: err}) {
				return false
			}
		}
	}
	return true
}
