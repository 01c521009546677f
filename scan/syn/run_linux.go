package syn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mxsweep/scan"
	"mxsweep/scan/syn/rawnet"
)

// A hit is the answer of one pair, on its way to whoever takes the results.
type hit struct {
	index uint64
	at    int64 // when it came, nanoseconds since 1970
	rtt   time.Duration
	pass  int16 // the pass that asked, from 0
	kind  rawnet.Kind
	again bool // it had answered as closed before
}

// A run is one sweep under way.
type run struct {
	s        *Scanner
	ctx      context.Context
	stop     context.CancelFunc
	walk     walk
	answered bitmap
	refused  bitmap        // of those, the closed ones
	waited   time.Duration // for those who had stopped answering, in outages
	wasMute  uint64        // pairs that earlier runs found silent, which answered has too
	hosts    *hostTable
	passEnd  int64         // when the last SYN of the last pass left
	unsound  []uint32      // hosts whose silent pairs are not all proven, by first; set once all is asked
	place    atomic.Uint64 // count of the walk that the first transmitter is at
	hits     chan []hit
	spare    chan []hit // batches that were read, to be filled again

	cursor  atomic.Uint64   // counts of the walk that are handed out
	at      []atomic.Uint64 // where each transmitter is
	pass    atomic.Int32
	starts  [passSlots]atomic.Int64
	found   [passSlots]atomic.Uint64 // pairs that answered a probe of the pass
	sentIn  atomic.Uint64            // SYNs that left in this pass
	lastTx  atomic.Int64
	peak    atomic.Int64 // longest round trip met below a second, in nanoseconds
	sending atomic.Bool  // a pass is under way
	restart atomic.Bool  // the pass goes too fast to be of use
	over    atomic.Bool  // the receiver may end
	pacer   pacer
	watched chan struct{} // closed when watch has ended
	driven  chan struct{} // closed when drive has ended

	mu        sync.Mutex // guards what follows
	witnesses *witnesses
	asked     [passSlots]tally // of witnesses
	void      [passSlots]bool  // passes given up, or that met an outage
	ends      [passSlots]int64 // when the last SYN of the pass left; 0 if it was given up
	governor  governor
	flow      flow
	spread    float64  // SYNs a second at which a pass takes as long as an answer may
	unsent    []uint64 // pairs that were handed out and not asked

	unreachable map[uint64]unreach // written by the receiver until it ends
}

// unreach is an ICMP error for a pair. It is not the last word: a router that
// has just lost its neighbour says so too.
type unreach struct {
	rawnet.ICMPError
	from netip.Addr
	at   int64
}

// maxUnreachable bounds what is remembered of ICMP errors.
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
		s: s, walk: newWalk(s.view.count, s.config.Seed), answered: answered, refused: refused, hosts: newHostTable(s.config.Retries < 0),
		hits: make(chan []hit, 64), spare: make(chan []hit, 64), witnesses: newWitnesses(s.config.Seed),
		governor: newGovernor(s.config.Rate), flow: flow{pass: -1}, spread: math.Inf(1), unreachable: map[uint64]unreach{},
		at:      make([]atomic.Uint64, len(s.senders)),
		watched: make(chan struct{}), driven: make(chan struct{}),
	}
	r.ctx, r.stop = context.WithCancel(ctx)
	s.counts.planned.Store(s.view.count)
	r.recall()
	return r, nil
}

// close gives the memory back once all goroutines of the run have ended.
func (r *run) close() {
	r.answered.close()
	r.refused.close()
}

// recall takes in what earlier runs were done with. What answered then counts
// as if it had answered now: it is among what the loss is judged by.
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
		if e.State == scan.StateOpen || e.State == scan.StateClosed {
			r.found[min(max(e.Attempts-1, 0), passSlots-1)].Add(1)
		}
		switch e.State {
		case scan.StateOpen:
			c.open.Add(1)
			r.up(i, p, rawnet.Answer{Kind: rawnet.KindSynAck}, true, 0, false)
			r.witnesses.offer(i)
		case scan.StateClosed:
			c.closed.Add(1)
			r.refused.set(i)
			r.up(i, p, rawnet.Answer{Kind: rawnet.KindReset}, true, 0, false)
			r.witnesses.offer(i)
		default:
			r.wasMute++
		}
	}
}

// wait waits until all goroutines of the run have ended.
func (r *run) wait() {
	<-r.driven
	<-r.watched
}

// fail ends the run with an error, the first of which counts.
func (r *run) fail(err error) {
	r.s.mu.Lock()
	if r.s.err == nil {
		r.s.err = err
	}
	r.s.mu.Unlock()
	r.stop()
}

// timeout is how long an answer may take: twice the longest that one took,
// and a second as long as there was none.
func (r *run) timeout() time.Duration {
	peak := time.Duration(r.peak.Load())
	if peak == 0 {
		return min(time.Second, r.s.config.Timeout)
	}
	return min(max(2*peak+50*time.Millisecond, 100*time.Millisecond), r.s.config.Timeout)
}

// drive leads the run through its passes, and tells the receiver to end.
func (r *run) drive() {
	defer close(r.driven)
	defer r.over.Store(true)
	if r.done() {
		return
	}
	if err := r.resolve(); err != nil {
		r.fail(err)
		return
	}
	from := r.begin()
	for pass := from.Pass; pass < passSlots && r.ctx.Err() == nil; pass++ {
		r.onePass(pass, from.Asked)
		from.Asked = 0
		r.control(pass, false)
		r.settle(pass)
		if r.done() {
			r.confirmResets(pass)
			return
		}
		if r.ctx.Err() != nil || (r.blocked() || r.allSilent(pass)) && !r.outlast(pass) {
			break
		}
		if r.enough(pass) && (!r.noneAnswers(pass) || !r.outlast(pass)) {
			break
		}
	}
	r.confirm()
	cool := r.s.config.Cooldown
	if cool <= 0 {
		cool = r.timeout()
		if r.peak.Load() > 0 {
			cool = min(max(2*cool, 250*time.Millisecond), r.s.config.Timeout)
		}
	}
	r.await(r.lastTx.Load() + int64(cool))
	if err := r.s.check(); err != nil && r.ctx.Err() == nil {
		r.fail(err)
	}
	r.s.counts.silentTwice.Store(r.ctx.Err() == nil && r.twice())
}

// onePass asks all pairs, or those still silent, from a count of the walk on.
func (r *run) onePass(pass int, from uint64) {
	// No source port may belong to two passes.
	tick := int64(r.s.clock.tick())
	r.await((now()/tick + 1) * tick)
	r.starts[pass].Store(now() / tick * tick)
	r.pass.Store(int32(pass))
	r.enterPass(pass, from)
	r.s.counts.asked.Store(from)
	r.s.counts.toAsk.Store(r.walk.length())
	r.restart.Store(false)
	r.cursor.Store(from)
	r.mu.Lock()
	r.spread = math.Inf(1)
	r.sentIn.Store(0)
	r.flow.begin(now(), r.s.counts.sent.Load())
	if pass > 0 {
		// A later pass takes at least as long as an answer may take, so that
		// each pair has had its time when it is asked again: in its even
		// flow, short queues on the way do not overflow.
		silent := r.s.view.count - min(r.s.counts.answered()+r.wasMute, r.s.view.count)
		r.spread = float64(max(silent, 1)) / r.timeout().Seconds()
	}
	r.pacer.set(math.Min(r.governor.rate, r.spread))
	r.mu.Unlock()
	r.place.Store(from)
	r.planControls(from)
	r.sending.Store(true)
	var group sync.WaitGroup
	for i, row := range r.s.senders {
		t := &transmitter{run: r, senders: row, pass: pass, number: i, first: i == 0}
		group.Go(t.run1)
	}
	group.Wait()
	r.sending.Store(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.passEnd = r.lastTx.Load()
	if !r.restart.Load() && from == 0 {
		r.ends[pass] = r.passEnd
	}
	r.flow.look(r.lastTx.Load(), r.s.counts.sent.Load(), r.timeout(), pass, true)
}

// settle waits until what was asked first in a pass has had its time, and
// judges the pass by itself.
func (r *run) settle(pass int) {
	begun := r.starts[pass].Load()
	r.await(begun + int64(r.timeout()))
	r.control(pass, true)
	r.mu.Lock()
	defer r.mu.Unlock()
	took := max(time.Duration(r.lastTx.Load()-begun), time.Millisecond)
	r.countWitnesses()
	r.void[pass] = r.judge(true) || r.restart.Load()
	r.tellLoss(r.record(pass))
	r.s.counts.roundTrip.Store(r.peak.Load())
	if pass == 0 {
		r.s.counts.mu.Lock()
		r.s.counts.first = float64(r.sentIn.Load()) / took.Seconds()
		r.s.counts.mu.Unlock()
	}
}

// done reports whether nothing is left to ask.
func (r *run) done() bool { return r.s.counts.answered()+r.wasMute >= r.s.view.count }

// enough reports whether no further pass is needed.
func (r *run) enough(last int) bool {
	if err := r.s.check(); err != nil {
		r.fail(err)
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	past := r.record(last)
	if r.s.config.Retries < 0 {
		return len(past.passes) > 0
	}
	passes := len(past.passes) - 1
	least := passes >= r.s.config.Retries || passes > 0 && past.lossless()
	return least && past.enough(r.s.counts.open.Load(), r.s.counts.answered())
}

// record is what is known of the loss up to a pass: a pair that answered in
// a later pass had been lost in the earlier ones, and witnesses know of all.
// Where each pair is asked once, those that answer tell nothing of those that got
// lost: controls count instead. The caller holds the lock.
func (r *run) record(last int) *record {
	var past record
	later := uint64(0)
	for i := last; i >= 0; i-- {
		here := r.found[i].Load()
		t := tally{asked: here + later + r.asked[i].asked, lost: later + r.asked[i].lost}
		if r.hosts.once {
			c := r.controlsOf(i)
			t = tally{asked: r.asked[i].asked + c.asked, lost: r.asked[i].lost + c.lost}
		}
		if !r.void[i] && !r.dead(i) {
			past.passes = append(past.passes, t)
		}
		later += here
	}
	return &past
}

// await waits until a time, or until all is over.
func (r *run) await(until int64) {
	for r.ctx.Err() == nil && !r.done() {
		left := time.Duration(until - now())
		if left <= 0 {
			return
		}
		timer := time.NewTimer(min(left, 10*time.Millisecond))
		select {
		case <-timer.C:
		case <-r.ctx.Done():
			timer.Stop()
		}
	}
}

// check reports an interface that has gone down.
func (s *Scanner) check() error {
	links, err := s.netlink.Links()
	if err != nil {
		return err
	}
	for _, out := range s.outs {
		switch l, ok := links[out.Index]; {
		case !ok:
			return fmt.Errorf("sending on interface %q: %w", out.Name, errors.New("it is gone"))
		case !l.Up:
			return fmt.Errorf("sending on interface %q: %w", out.Name, errors.New("it went down"))
		case !l.Running:
			return fmt.Errorf("sending on interface %q: %w", out.Name, errors.New("it has lost its carrier"))
		}
	}
	return nil
}

// resolve finds the hardware addresses of the pairs that are on a link of
// ours.
func (r *run) resolve() error {
	v := r.s.view
	for h, targets := range v.neighbours() {
		known, err := r.s.netlink.Neighbors(r.s.outs[h.out].Index)
		if err != nil {
			return err
		}
		h.macs = make(map[netip.Addr][6]byte, len(targets))
		targets = slices.DeleteFunc(targets, func(a netip.Addr) bool {
			k := known[a]
			if k.Confirmed {
				h.macs[a] = k.MAC
			}
			return k.Confirmed
		})
		found, err := r.s.resolvers[h.out].resolve(r.ctx, h.source, targets, false)
		if err != nil {
			return err
		}
		maps.Copy(h.macs, found)
	}
	return nil
}

var _ scan.Scanner = (*Scanner)(nil)
