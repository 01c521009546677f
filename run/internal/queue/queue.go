// Package queue decides which open port is identified next: hosts take turns, and
// the ports of one host stop being worth it where something else answers for them.
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

// A Queue hands open ports to identifiers: hosts take turns, and no more than
// a few ports of one host are under way, so that a host with very many open
// ports does not make the others wait.
type Queue struct {
	// Listed reports whether a pair was asked as part of a range or profile,
	// and Asked how many such pairs its host has. Nil means that none has.
	Listed func(netip.AddrPort) bool
	Asked  func(netip.Addr) int

	perHost int

	mu      sync.Mutex
	ready   sync.Cond // there may be something to take
	turns   []netip.Addr
	hosts   map[netip.Addr]*waiting
	held    int // connections that wait in the queue
	ended   bool
	pending int
	last    time.Time     // when the last port was taken
	empty   chan struct{} // closed once no port waits and none will come
}

// maxLooks is how many ports of a host that replies nowhere are listened to for a
// greeting.
const maxLooks = maxTalks

// looksPerTalk is how many ports of a host that replies nowhere are listened to at once
// instead of one dialogue: each takes one connection, on which nothing is sent.
const looksPerTalk = 8

// maxTalks is how many ports of a host are talked to. No mail host has so many,
// and to talk to the rest would take hours.
const maxTalks = 1024

// waiting are the ports of one host: those that wait, and how many are under
// way.
type waiting struct {
	ports   []scan.Result
	held    int // of those that wait, the first, which have a connection
	active  int
	queued  bool            // the host is among the turns
	idle    map[uint16]bool // of those under way, the ports that take their time
	spoke   bool            // one of these has begun to speak
	talks   int             // ports that were talked to
	looks   int             // ports that were only listened to for a greeting
	replies hostReplies
	kind    Kind
}

// New makes a queue that lets so many ports of a host be under way at once, and at
// least one.
func New(perHost int) *Queue {
	q := &Queue{perHost: max(perHost, 1), hosts: make(map[netip.Addr]*waiting), empty: make(chan struct{})}
	q.ready.L = &q.mu
	return q
}

// maxHeld is how many open connections may wait for their first dialogue.
// Beyond that they are given up: the dialogue then opens its own.
const maxHeld = 512

// Put adds an open port, those with a connection in front. A connection keeps
// one of the host's places, so that none may wait behind a port whose dialogue
// needs a place in order to begin, nor as many as there are places.
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

// count notes an open port of a host.
func (q *Queue) count(pair netip.AddrPort, h *waiting) {
	h.replies.open++
	if q.Listed != nil && q.Listed(pair) {
		h.replies.listed++
	}
	q.decide(pair.Addr(), h)
}

// decide looks again at what kind of a host it is, unless that is known.
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

// waits reports whether the next port of a host waits for more to be known: for
// the first reply of a host that has given none, and for whether the rest of
// the ports is open where all that are give the same reply.
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

// places is how many ports of a host may be under way. One that is only listened to
// for its greeting takes one connection, where a dialogue takes up to three.
func (q *Queue) places(h *waiting) int {
	if h.kind == RepliesNowhere {
		return looksPerTalk * q.perHost
	}
	return q.perHost
}

// host is what is known of a host, which need not be known yet.
func (q *Queue) host(addr netip.Addr) *waiting {
	h := q.hosts[addr]
	if h == nil {
		h = &waiting{}
		q.hosts[addr] = h
	}
	return h
}

// line lets a host wait for its turn if one of its ports may be taken.
func (q *Queue) line(addr netip.Addr, h *waiting) {
	if h.queued || len(h.ports) == 0 || h.active >= q.places(h) || q.waits(h) {
		return
	}
	h.queued = true
	q.turns = append(q.turns, addr)
	q.ready.Signal()
}

// Next waits for a port and takes it. It reports false when the queue is closed
// and empty.
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

// Worth reports whether a port that was taken is to be talked to.
func (q *Queue) Worth(addr netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[addr]
	return h.kind == Ordinary && h.talks <= maxTalks
}

// Look reports whether a port that was taken, and is not worth a dialogue, is to be
// listened to for its greeting.
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

// Idle says that a port taken from the queue takes its time, and whether it was
// silent so far. Until it is done, another of its host may be under way.
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

// Done says that a port taken from the queue is dealt with, and what answers
// there: nil if no dialogue took place. The host stays: it counts what was asked
// of it.
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

// Kind says what kind of a host an address has.
func (q *Queue) Kind(addr netip.Addr) Kind {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h := q.hosts[addr]; h != nil {
		return h.kind
	}
	return Ordinary
}

// Open is how many open ports of an address are known.
func (q *Queue) Open(addr netip.Addr) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h := q.hosts[addr]; h != nil {
		return h.replies.open
	}
	return 0
}

// markEmpty says that no port waits and none will come. It may be called again.
func (q *Queue) markEmpty() {
	select {
	case <-q.empty:
	default:
		close(q.empty)
	}
}

// Empty is closed once no port waits and none will come.
func (q *Queue) Empty() <-chan struct{} { return q.empty }

// LastTaken is when the last port was taken, the zero time if none was.
func (q *Queue) LastTaken() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last
}

// Busy reports whether a port of an address is under way.
func (q *Queue) Busy(addr netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[addr]
	return h != nil && h.active+len(h.idle) > 0
}

// Close says that no more ports will come.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	for addr, h := range q.hosts {
		q.line(addr, h) // what waited for the end of the sweep
	}
	if q.pending == 0 {
		q.markEmpty()
	}
	q.ready.Broadcast()
}

// Recall counts an open port that was talked to in an earlier run, and what
// answers there; nil if nothing is known of it.
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
