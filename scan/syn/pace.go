package syn

import (
	"math"
	"sync/atomic"
	"time"
)

// A pacer spaces probes out in time. Several transmitters share one. The zero
// pacer does not hold anybody up.
type pacer struct {
	next atomic.Int64  // when the next probe is due, in nanoseconds
	gap  atomic.Uint64 // nanoseconds between probes, as the bits of a float64
}

// set makes the rate so many probes a second; 0 or infinity is no limit.
func (p *pacer) set(rate float64) {
	gap := 0.0
	if rate > 0 && !math.IsInf(rate, 1) {
		gap = 1e9 / rate
	}
	p.gap.Store(math.Float64bits(gap))
}

// rate is the limit in probes a second; infinity if there is none.
func (p *pacer) rate() float64 {
	gap := math.Float64frombits(p.gap.Load())
	if gap == 0 {
		return math.Inf(1)
	}
	return 1e9 / gap
}

// burst is how far the probes may fall behind their time and catch up again:
// no more than what a sleep overshoots by.
const burst = 5 * time.Millisecond

// take takes the time of n probes and returns how long to wait before they
// may leave.
func (p *pacer) take(now int64, n int) time.Duration {
	gap := math.Float64frombits(p.gap.Load())
	if gap == 0 {
		return 0
	}
	for {
		next := p.next.Load()
		at := max(next, now-int64(burst))
		if p.next.CompareAndSwap(next, at+int64(gap*float64(n))) {
			return time.Duration(at - now)
		}
	}
}

// batch is how many probes may leave at once at the pacer's rate: what is due
// in a millisecond, so that a slow run does not arrive in lumps.
func (p *pacer) batch(most int) int {
	gap := math.Float64frombits(p.gap.Load())
	if gap == 0 {
		return most
	}
	return max(1, min(most, int(float64(time.Millisecond)/gap)))
}
