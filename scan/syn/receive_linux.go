package syn

import (
	"errors"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A receiver reads answers until the run is over.
type receiver struct {
	run   *run
	batch []hit
	outs  map[int]bool // indexes of our interfaces
	look  time.Time    // when the ring was looked at last
}

// hitBatch is how many hits are passed on together.
const hitBatch = 256

func (r *run) receive() {
	defer close(r.hits)
	v := &receiver{run: r, batch: make([]hit, 0, hitBatch), outs: map[int]bool{}}
	for _, out := range r.s.outs {
		v.outs[out.Index] = true
	}
	for {
		// Packets that arrived before the end are still read.
		over := r.over.Load() || r.ctx.Err() != nil
		v.look = time.Now()
		blocks := r.s.ring.Drain(v.packet)
		v.flush()
		if blocks > 0 {
			continue
		}
		if over {
			return
		}
		if err := r.s.ring.Wait(10 * time.Millisecond); err != nil {
			if down := r.s.check(); down != nil {
				err = down
			}
			r.fail(err)
		}
	}
}

// flush passes the hits on. It blocks if no one takes them; the transmitters then wait
// too.
func (v *receiver) flush() {
	if len(v.batch) > 0 {
		v.run.hits <- v.batch
		select {
		case v.batch = <-v.run.spare:
		default:
			v.batch = make([]hit, 0, hitBatch)
		}
	}
}

// packet handles one packet. It counts only if it acknowledges our cookie, to our
// port, from a pair that is in the Space and in the scope.
func (v *receiver) packet(p rawnet.Packet) {
	r, s := v.run, v.run.s
	c := &s.counts
	if !v.outs[p.Link] {
		return
	}
	a := rawnet.Decode(p.EtherType, p.Data)
	if a.Kind == rawnet.KindNone || !s.sources[a.Local] {
		return
	}
	index, in := s.view.index(a.Remote, a.Port)
	switch {
	case !s.clock.owns(a.LocalPort):
		if in != nil && a.Kind == rawnet.KindSynAck {
			c.otherPort.Add(1)
		}
		return
	case in == nil, !in.allowed && !s.config.Scope.Allows(a.Remote), in.hop.err != nil:
		c.outOfScope.Add(1)
		return
	}
	seq := s.cookie.sequence(in.hop.source, a.LocalPort, netip.AddrPortFrom(a.Remote, a.Port))
	if a.Local != in.hop.source || a.Kind == rawnet.KindICMP && a.Ack != seq ||
		a.Kind != rawnet.KindICMP && !acknowledges(seq, a.Ack, a.Kind == rawnet.KindReset) {
		c.wrongAck.Add(1)
		return
	}
	at := arrived(p.Time, v.look)
	if s.capture != nil {
		if err := s.capture.Write(at, p.Data); err != nil {
			r.fail(err)
		}
	}
	sent := s.clock.sent(a.LocalPort, at)
	rtt := time.Duration(at - sent)
	// A host that gets no reply to its SYN-ACK repeats it after a second (RFC 6298,
	// Section 2.1), so a longer time may not be the round-trip time.
	if rtt > time.Duration(r.peak.Load()) && rtt < time.Second {
		r.peak.Store(int64(rtt))
	}
	// A late SYN-ACK may be a repeated one, for an older probe than its port says.
	if a.Kind != rawnet.KindICMP || a.From == a.Remote {
		r.up(index, in, a, !r.answered.has(index), sent, a.Kind == rawnet.KindReset || a.Kind == rawnet.KindICMP || rtt <= r.timeout())
	}
	switch {
	case a.Kind == rawnet.KindICMP:
		v.unreachable(index, a, at)
	case r.answered.has(index):
		v.again(index, sent)
		if a.Kind == rawnet.KindSynAck && r.refused.has(index) {
			v.reopen(hit{index: index, at: at, rtt: rtt, pass: int16(r.passAt(sent)), kind: a.Kind, again: true})
		}
	default:
		v.first(index, a, hit{index: index, at: at, rtt: rtt, pass: int16(r.passAt(sent)), kind: a.Kind})
	}
}

// unreachable records an ICMP error of a pair: the first one is kept, unless a later
// one is from the target itself.
func (v *receiver) unreachable(index uint64, a rawnet.Answer, at int64) {
	r := v.run
	old, known := r.unreachable[index]
	switch {
	case r.answered.has(index), known && (old.from == a.Remote || a.From != a.Remote), !known && len(r.unreachable) >= maxUnreachable:
		return
	case !known:
		r.s.counts.rejected.Add(1)
	}
	r.unreachable[index] = unreach{a.ICMP, a.From, at}
}

// again handles an answer of a pair that has answered before: that of a validation
// probe, or a duplicate.
func (v *receiver) again(index uint64, sent int64) {
	r := v.run
	r.loss.mu.Lock()
	ours := r.loss.validations.answered(index, sent, r.s.clock.tick())
	r.loss.mu.Unlock()
	if !ours {
		r.s.counts.duplicates.Add(1)
	}
}

// reopen handles a SYN-ACK of a pair that had refused a SYN: a load balancer, or a
// device on the path, may have refused it. The SYN-ACK replaces the refusal.
func (v *receiver) reopen(h hit) {
	c := &v.run.s.counts
	v.run.refused.clear(h.index)
	c.closed.Add(^uint64(0))
	c.open.Add(1)
	v.take(h)
}

// take passes a hit on.
func (v *receiver) take(h hit) {
	v.batch = append(v.batch, h)
	if len(v.batch) == hitBatch {
		v.flush()
	}
}

// first handles the first answer of a pair.
func (v *receiver) first(index uint64, a rawnet.Answer, h hit) {
	r := v.run
	c := &r.s.counts
	r.answered.set(index)
	r.loss.found[h.pass].Add(1)
	if _, ok := r.unreachable[index]; ok {
		delete(r.unreachable, index)
		c.rejected.Add(^uint64(0))
	}
	c.lost.Add(uint64(h.pass)) // one probe in each of the earlier passes
	n := c.answered()
	switch a.Kind {
	case rawnet.KindSynAck:
		c.open.Add(1)
	case rawnet.KindZeroWindow:
		c.zeroWindow.Add(1)
	default:
		c.closed.Add(1)
		r.refused.set(index)
	}
	// A sample of a thousand does not need all offers.
	if n < maxValidations || n%64 == 0 {
		r.loss.mu.Lock()
		r.loss.validations.offer(index)
		r.loss.mu.Unlock()
	}
	v.take(h)
}

// passAt returns the pass in which a probe was sent.
func (r *run) passAt(sent int64) int {
	pass := int(r.pass.number.Load())
	for pass > 0 && r.pass.starts[pass].Load() > sent {
		pass--
	}
	return pass
}

// errZeroWindow is why a pair with a window of 0 is unknown.
var errZeroWindow = errors.New("its SYN-ACK has a zero window: no data can be sent to it")

// result converts a hit to a result of package scan.
func (r *run) result(h hit) scan.Result {
	// The clock only shows in which tick the SYN was sent: half a tick is the best
	// estimate.
	rtt := max(h.rtt-r.s.clock.tick()/2, time.Microsecond)
	out := scan.Result{
		Target: r.s.view.at(h.index), State: result.StateOpen, Reason: result.ReasonSynAck,
		RTT: rtt, Attempts: int(h.pass) + 1, Time: time.Unix(0, h.at),
	}
	out.WasClosed = h.again
	switch h.kind {
	case rawnet.KindReset:
		out.State, out.Reason = result.StateClosed, result.ReasonReset
	case rawnet.KindZeroWindow:
		out.State, out.Reason, out.Err = result.StateUnknown, result.ReasonZeroWindow, errZeroWindow
	}
	return out
}
