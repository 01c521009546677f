package daemons

import (
	"fmt"
	"net/netip"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/internal/statements"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// OpenSMTPD reads smtpd.conf (smtpd.conf(5)): its lines "listen on"; "all" is every address.
func OpenSMTPD(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	conf := statements.ParseSMTPD(f.Text)
	for _, l := range conf.Listens {
		smtpdListen(&c, f, &l)
	}
	for _, name := range conf.Includes {
		c.AddDoubt(fmt.Sprintf("what %q configures is not read", name.Text), f.Anchor(name.Start, name.End))
	}
	return c
}

// smtpdListen adds what one statement listens on.
func smtpdListen(c *listeners.Config, f *source.File, s *statements.SMTPDListen) {
	at := f.Anchor(s.On.Start, s.On.End)
	n, ok := endpoint.Port(s.Port)
	if !ok {
		c.AddDoubt(fmt.Sprintf("port %q of \"listen on %s\" is not known", s.Port, s.On.Text), at)
		return
	}
	l := listeners.Listener{Port: n, Protocol: "smtp", Product: "OpenSMTPD", Role: result.RoleMTA, At: at, Service: fmt.Sprintf("listen on %s port %d", s.On.Text, n)}
	if n == 587 || n == 465 {
		l.Role = result.RoleSubmission
	}
	if s.TLS {
		l.Tunnel = result.TunnelTLS
	}
	smtpdBind(&l, s.Host, s.Family)
	c.AddListener(&l)
}

// smtpdBind sets the address: all, an address, or the name of an interface or a host.
func smtpdBind(l *listeners.Listener, host, family string) {
	switch {
	case host == "all", host == "0.0.0.0", host == "::":
		l.Causes = []listeners.Cause{{Why: fmt.Sprintf("listen on %s is on all addresses", host), At: &l.At}}
	case endpoint.LoopbackInterface(host):
		host = "localhost"
	}
	switch {
	case host == "all" && family == "":
		l.Bind("")
	case host == "all":
		l.BindFamily("", family == "inet6")
		l.V6Only = family == "inet6"
	case host == "localhost" && family == "inet6":
		l.Address, l.Host = netip.IPv6Loopback(), host
	default:
		l.Bind(host)
	}
}
