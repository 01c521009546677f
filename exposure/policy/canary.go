package policy

import (
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// A Canary is a service that must answer: if it does not, the run could not see
// what it should.
type Canary struct {
	Selector Selector
	Port     uint16
	Protocol string // "" is any

	Anchor *result.Anchor // position in the policy file; nil for the command line
}

// Target returns host and port of the canary.
func (c *Canary) Target() string {
	port := strconv.Itoa(int(c.Port))
	if strings.Contains(c.Selector.Text(), ":") {
		return "[" + c.Selector.Text() + "]:" + port
	}
	return c.Selector.Text() + ":" + port
}

// Matches reports whether a port is that of the canary.
func (c *Canary) Matches(p *exposure.Subject) bool {
	return p.Target.Port() == c.Port && c.Selector.Matches(p.Target.Addr(), p.Names()...)
}
