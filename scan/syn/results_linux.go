package syn

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// errOtherSpace is what Err returns for another Space than that of Open.
var errOtherSpace = errors.New("sweeping another space than the one that was made ready")

// Scan yields the pairs of space, which must be the one given to Open, like every
// scan.Scanner: those that answer as they do, the silent ones at the end. Conn is
// never set. The sequence ends early if the interface fails; Err then returns the
// error.
func (s *Scanner) Scan(ctx context.Context, space *scope.Space) iter.Seq[scan.Result] {
	return func(yield func(scan.Result) bool) {
		if space != s.space || s.ring == nil {
			s.err = errOtherSpace
			return
		}
		r, err := newRun(ctx, s)
		if err != nil {
			s.err = err
			return
		}
		defer r.stop()
		go r.receive()
		go r.watch()
		go r.drive()
		more := true
		for batch := range r.hits {
			for _, h := range batch {
				if more {
					if !h.again {
						s.counts.done.Add(1)
					}
					if more = yield(r.result(h)); !more {
						r.stop()
					}
				}
			}
			r.recycle(batch)
		}
		r.wait()
		defer r.close()
		if more {
			r.rest(ctx, yield)
		}
	}
}

// recycle takes back a batch after its hits are read.
func (r *run) recycle(batch []hit) {
	select {
	case r.spare <- batch[:0]:
	default:
	}
}

// Stats returns the counts so far. It may be called at any time, by any goroutine.
func (s *Scanner) Stats() Stats { return s.counts.stats() }

// rest yields the pairs that have not answered.
func (r *run) rest(ctx context.Context, yield func(scan.Result) bool) {
	stopped := r.s.Err()
	if stopped == nil {
		stopped = ctx.Err()
	}
	end := time.Now()
	attempts := int(r.pass.number.Load()) + 1
	if stopped == nil && !r.takeBack(attempts, yield) {
		return
	}
	proof, few := &proof{run: r}, r.missed()
	each := func(i uint64) bool {
		r.s.counts.done.Add(1)
		blocked := stopped
		if blocked == nil && !r.short(i) {
			if blocked = proof.unproven(i); blocked != nil {
				r.s.counts.blockedPairs.Add(1)
			}
		}
		out := r.silent(i, attempts, end, stopped != nil, blocked)
		if out.State == result.StateFiltered && out.Reason == result.ReasonNoResponse {
			if out.Err = few.tooFew(i); out.Err != nil {
				out.State = result.StateUnknown
				r.s.counts.unproven.Store(true)
			}
		}
		return yield(out)
	}
	if stopped == nil || r.pass.number.Load() > 0 {
		r.answered.drain(r.s.view.count, each)
		return
	}
	r.underWay(each)
}

// underWay yields the pairs of an interrupted first pass that were probed and have not
// answered.
func (r *run) underWay(each func(uint64) bool) {
	slices.Sort(r.pass.unsent)
	var numbers [chunk]uint64
	end := min(r.pass.cursor.Load(), r.walk.length())
	for from := uint64(0); from < end; from += chunk {
		n := r.walk.fill(numbers[:], from, min(from+chunk, end))
		for _, i := range r.answered.silent(numbers[:n]) {
			if _, not := slices.BinarySearch(r.pass.unsent, i); !not && !each(i) {
				return
			}
		}
	}
}

// silent returns the result of a pair that has not answered. err is why its silence
// proves nothing, nil if it counts.
func (r *run) silent(i uint64, attempts int, end time.Time, stopped bool, err error) scan.Result {
	v := r.s.view
	out := scan.Result{Target: v.at(i), State: result.StateFiltered, Reason: result.ReasonNoResponse, Attempts: attempts, Time: end}
	h := v.find(i).hop
	u, rejected := r.unreachable[i]
	if rejected {
		out.From = u.from
	}
	switch {
	case h.err != nil:
		out.State, out.Reason, out.Err, out.Attempts = result.StateUnknown, h.reason, h.err, 0
	case stopped:
		out.State, out.Reason, out.Err = result.StateUnknown, result.ReasonUnknown, err
	case r.short(i):
		out.State, out.Reason, out.Err = result.StateUnknown, result.ReasonHostTimeout, r.s.config.Clock.Err()
	case err != nil:
		out.State, out.Reason, out.Err = result.StateUnknown, result.ReasonBlocked, err
	case rejected:
		out.Reason, out.Time, out.Err = reason(u.ICMPError), time.Unix(0, u.at), u.ICMPError
	case h.onLink && !known(h, out.Target.Addr()):
		out.Reason = result.ReasonHostUnreach
	}
	return out
}

// known reports whether the hardware address of an address is known.
func known(h *hop, a netip.Addr) bool {
	_, ok := h.macs[a]
	return ok
}

// reason returns the reason of the result schema for an ICMP error.
func reason(u rawnet.ICMPError) result.Reason {
	if u.V6 {
		switch {
		case u.Type == 3, u.Code == 0, u.Code == 2:
			return result.ReasonNetUnreach
		case u.Code == 3:
			return result.ReasonHostUnreach
		}
		return result.ReasonAdminProhibited // 1, 4, 5, 6: RFC 4443, Section 3.1
	}
	switch {
	case u.Type == 11:
		return result.ReasonNetUnreach // a routing loop
	case u.Code == 0, u.Code == 6, u.Code == 11:
		return result.ReasonNetUnreach
	case u.Code == 2, u.Code == 3, u.Code == 9, u.Code == 10, u.Code == 13:
		// A host without a listener answers TCP with RST, never with "port unreachable",
		// which comes from a packet filter (RFC 1122, Section 3.2.2.1).
		return result.ReasonAdminProhibited
	}
	return result.ReasonHostUnreach
}
