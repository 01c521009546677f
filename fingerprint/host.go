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

// A host is what is kept of one address while its ports are talked to.
type host struct {
	addr      netip.Addr
	limit     *hosts.Slots
	retryLock chan struct{}       // full while somebody asks a silent port once more
	turns     *semaphore.Weighted // for the ports that are being asked what silent ports are asked

	mu           sync.Mutex
	sent         int // segments to it, and those that were sent again
	resent       int
	twice        int             // of those, how many had arrived before
	sign         time.Time       // the last time that it gave a sign of life
	detached     int             // connections on which the other side takes its time, beside the limit
	trickling    int             // ports that have begun to speak and take their time
	unproductive map[uint16]bool // ports that replied to nothing, or came to no end
	mute         map[uint16]bool // ports that were asked in vain what silent ports are asked
	retrySpent   time.Duration   // spent on asking silent ports once more
	spoke        bool            // one of its ports said something
	slowest      time.Duration   // the slowest answer that was no deliberate delay
}

func newHost(addr netip.Addr, limit *hosts.Slots) *host {
	return &host{
		addr: addr, limit: limit, unproductive: make(map[uint16]bool), mute: make(map[uint16]bool),
		retryLock: make(chan struct{}, 1), turns: semaphore.NewWeighted(int64(max(limit.Each(), turnSize))),
	}
}

// answered notes that a port said something, and how long that took.
func (h *host) answered(after time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spoke, h.sign = true, time.Now()
	if after <= maxSlowness {
		h.slowest = max(h.slowest, after)
	}
}

func (h *host) spoken() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.spoke
}

// A host that answers later than slowness is loaded, or starts a process for
// every connection; what takes longer than maxSlowness is a delay on purpose.
const (
	slowness    = 200 * time.Millisecond
	maxSlowness = 1500 * time.Millisecond
)

// slow is how late a slow host answers, zero for one that is not.
func (h *host) slow() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.slowest <= slowness {
		return 0
	}
	return h.slowest
}

// maxRetrySpent is how long the silent ports of one host are asked once more, one
// after the other, in all, and shortRetrySpent the same where more than
// fewUnproductive ports gave nothing. A daemon with few children has few ports;
// where dozens are silent a firewall accepts for all of them.
const (
	maxRetrySpent   = 15 * time.Second
	shortRetrySpent = 4 * time.Second
)

// lockRetry waits until nobody else asks a silent port once more. It reports
// false if ctx is done, or if the host was given its time for that. Who enters
// must unlockRetry.
func (h *host) lockRetry(ctx context.Context) bool {
	select {
	case h.retryLock <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	most := maxRetrySpent
	if len(h.unproductive) > fewUnproductive {
		most = shortRetrySpent
	}
	if h.retrySpent >= most {
		<-h.retryLock
		return false
	}
	return true
}

// unlockRetry lets the next in, and notes the time since start.
func (h *host) unlockRetry(start time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retrySpent += time.Since(start)
	<-h.retryLock
}

// dialogues is how many connections of dialogues to the host are open.
func (h *host) dialogues() int {
	_, n := h.limit.InUse(h.addr)
	return n
}

// maxIdle is how long the other connections to a host are waited for before one
// of its ports is talked to alone.
const maxIdle = 3 * time.Second

// idle waits until no connection to the host is open, but not longer than
// that.
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

// enter waits until one more connection to the host may be open. Who enters
// must leave.
func (h *host) enter(ctx context.Context) error { return h.limit.Acquire(ctx, h.addr) }

func (h *host) leave() { h.limit.Release(h.addr) }

// maxDetached is how many connections on which the other side takes its time are
// open beside the limit of the connections to the host, for each that is allowed.
// On a host with manyUnproductive ports it is maxDetachedMany.
const (
	maxDetached     = 4
	maxDetachedMany = 8
)

// detach gives back the place of a connection on which the other side takes its
// time, so that others of the host are talked to meanwhile. It reports whether
// there was room for one more; then endDetached must be called at its end.
func (h *host) detach(c net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	most := maxDetached
	if len(h.unproductive) >= manyUnproductive {
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
