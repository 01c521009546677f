package syn

import (
	"fmt"
	"time"

	"mxsweep/scan/syn/rawnet"
)

// A resetChange is that the resets of a host came with another TTL from some time
// on. A firewall that has had enough of the scanner answers so for all ports; where
// paths or machines take turns, the first TTL comes again.
type resetChange struct {
	ttl       uint8
	since     int64    // when the first probe left that was answered with it
	pairs     []uint64 // refused with it, in the order of the answers
	confirmed int      // so often a pair that was refused with the first TTL was with this one
	last      int64    // when the probe left that was
}

// maxTaken bounds the pairs that are remembered of all changes.
const maxTaken = 1 << 20

// How much shows a change for good: so many pairs were refused with the new TTL,
// and a pair that was with the first one so many times behind.
const (
	leastRefused   = 4 // and with the first one
	leastConfirmed = 8
)

// sure reports whether the TTL changed for good.
func (c *resetChange) sure() bool {
	return len(c.pairs) >= leastRefused && c.confirmed >= leastConfirmed
}

// ttl takes in the TTL of a segment of a host, the first one of the pair at a place
// if first is set, that answers a probe which left at sent, give or take slack. It is
// told before the table hears of that probe. The caller holds the lock.
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
	case c != nil && c.ttl != a.TTL, c == nil && sent < h.heard-slack:
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

// mix notes that the resets of a host come with several TTLs by turns.
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
	return fmt.Sprintf("refused since %s with another TTL than before, as by a firewall", e.since.UTC().Format("15:04:05 UTC"))
}
