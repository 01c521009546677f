// Package queue decides which open port is identified next: hosts take turns, and
// the remaining ports of a host are skipped if one program answers on all of
// them, or none replies.
package queue

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// A Queue distributes open ports to identifiers: hosts take turns, and only a few
// ports of one host are in progress at a time, so that a host with very many open
// ports does not delay the others.
type Queue struct {
	// Listed reports whether a pair was probed as part of a range or profile, and
	// Asked returns how many such pairs its host has. Nil means that none has.
	Listed func(netip.AddrPort) bool
	Asked  func(netip.Addr) int

	perHost int

	mu      sync.Mutex
	ready   sync.Cond // signals that there may be something to take
	turns   []netip.Addr
	hosts   map[netip.Addr]*waiting
	held    int // number of connections waiting in the queue
	ended   bool
	pending int
	last    time.Time     // when the last port was taken
	empty   chan struct{} // closed when no port is waiting and none will be added
}

// maxLooks is the maximum number of ports of a host of kind RepliesNowhere that
// are listened to for a greeting.
const maxLooks = maxTalks

// looksPerTalk is how many ports of a host of kind RepliesNowhere are listened to
// at a time instead of one dialogue: each takes one connection, on which nothing
// is sent.
const looksPerTalk = 8

// maxTalks is the maximum number of dialogues with one host. No mail host has so
// many ports, and dialogues with all of them would take hours.
const maxTalks = 1024

// waiting has the ports of one host: those that wait, and the number in progress.
type waiting struct {
	ports   []scan.Result
	held    int // of those that wait, the first ones, which have a connection
	active  int
	queued  bool            // the host is in turns
	idle    map[uint16]bool // ports in progress that are slow
	spoke   bool            // one of these has replied
	talks   int             // number of dialogues
	looks   int             // number of ports that were only listened to for a greeting
	replies hostReplies
	kind    Kind
}

// New returns a queue that allows perHost ports of a host to be in progress at a
// time, at least one.
func New(perHost int) *Queue {
	q := &Queue{perHost: max(perHost, 1), hosts: make(map[netip.Addr]*waiting), empty: make(chan struct{})}
	q.ready.L = &q.mu
	return q
}

// maxHeld is the maximum number of open connections waiting for their first
// dialogue. Further ones are closed: the dialogue then opens its own.
const maxHeld = 512

// Put adds an open port; ports with a connection go first. A connection occupies
// one of the host's slots, so that no connection may wait behind a port whose
// dialogue needs a slot to begin, and connections must not take all slots.
func (q *Queue) Put(r scan.Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	addr := r.Target.Addr()
	h := q.host(addr)
	if r.Conn != nil && (q.held >= maxHeld || h.active+h.held >= q.perHost) {
		_ = r.Conn.Close()
		r.Conn = nil
	}
	if r.Conn == nil {
		h.ports = append(h.ports, r)
	} else {
		h.ports = slices.Insert(h.ports, h.held, r)
		h.held++
		q.held++
	}
	q.pending++
	q.count(r.Target, h)
	q.line(addr, h)
}

// count records an open port of a host.
func (q *Queue) count(pair netip.AddrPort, h *waiting) {
	h.replies.open++
	if q.Listed != nil && q.Listed(pair) {
		h.replies.listed++
	}
	q.decide(pair.Addr(), h)
}

// decide determines the kind of a host again, unless it is known.
func (q *Queue) decide(addr netip.Addr, h *waiting) {
	if h.kind != Ordinary {
		return
	}
	asked := -1
	if q.Asked != nil && h.replies.alike() {
		asked = q.Asked(addr)
	}
	h.kind = h.replies.kind(asked)
}

// waits reports whether the next port of a host must wait for results: for the
// first reply of a host without any, and for the end of the sweep if all ports so
// far are open and give the same reply.
func (q *Queue) waits(h *waiting) bool {
	switch r := &h.replies; {
	case h.kind != Ordinary:
		return false
	case h.active+len(h.idle) > 0 && !h.spoke && r.ended == r.silent && h.talks >= r.sample() && !r.sampled():
		return true
	default:
		return !q.ended && q.Asked != nil && r.alike()
	}
}

// places returns how many ports of a host may be in progress. A port that is only
// listened to takes one connection, a dialogue up to three.
func (q *Queue) places(h *waiting) int {
	if h.kind == RepliesNowhere {
		return looksPerTalk * q.perHost
	}
	return q.perHost
}

// host returns the entry of a host, and creates it if necessary.
func (q *Queue) host(addr netip.Addr) *waiting {
	h := q.hosts[addr]
	if h == nil {
		h = &waiting{}
		q.hosts[addr] = h
	}
	return h
}

// line adds a host to turns if one of its ports may be taken.
func (q *Queue) line(addr netip.Addr, h *waiting) {
	if h.queued || len(h.ports) == 0 || h.active >= q.places(h) || q.waits(h) {
		return
	}
	h.queued = true
	q.turns = append(q.turns, addr)
	q.ready.Signal()
}

// Next waits for a port and takes it. It reports false if the queue is closed and
// empty.
func (q *Queue) Next() (scan.Result, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.turns) == 0 {
		if q.ended && q.pending == 0 {
			return scan.Result{}, false
		}
		q.ready.Wait()
	}
	addr := q.turns[0]
	q.turns = q.turns[1:]
	h := q.hosts[addr]
	r := h.ports[0]
	h.ports = h.ports[1:]
	h.active++
	h.talks++
	h.queued = false
	q.pending--
	q.last = time.Now()
	if r.Conn != nil {
		q.held--
		h.held--
	}
	q.line(addr, h)
	if q.ended && q.pending == 0 {
		q.markEmpty()
		q.ready.Broadcast()
	}
	return r, true
}

// Worth reports whether there should be a dialogue with a port that was taken.
func (q *Queue) Worth(addr netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[addr]
	return h.kind == Ordinary && h.talks <= maxTalks
}

// Look reports whether a port that was taken, and is not worth a dialogue, should
// be listened to for its greeting.
func (q *Queue) Look(addr netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[addr]
	if h.kind != RepliesNowhere || h.looks == maxLooks {
		return false
	}
	h.looks++
	return true
}

// Idle reports that a port taken from the queue is slow, and whether it was
// silent so far. Until it is done, another port of its host may be in progress.
func (q *Queue) Idle(a netip.AddrPort, silent bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[a.Addr()]
	if h == nil {
		return
	}
	h.spoke = h.spoke || !silent
	if !h.idle[a.Port()] {
		if h.idle == nil {
			h.idle = make(map[uint16]bool)
		}
		h.idle[a.Port()] = true
		h.active--
	}
	q.line(a.Addr(), h)
}

// Done reports that a port taken from the queue is finished, with its service:
// nil if there was no dialogue. The entry of the host stays, because it counts
// the ports.
func (q *Queue) Done(r scan.Result, service *fingerprint.Identification) {
	q.mu.Lock()
	defer q.mu.Unlock()
	addr := r.Target.Addr()
	h := q.hosts[addr]
	if h.idle[r.Target.Port()] {
		delete(h.idle, r.Target.Port())
	} else {
		h.active--
	}
	if service != nil && service.Inconclusive != result.InconclusiveNoConnection {
		h.replies.add(service)
		q.decide(addr, h)
	}
	q.line(addr, h)
}

// Kind returns the kind of the host with an address.
func (q *Queue) Kind(addr netip.Addr) Kind {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h := q.hosts[addr]; h != nil {
		return h.kind
	}
	return Ordinary
}

// Open returns the number of known open ports of an address.
func (q *Queue) Open(addr netip.Addr) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h := q.hosts[addr]; h != nil {
		return h.replies.open
	}
	return 0
}

// markEmpty closes q.empty, because no port is waiting and none will be added. It
// may be called again.
func (q *Queue) markEmpty() {
	select {
	case <-q.empty:
	default:
		close(q.empty)
	}
}

// Empty returns a channel that is closed when no port is waiting and none will be
// added.
func (q *Queue) Empty() <-chan struct{} { return q.empty }

// LastTaken returns when the last port was taken, the zero time if none was.
func (q *Queue) LastTaken() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last
}

// Busy reports whether a port of an address is in progress.
func (q *Queue) Busy(addr netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[addr]
	return h != nil && h.active+len(h.idle) > 0
}

// Close reports that no more ports will be added.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	for addr, h := range q.hosts {
		q.line(addr, h) // ports that waited for the end of the sweep
	}
	if q.pending == 0 {
		q.markEmpty()
	}
	q.ready.Broadcast()
}

// Recall counts an open port that had a dialogue in an earlier run, with its
// service; nil if it is not known.
func (q *Queue) Recall(pair netip.AddrPort, service *fingerprint.Identification) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.host(pair.Addr())
	q.count(pair, h)
	if service == nil || service.Inconclusive == result.InconclusiveSkipped {
		return
	}
	h.talks++
	h.replies.add(service)
	q.decide(pair.Addr(), h)
}
