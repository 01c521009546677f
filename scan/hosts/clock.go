package hosts

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// A Clock limits the time that each host gets, for probes and dialogues together. The
// time begins when the first probe for the host is sent. It takes memory for each host
// that was probed. It may be used by several goroutines; the nil Clock sets no limit.
type Clock struct {
	each time.Duration

	mu    sync.Mutex
	hosts map[netip.Addr]hostTime
	short bool // some host was not finished in its time
}

// A hostTime is the time of one host.
type hostTime struct {
	end   time.Time
	short bool // it was not finished when its time was over
}

// NewClock returns a clock that gives each host this much time; nil if that is not
// more than 0.
func NewClock(each time.Duration) *Clock {
	if each <= 0 {
		return nil
	}
	return &Clock{each: each, hosts: make(map[netip.Addr]hostTime)}
}

// A TimeoutError says that the time of a host was over before all its pairs were
// probed and settled.
type TimeoutError struct{ After time.Duration }

// Error says how much time the host had.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the time limit of the host, %s, was reached", e.After)
}

// Err returns the error for a host whose time is over.
func (c *Clock) Err() *TimeoutError { return &TimeoutError{After: c.each} }

// Begin returns when the time of a host is over. The first call for a host starts its
// time.
func (c *Clock) Begin(a netip.Addr) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.hosts[a]
	if !ok {
		h.end = time.Now().Add(c.each)
		c.hosts[a] = h
	}
	return h.end
}

// End returns when the time of a host is over; it reports false if that has not begun,
// or if there is no limit.
func (c *Clock) End(a netip.Addr) (time.Time, bool) {
	if c == nil {
		return time.Time{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.hosts[a]
	return h.end, ok
}

// Over reports whether the time of a host is over.
func (c *Clock) Over(a netip.Addr) bool {
	end, ok := c.End(a)
	return ok && !time.Now().Before(end)
}

// Refuses reports whether the time of a host is over, for a caller that has more work
// on it. If so, [Clock.Short] reports true for the host from then on.
func (c *Clock) Refuses(a netip.Addr) bool {
	if !c.Over(a) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.hosts[a]; !h.short {
		h.short, c.short = true, true
		c.hosts[a] = h
	}
	return true
}

// Short reports whether there was more work on a host when its time was over.
func (c *Clock) Short(a netip.Addr) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hosts[a].short
}

// AnyShort reports whether there was more work on any host when its time was over.
func (c *Clock) AnyShort() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.short
}
