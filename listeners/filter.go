package listeners

import "github.com/mxsweep/mxsweep/result"

// A Filter is a rule of a packet filter that drops TCP ports, whoever connects.
type Filter struct {
	Chain       string
	Stage       FilterStage
	First, Last uint16        // the ports, from the first to the last
	At          result.Anchor // the token with the ports
}

// A FilterStage says which packets a rule sees.
type FilterStage string

// The stages. Ports that a container engine publishes are redirected before the routing
// decision: their packets are forwarded, and no rule for input sees them (Docker, "Packet
// filtering and firewalls").
const (
	FilterInput   FilterStage = "input"   // packets for the host itself
	FilterForward FilterStage = "forward" // packets for others, such as containers
)

// Has reports whether the rule drops a port.
func (f *Filter) Has(port uint16) bool { return f.First <= port && port <= f.Last }

// AddFilter adds a rule of the file. It reports false if there is no room for it.
func (c *Config) AddFilter(f Filter) bool {
	return add(c, &c.Filters, f, f, bound{"rules of packet filters", MaxListeners, f.At})
}
