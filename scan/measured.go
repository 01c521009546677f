package scan

import (
	"net/netip"
	"time"
)

// Measured is what a scan has learned about round-trip times and loss, for a further
// scan of the same targets. The nil Measured contains nothing.
type Measured struct {
	all      estimate
	refusals estimate // refusals only
	nets     map[netip.Addr]estimate
}

// Answered reports whether anything was learned: some pair was answered.
func (m *Measured) Answered() bool { return m != nil && m.all.known() }

// MeasuredLongest returns what is known if the longest answer took rtt; nil if that is
// not more than 0.
func MeasuredLongest(rtt time.Duration) *Measured {
	if rtt <= 0 {
		return nil
	}
	m := &Measured{}
	m.all.answer(rtt, 0)
	return m
}

// Measured returns what the scan has learned once it has ended, and nil before.
func (c *Connect) Measured() *Measured {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.measured
}

// keepMeasured stores what the sweep has learned.
func (s *sweep) keepMeasured() {
	m := &Measured{all: s.all, refusals: s.refusals, nets: map[netip.Addr]estimate{}}
	for a, n := range s.hosts.nets {
		if n.est.known() {
			m.nets[a] = n.est
		}
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.measured = m
}

// adopt uses what an earlier scan has learned.
func (s *sweep) adopt(m *Measured) {
	if m == nil {
		return
	}
	s.all, s.refusals = m.all, m.refusals
	for a, e := range m.nets {
		s.hosts.nets[a] = &subnet{est: e}
	}
}
