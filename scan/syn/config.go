package syn

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// check puts values in place of zeros and refuses what makes no sense.
func (c *Config) check() error {
	if c.Scope == nil {
		return errors.New("sweeping without a scope: nothing may be contacted")
	}
	if c.Rate < 0 || math.IsNaN(c.Rate) {
		return &SetupError{Doing: fmt.Sprintf("sweeping at %v a second", c.Rate), Err: errors.New("not a rate"), Advice: "0 is as fast as accuracy allows"}
	}
	if c.Threads < 0 || c.Threads > MaxThreads {
		return &SetupError{Doing: fmt.Sprintf("sweeping with %d threads", c.Threads), Err: fmt.Errorf("not between 1 and %d", MaxThreads), Advice: "one sends as fast as most networks carry"}
	}
	if c.Rate == 0 {
		c.Rate = math.Inf(1)
	}
	if c.Threads == 0 {
		c.Threads = 1
	}
	if c.Timeout <= 0 {
		c.Timeout = 3 * time.Second
	}
	if c.Retries == 0 {
		c.Retries = 2
	}
	return nil
}

// clock is the clock of the configured source ports, or of those outside the
// kernel's own range from low to high.
func (c *Config) clock(low, high uint16) (portClock, error) {
	if c.SourcePorts != [2]uint16{} {
		clock, ok := clockIn(c.SourcePorts[0], c.SourcePorts[1])
		if !ok {
			return clock, &SetupError{Doing: fmt.Sprintf("sending from ports %d to %d", c.SourcePorts[0], c.SourcePorts[1]),
				Err: errors.New("fewer than 64"), Advice: "name a wider range, like 61000-65535"}
		}
		return clock, nil
	}
	clock, ok := clockOutside(low, high)
	if !ok {
		return clock, &SetupError{Doing: "looking for ports to send from",
			Err:    fmt.Errorf("the kernel uses all from %d to %d for connections of its own", low, high),
			Advice: "narrow net.ipv4.ip_local_port_range, or name source ports that nothing else uses"}
	}
	return clock, nil
}
