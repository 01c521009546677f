package scan

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// A BlockedError says that the silence of a pair proves nothing.
type BlockedError struct {
	Host  netip.Addr
	Since time.Time // when the last probe that it answered was sent
}

// Error says since when the host has been silent.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("%v stopped answering after %s, even on ports that had answered", e.Host, e.Since.UTC().Format(time.RFC3339))
}

// block gives up a host whose controls stay silent. The pairs that were probed after
// the last answered control are unknown, and the host is not probed any more.
func (s *sweep) block(h *host) {
	u := h.up
	u.phase, u.gone, u.failed = blocked, true, false
	s.stats.BlockedHosts++
	since := s.start.Add(max(u.proof, 0))
	u.why = &BlockedError{Host: h.addr, Since: since}
	if len(s.blocks) < MaxBlocked {
		s.blocks = append(s.blocks, BlockedHost{Addr: h.addr, Since: since})
		u.block = uint8(len(s.blocks))
	}
	s.drain(h)
	for _, q := range u.late {
		s.unsettled--
		s.yieldProven(h, q)
	}
	for _, list := range [][]unsettled{u.held, u.parked, u.again} {
		for _, q := range list {
			s.unsettled--
			s.yieldBlocked(h, q)
		}
	}
	u.held, u.parked, u.late, u.again = nil, nil, nil, nil
	s.resumeNets(h, math.MaxInt64)
	if !h.pinned() {
		s.hosts.setIdle(h)
	}
}

// yieldBlocked reports a pair of a blocked host.
func (s *sweep) yieldBlocked(h *host, q unsettled) {
	u := h.up
	s.stats.BlockedPairs++
	if u.block > 0 {
		s.blocks[u.block-1].Pairs++
	}
	if u.why == nil { // the host was forgotten meanwhile
		u.why = &BlockedError{Host: h.addr, Since: s.start.Add(max(u.proof, 0))}
	}
	if q.ended == 0 {
		q.ended = s.now // never probed
	}
	s.yield(h, q, Result{State: result.StateUnknown, Reason: result.ReasonBlocked, Err: u.why})
}

// drain takes the slots from the pairs of a host that wait for their turn.
func (s *sweep) drain(h *host) {
	for h.head != none {
		i := h.head
		h.head = s.probes[i].next
		q := s.probes[i].unsettled(s.now)
		s.vacate(i)
		s.putBack(h, q)
	}
	h.tail = none
}

// putBack lets a pair wait without a slot until its host is probed again. Its probes
// so far do not count.
func (s *sweep) putBack(h *host, q unsettled) {
	q.voidTries()
	q.as, q.from = dialer.Silent, netip.Addr{}
	h.up.again = append(h.up.again, q)
	s.unsettled++
}
