package perl

import (
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// weightPort is the default of $TCP_PORT (policyd-weight).
const weightPort = 12525

// PolicydWeight reads policyd-weight.conf. The daemon listens on $TCP_PORT of $BIND_ADDRESS,
// which may be "all".
func PolicydWeight(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	p := newProgram(t, &c, "TCP_PORT", "BIND_ADDRESS")
	p.run(f)
	l := listeners.Listener{
		Port: weightPort, Protocol: "postfix-policy", Product: "policyd-weight", Role: result.RolePolicy, Service: "TCP_PORT",
	}
	port, bind := p.vars["TCP_PORT"], p.vars["BIND_ADDRESS"]
	if bind != nil {
		l.At = bind.at(bind.value)
	}
	doubt := ""
	if port != nil {
		l.At = port.at(port.value)
		n, ok := endpoint.Port(port.value.text)
		if port.value.kind != scalar || !ok {
			c.AddDoubt("$TCP_PORT is not a literal port", l.At)
			return c
		}
		l.Port, doubt = n, port.doubt
	}
	if bind == nil && port == nil {
		return c // all defaults: 127.0.0.1
	}
	switch bind {
	case nil:
		l.Bind("127.0.0.1")
		l.Causes = []listeners.Cause{{Why: "$BIND_ADDRESS is not set; its default is 127.0.0.1"}}
	default:
		at := bind.at(bind.value)
		host := strings.TrimSpace(bind.value.text)
		l.Causes = []listeners.Cause{{Why: "$BIND_ADDRESS has " + host, At: &at}}
		switch {
		case bind.value.kind == computed:
			host, doubt = "", "$BIND_ADDRESS is computed"
			l.Causes[0].Why = doubt
		case !bind.value.set() || host == "0" || strings.EqualFold(host, "all"):
			host = "all"
			l.Causes[0].Why = "$BIND_ADDRESS has no address; policyd-weight then listens on all IPv4 addresses"
		}
		if host == "all" {
			l.BindFamily("", false)
		} else {
			l.Bind(host)
		}
		if doubt == "" {
			doubt = bind.doubt
		}
	}
	if doubt != "" {
		l.Doubt = doubt
	}
	c.AddListener(&l)
	return c
}
