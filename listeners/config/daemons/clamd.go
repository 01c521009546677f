package daemons

import (
	"fmt"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// Clamd reads clamd.conf (clamd.conf(5)). TCPSocket is the port; each TCPAddr is an
// address, and without one clamd listens on all of them.
func Clamd(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	var port, example *pair
	var addresses []pair
	pairs(f, func(p pair) {
		switch p.name { // clamav/shared/optparser.c compares names with their case
		case "TCPSocket":
			port = &p
		case "TCPAddr":
			addresses = append(addresses, p)
		case "Example":
			example = &p
		}
	})
	if port == nil || example != nil {
		return c
	}
	at := f.Anchor(port.at, port.at+len(port.value))
	n, ok := endpoint.Port(port.value)
	if !ok {
		c.AddDoubt(fmt.Sprintf("TCPSocket %q is not a port", port.value), at)
		return c
	}
	l := listeners.Listener{Port: n, Protocol: "clamd", Product: "ClamAV clamd", Role: result.RoleAntivirus, Service: "TCPSocket", At: at}
	if addresses == nil {
		l.Causes = []listeners.Cause{{Why: "TCPAddr is not set; clamd then listens on all addresses"}}
		c.AddListener(&l)
		return c
	}
	for _, a := range addresses {
		l.Doubt = ""
		l.Bind(a.value)
		l.Service, l.At = "TCPAddr "+a.value, f.Anchor(a.at, a.at+len(a.value))
		c.AddListener(&l)
	}
	return c
}
