package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mxsweep/mxsweep/scan/hosts"
)

// A host is the data about one address while there are dialogues with its ports.
type host struct {
	addr      netip.Addr
	limit     *hosts.Slots
	retryLock chan struct{}       // full while a silent port is asked again
	turns     *semaphore.Weighted // for the ports that are asked the questions for silent ports

	mu           sync.Mutex
	sent         int // segments to it, and those that were sent again
	resent       int
	twice        int                      // of those, how many had arrived before
	sign         time.Time                // the last time that it sent anything
	detached     int                      // connections to slow ports, which do not count against the limit
	trickling    int                      // ports whose greeting has begun but is slow
	unproductive map[uint16]bool          // ports that replied to nothing, or whose replies did not end
	noReply      map[uint16]bool          // ports that replied to none of the probes for silent ports
	retrySpent   time.Duration            // time used to ask silent ports again
	hasReplied   bool                     // one of its ports replied
	begun, ended time.Time                // when the first dialogue with it began, and the last one ended
	waiting      map[uint16]time.Time     // of the other ports, those that are slow now, and since when they say nothing; zero: they do
	slowAnswers  map[uint16]time.Duration // the slowest answer of each port, if it took longer than slowness and was not delayed on purpose
}

func newHost(addr netip.Addr, limit *hosts.Slots) *host {
	return &host{
		addr: addr, limit: limit, unproductive: make(map[uint16]bool), noReply: make(map[uint16]bool), waiting: make(map[uint16]time.Time), slowAnswers: make(map[uint16]time.Duration),
		retryLock: make(chan struct{}, 1), turns: semaphore.NewWeighted(int64(max(limit.Each(), turnSize))),
	}
}

// answered records that a port said something, and how long that took.
func (h *host) answered(port uint16, after time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hasReplied, h.sign = true, time.Now()
	if after > slowness && after <= maxSlowness {
		h.slowAnswers[port] = max(h.slowAnswers[port], after)
	}
}

func (h *host) replied() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hasReplied
}

// A host that answers later than slowness is loaded, or starts a process for every
// connection; longer delays than maxSlowness are on purpose.
const (
	slowness    = 200 * time.Millisecond
	maxSlowness = 1500 * time.Millisecond
)

// slow returns how late a slow host answers, zero for one that is not. Ports that give no
// result, or are slow now, do not count.
func (h *host) slow() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	var slowest time.Duration
	for port, after := range h.slowAnswers {
		if _, waits := h.waiting[port]; !waits && !h.unproductive[port] {
			slowest = max(slowest, after)
		}
	}
	return slowest
}

// maxRetrySpent is the total time for asking the silent ports of one host again, one
// after the other, and shortRetrySpent the same if more than fewUnproductive ports
// gave no result. A daemon with few children has few ports; if dozens are silent, a
// firewall accepts connections for all of them.
const (
	maxRetrySpent   = 15 * time.Second
	shortRetrySpent = 4 * time.Second
)

// retryLeft is how much of the time is left in which silent ports are asked once more.
// The caller holds the lock.
func (h *host) retryLeft() time.Duration {
	most := maxRetrySpent
	if len(h.unproductive) > fewUnproductive {
		most = shortRetrySpent
	}
	return most - h.retrySpent
}

// fewHeldUp reports whether not more than fewUnproductive ports of the host gave no
// result or keep the scanner waiting now.
func (h *host) fewHeldUp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unproductiveLocked()+len(h.waiting) <= fewUnproductive
}

// lockRetry waits until nobody else asks a silent port once more. It returns how much
// time the host has left for that, and false if there is none, or if ctx is done. Who
// enters must unlockRetry.
func (h *host) lockRetry(ctx context.Context) (left time.Duration, ok bool) {
	select {
	case h.retryLock <- struct{}{}:
	case <-ctx.Done():
		return 0, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if left = h.retryLeft(); left <= 0 {
		<-h.retryLock
		return 0, false
	}
	return left, true
}

// talks notes that a dialogue with the host begins, and returns what notes its end.
func (h *host) talks() (ended func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.begun.IsZero() {
		h.begun = time.Now()
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended = time.Now()
	}
}

// unlockRetry unlocks, and records the time since start.
func (h *host) unlockRetry(start time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retrySpent += time.Since(start)
	<-h.retryLock
}

// dialogues returns how many connections of dialogues to the host are open.
func (h *host) dialogues() int {
	_, n := h.limit.InUse(h.addr)
	return n
}

// maxIdle is how long a dialogue that needs the host alone waits for its other
// connections to end.
const maxIdle = 3 * time.Second

// idle waits until no connection to the host is open, but not longer than wait.
func (h *host) idle(ctx context.Context, wait time.Duration) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for h.dialogues() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// enter waits until one more connection to the host may be open. The caller must call
// leave.
func (h *host) enter(ctx context.Context) error { return h.limit.Acquire(ctx, h.addr) }

func (h *host) leave() { h.limit.Release(h.addr) }

// maxDetached is how many connections to slow ports may be open in addition to the
// limit of the host, for each that the limit allows. On a host on which manyUnproductive
// ports give no result or are slow it is maxDetachedMany: each of 300 ports is listened
// to for 6.5 s and asked for one more, so that 200 connections at once, at most three of
// them to one port, take 11 s for all.
const (
	maxDetached     = 4
	maxDetachedMany = 24
)

// detach releases the slot of a connection to a slow port, so that the dialogues with
// other ports of the host continue. It reports whether there was room for one more;
// then endDetached must be called at its end.
func (h *host) detach(c net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	most := maxDetached
	if h.unproductiveLocked()+len(h.waiting) >= manyUnproductive {
		most = maxDetachedMany
	}
	if h.detached/most >= h.limit.Each() {
		return false
	}
	h.detached++
	h.limit.Detach(c)
	return true
}

func (h *host) endDetached() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.detached--
}
