package syn

import (
	"context"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A hit is the answer of one pair, on its way to the consumer of the results.
type hit struct {
	index uint64
	at    int64 // when it arrived, nanoseconds since 1970
	rtt   time.Duration
	pass  int16 // the pass of its probe, from 0
	kind  rawnet.Kind
	again bool // it had answered as closed before
}

// A run is one sweep under way.
type run struct {
	s    *Scanner
	ctx  context.Context
	stop context.CancelFunc
	walk walk
	pass passState
	loss lossState

	answered    bitmap
	refused     bitmap             // of those, the closed ones
	unreachable map[uint64]unreach // written by the receiver until it ends
	wasSilent   uint64             // pairs that earlier runs found silent, which are also in answered

	hosts   *hostTable
	waited  time.Duration // for hosts that had stopped answering, in outages
	unsound []uint32      // hosts whose silent pairs are not all proven, by first; set at the end

	hits  chan []hit
	spare chan []hit   // batches that were read, for reuse
	peak  atomic.Int64 // longest round trip below a second, in nanoseconds

	over    atomic.Bool   // the receiver may end
	watched chan struct{} // closed when watch has ended
	driven  chan struct{} // closed when drive has ended
}

// A passState is how far the pass under way is, and when the pairs of the passes were
// probed.
type passState struct {
	number  atomic.Int32 // of the pass, from 0
	starts  [passSlots]atomic.Int64
	sending atomic.Bool // it is under way
	restart atomic.Bool // it is too fast to be useful

	cursor atomic.Uint64   // counts of the walk that were given to transmitters
	at     []atomic.Uint64 // the position of each transmitter
	place  atomic.Uint64   // count of the walk at which the first transmitter is

	pacer  pacer
	sent   atomic.Uint64 // SYNs sent in this pass
	lastTx atomic.Int64  // when the latest packet was sent
	end    int64         // when the last SYN of the last pass was sent

	mu     sync.Mutex // guards what follows
	unsent []uint64   // pairs that were taken but not probed
}

// A lossState is what shows the loss, pass by pass, and the rate that follows from it.
type lossState struct {
	found [passSlots]atomic.Uint64 // pairs that answered a probe of the pass

	mu          sync.Mutex // guards what follows
	validations *validations
	asked       [passSlots]tally // of validation probes
	discarded   [passSlots]bool  // passes that do not count: given up, or with an outage
	ends        [passSlots]int64 // when the last SYN of the pass was sent; 0 if it was given up
	governor    governor
	flow        flow
	spread      float64 // SYNs per second at which a pass takes as long as an answer may
}

// unreach is an ICMP error for a pair. It is not final: a router that has just lost
// its neighbor sends one too.
type unreach struct {
	rawnet.ICMPError
	from netip.Addr
	at   int64
}

// maxUnreachable is how many ICMP errors are stored.
const maxUnreachable = 1 << 16

// newRun makes a run, which must be closed.
func newRun(ctx context.Context, s *Scanner) (*run, error) {
	answered, err := newBitmap(s.view.count)
	if err != nil {
		return nil, err
	}
	refused, err := newBitmap(s.view.count)
	if err != nil {
		answered.close()
		return nil, err
	}
	r := &run{
		s: s, walk: newWalk(s.view.count, s.config.Seed),
		pass:     passState{at: make([]atomic.Uint64, len(s.senders))},
		loss:     lossState{validations: newValidations(s.config.Seed), governor: newGovernor(s.config.Rate), flow: flow{pass: -1}, spread: math.Inf(1)},
		answered: answered, refused: refused, unreachable: map[uint64]unreach{},
		hosts: newHostTable(s.config.Retries < 0),
		hits:  make(chan []hit, 64), spare: make(chan []hit, 64),
		watched: make(chan struct{}), driven: make(chan struct{}),
	}
	r.ctx, r.stop = context.WithCancel(ctx)
	s.counts.planned.Store(s.view.count)
	r.recall()
	return r, nil
}

// close frees the memory once all goroutines of the run have ended.
func (r *run) close() {
	r.answered.close()
	r.refused.close()
}

// recall records the pairs that earlier runs have finished. Pairs that answered then
// count as if they had answered now, also for the loss.
func (r *run) recall() {
	if r.s.config.Earlier == nil {
		return
	}
	c := &r.s.counts
	for e := range r.s.config.Earlier {
		i, p := r.s.view.index(e.Target.Addr(), e.Target.Port())
		if p == nil || r.answered.has(i) {
			continue
		}
		r.answered.set(i)
		c.done.Add(1)
		if e.State == result.StateOpen || e.State == result.StateClosed {
			r.loss.found[min(max(e.Attempts-1, 0), passSlots-1)].Add(1)
		}
		switch e.State {
		case result.StateOpen:
			c.open.Add(1)
			r.up(i, p, rawnet.Answer{Kind: rawnet.KindSynAck}, true, 0, false)
			r.loss.validations.offer(i)
		case result.StateClosed:
			c.closed.Add(1)
			r.refused.set(i)
			r.up(i, p, rawnet.Answer{Kind: rawnet.KindReset}, true, 0, false)
			r.loss.validations.offer(i)
		default:
			r.wasSilent++
		}
	}
}

// wait waits until all goroutines of the run have ended.
func (r *run) wait() {
	<-r.driven
	<-r.watched
}

// fail ends the run with an error; the first one is kept.
func (r *run) fail(err error) {
	r.s.mu.Lock()
	if r.s.err == nil {
		r.s.err = err
	}
	r.s.mu.Unlock()
	r.stop()
}

// timeout returns how long an answer may take: twice the longest so far, and a second
// before there was one.
func (r *run) timeout() time.Duration {
	peak := time.Duration(r.peak.Load())
	if peak == 0 {
		return min(time.Second, r.s.config.Timeout)
	}
	return min(max(2*peak+50*time.Millisecond, 100*time.Millisecond), r.s.config.Timeout)
}

var _ scan.Scanner = (*Scanner)(nil)

// refuses reports whether a SYN to an address must not be sent because the time of the
// host is over. If it may be sent, the time of the host begins now at the latest.
func (r *run) refuses(a netip.Addr) bool {
	c := r.s.config.Clock
	if c.Refuses(a) {
		r.s.counts.unproven.Store(true) // a later run has to probe it again
		return true
	}
	c.Begin(a)
	return false
}

// inTime returns those of pairs whose hosts have time left, so that no time is spent
// on pairs that are not sent.
func (r *run) inTime(pairs []uint64) []uint64 {
	if r.s.config.Clock == nil {
		return pairs
	}
	kept := make([]uint64, 0, len(pairs))
	for _, i := range pairs {
		if a := r.s.view.at(i).Addr(); !r.s.config.Clock.Over(a) || !r.refuses(a) {
			kept = append(kept, i)
		}
	}
	return kept
}

// late reports whether a host that is up must not be probed any more because its time
// is over. If it has silent pairs, which a control would have to prove, it was not
// finished.
func (r *run) late(h *upHost) bool {
	c := r.s.config.Clock
	if c == nil {
		return false
	}
	a := r.s.view.at(h.first).Addr()
	return c.Over(a) && (r.silentOf(h) == 0 || r.refuses(a))
}

// short reports whether the host of pair i was not finished in its time.
func (r *run) short(i uint64) bool {
	c := r.s.config.Clock
	return c != nil && c.Short(r.s.view.at(i).Addr())
}
