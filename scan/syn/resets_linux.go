package syn

import (
	"fmt"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// confirmResets probes hosts whose resets came with another TTL from some time on, on
// a pair that they had refused before, until it is certain that the change is
// permanent, or that there is none.
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
		// The next probe has another source port, and perhaps another path.
		for end := now() + int64(max(r.timeout(), 4*r.s.clock.tick())); now() < end && r.ctx.Err() == nil && r.awaited(ids); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(4 * r.s.clock.tick())
	}
}

// awaited reports whether one of the hosts has not yet answered its control.
func (r *run) awaited(ids []uint32) bool {
	r.hosts.mu.Lock()
	defer r.hosts.mu.Unlock()
	return slices.ContainsFunc(ids, func(id uint32) bool { return r.hosts.all[id].asked != 0 })
}

// takeBack yields the pairs that were refused after the resets of their host had
// changed permanently, because the state that the host itself has is unknown. It
// returns false if the consumer stops.
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
		change.pairs = slices.DeleteFunc(change.pairs, func(i uint64) bool { return !r.refused.has(i) }) // accepted since then
		n := uint64(len(change.pairs))
		c.closed.Add(-n)
		c.blockedPairs.Add(n)
		c.block(scan.BlockedHost{Addr: r.s.view.at(first).Addr(), Since: since, Pairs: n, Resets: true})
		err := &changedResetError{since}
		for _, i := range change.pairs {
			if !yield(scan.Result{Target: r.s.view.at(i), State: result.StateUnknown, Reason: result.ReasonBlocked, WasClosed: true,
				Attempts: attempts, Time: time.Now(), Err: err}) {
				return false
			}
		}
	}
	return true
}

// A resetChange records that the resets of a host came with another TTL from some time
// on. A firewall that blocks the scanner answers like that for all ports; if paths or
// machines alternate, the first TTL comes again.
type resetChange struct {
	ttl       uint8
	since     int64    // when the first probe was sent that was answered with it
	pairs     []uint64 // refused with it, in the order of the answers
	confirmed int      // how many times a pair that was refused with the first TTL was refused with this one
	last      int64    // when the last such probe was sent
}

// maxTaken is how many pairs are stored for all changes.
const maxTaken = 1 << 20

// What shows that a change is permanent: how many pairs were refused with the new TTL,
// and how many times a pair with the first TTL was refused with the new one.
const (
	leastRefused   = 4 // and with the first TTL
	leastConfirmed = 8
)

// sure reports whether the TTL changed for good.
func (c *resetChange) sure() bool {
	return len(c.pairs) >= leastRefused && c.confirmed >= leastConfirmed
}

// ttl handles the TTL of a segment of a host, the first one of the pair at an index if
// first is set, that answers a probe which was sent at sent, plus or minus slack. It
// is called before answered. The caller holds the lock.
func (t *hostTable) ttl(h *upHost, place uint32, a rawnet.Answer, first bool, sent, slack int64) {
	c := t.resets[h.first]
	switch {
	case h.mixed:
	case a.Kind != rawnet.KindReset || a.TTL == h.resetTTL:
		if c != nil && sent > c.since+slack {
			t.mix(h)
		}
		if first && a.Kind == rawnet.KindReset {
			h.resets = min(h.resets, leastRefused) + 1
		}
	case h.resetTTL == 0:
		h.resetTTL, h.resets = a.TTL, 1
	case h.resets < leastRefused && c == nil:
		t.mix(h) // too few to tell
	case c != nil && c.ttl != a.TTL, c == nil && sent < h.proof-slack:
		t.mix(h)
	default:
		if c == nil {
			c = &resetChange{ttl: a.TTL, since: sent}
			t.resets[h.first] = c
		}
		c.since = min(c.since, sent)
		switch {
		case first && t.taken < maxTaken:
			c.pairs = append(c.pairs, h.first+uint64(place))
			t.taken++
		case !first && place == h.tcp && h.kind == rawnet.KindReset && sent > c.last+slack:
			c.confirmed, c.last = c.confirmed+1, sent
		}
	}
}

// mix records that the resets of a host come with several alternating TTLs.
func (t *hostTable) mix(h *upHost) {
	h.mixed = true
	if c := t.resets[h.first]; c != nil {
		t.taken -= len(c.pairs)
		delete(t.resets, h.first)
	}
}

// A changedResetError is why the refusal of a pair proves nothing.
type changedResetError struct{ since time.Time }

// Error says since when.
func (e *changedResetError) Error() string {
	return fmt.Sprintf("refused since %s with a different TTL than before, as by a firewall", e.since.UTC().Format("15:04:05 UTC"))
}
