package container

import (
	"fmt"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// A publication is who publishes a port of a container at its host, and where a file says it.
type publication struct {
	owner    string // for people: `service "smtp"`
	prefix   string // of the names of listeners: "services.smtp.ports"
	services []string
	image    string // "" if it is not known
	at       result.Anchor
	doubt    string
	more     []listeners.Setting
}

// add adds what one entry publishes. It reports false if there is no room for it.
func (p *publication) add(c *listeners.Config, port types.ServicePortConfig) bool {
	if port.Protocol != "" && !strings.EqualFold(port.Protocol, "tcp") {
		return true
	}
	first, last, ok := publishedRange(port.Published)
	switch {
	case port.Published == "":
		c.AddDoubt(fmt.Sprintf("port %d of %s is published at a random port of the host, on all addresses", port.Target, p.owner), p.at)
		return true
	case !ok:
		c.AddDoubt(fmt.Sprintf("published port %q of %s is not a number", port.Published, p.owner), p.at)
		return true
	}
	for n := first; n <= last; n++ {
		l := listeners.Listener{
			Port: uint16(n), At: p.at, Through: listeners.ThroughPublished, Services: p.services,
			Service: fmt.Sprintf("%s %s:%d:%d", p.prefix, port.HostIP, n, port.Target),
		}
		if p.image != "" {
			l.Settings = append(l.Settings, listeners.Setting{Name: "image", Value: p.image})
		}
		l.Settings = append(append(l.Settings, listeners.Setting{Name: "target", Value: fmt.Sprint(port.Target)}), p.more...)
		l.Bind(port.HostIP)
		if p.doubt != "" {
			l.Doubt = p.doubt
		}
		if port.HostIP == "" {
			l.Causes = []listeners.Cause{{Why: "the entry has no host address; the port is then published on all addresses"}}
		}
		if !c.AddListener(&l) {
			return false
		}
	}
	return true
}

// publishedRange returns the ports of "25" or "8000-8010".
func publishedRange(text string) (first, last int, ok bool) {
	a, b, isRange := strings.Cut(text, "-")
	first, ok = portNumber(a)
	if last = first; isRange && ok {
		last, ok = portNumber(b)
	}
	return first, last, ok && first <= last
}
