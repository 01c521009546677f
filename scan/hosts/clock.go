package hosts

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// A Clock bounds the time that each host gets, those that ask whether its
// ports are open and those that talk to them together: it begins when the first
// probe for the host leaves. It takes memory for each host that was asked. It
// may be used by several goroutines; the nil Clock sets no bound.
type Clock struct {
	each time.Duration

	mu    sync.Mutex
	hosts map[netip.Addr]hostTime
	short bool // some host was not settled in its time
}

// A hostTime is the time of one host.
type hostTime struct {
	end   time.Time
	short bool // there was more to ask when it was over
}

// NewClock returns a clock that gives each host so much time; nil if that
// is not more than 0.
func NewClock(each time.Duration) *Clock {
	if each <= 0 {
		return nil
	}
	return &Clock{each: each, hosts: make(map[netip.Addr]hostTime)}
}

// A TimeoutError says that the time of a host was over before all that was
// to be asked of it was asked and settled.
type TimeoutError struct{ After time.Duration }

// Error says how much time there was.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the time limit of the host, %s, was reached", e.After)
}

// Err is why a host whose time is over is not asked any more.
func (c *Clock) Err() *TimeoutError { return &TimeoutError{After: c.each} }

// Begin returns when the time of a host is over. It begins now, unless it has
// begun before.
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

// End returns when the time of a host is over; it reports false if that has not
// begun, or if there is no bound.
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

// Refuses reports whether the time of a host is over of which there is more to
// ask. If so, the host is short of time from then on.
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

// Short reports whether there was more to ask a host when its time was over.
func (c *Clock) Short(a netip.Addr) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hosts[a].short
}

// AnyShort reports whether there was more to ask any host when its time was over.
func (c *Clock) AnyShort() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.short
}
