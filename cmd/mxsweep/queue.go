package main

import (
	"net/netip"
	"slices"
	"sync"

	"mxsweep/scan"
)

// A queue hands open ports to identifiers: hosts take turns, and no more than
// a few ports of one host are under way, so that a host with very many open
// ports does not make the others wait.
type queue struct {
	perHost int

	mu      sync.Mutex
	ready   sync.Cond // there may be something to take
	turns   []netip.Addr
	hosts   map[netip.Addr]*waiting
	held    int // connections that wait in the queue
	ended   bool
	pending int
}

// No mail host has so many ports: where so many were talked to, and where not
// one of so many said anything that is known, something else answers for all
// ports, and to talk to the rest would take hours.
const (
	maxTalks = 1024
	maxMute  = 256
)

// waiting are the ports of one host: those that wait, and how many are under
// way.
type waiting struct {
	ports  []scan.Result
	held   int // of those that wait, the first, which have a connection
	active int
	queued bool // the host is among the turns
	talks  int  // ports that were talked to
	known  bool // one of them was recognised
}

func newQueue(perHost int) *queue {
	q := &queue{perHost: max(perHost, 1), hosts: make(map[netip.Addr]*waiting)}
	q.ready.L = &q.mu
	return q
}

// maxHeld is how many open connections may wait for their first dialogue.
// Beyond that they are given up: the dialogue then opens its own.
const maxHeld = 512

// put adds an open port, those with a connection in front. A connection keeps
// one of the host's places, so that none may wait behind a port whose dialogue
// needs a place in order to begin, nor as many as there are places.
func (q *queue) put(r scan.Result) {
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
	q.line(addr, h)
}

// host is what is known of a host, which need not be known yet.
func (q *queue) host(addr netip.Addr) *waiting {
	h := q.hosts[addr]
	if h == nil {
		h = &waiting{}
		q.hosts[addr] = h
	}
	return h
}

// line lets a host wait for its turn if one of its ports may be taken.
func (q *queue) line(addr netip.Addr, h *waiting) {
	if h.queued || len(h.ports) == 0 || h.active >= q.perHost {
		return
	}
	h.queued = true
	q.turns = append(q.turns, addr)
	q.ready.Signal()
}

// next waits for a port and takes it. It reports false when the queue is closed
// and empty.
func (q *queue) next() (scan.Result, bool) {
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
	h.queued = false
	q.pending--
	if r.Conn != nil {
		q.held--
		h.held--
	}
	q.line(addr, h)
	if q.ended && q.pending == 0 {
		q.ready.Broadcast()
	}
	return r, true
}

// worth reports whether to talk to a further port of a host.
func (q *queue) worth(addr netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[addr]
	if h.talks >= maxTalks || h.talks >= maxMute && !h.known {
		return false
	}
	h.talks++
	return true
}

// done says that a port taken from the queue is dealt with, and whether what
// answers there was recognised. The host stays: it counts what was asked of it.
func (q *queue) done(r scan.Result, known bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	addr := r.Target.Addr()
	h := q.hosts[addr]
	h.active--
	h.known = h.known || known
	q.line(addr, h)
}

// close says that no more ports will come.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.ready.Broadcast()
}
