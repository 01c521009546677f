package daemons

import (
	"net/netip"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// OpenDKIM reads opendkim.conf (opendkim.conf(5)).
func OpenDKIM(_ *source.Tree, f *source.File) listeners.Config { return milter(f, "OpenDKIM") }

// OpenDMARC reads opendmarc.conf (opendmarc.conf(5)).
func OpenDMARC(_ *source.Tree, f *source.File) listeners.Config { return milter(f, "OpenDMARC") }

// milter reads a file of one of the Trusted Domain Project's milters. The last Socket
// counts.
func milter(f *source.File, product string) listeners.Config {
	var c listeners.Config
	var included []result.Anchor
	pairs(f, func(p pair) {
		if strings.EqualFold(p.name, "Include") {
			included = append(included, f.Anchor(p.at, p.at+len(p.value)))
		}
		if !strings.EqualFold(p.name, "Socket") {
			return
		}
		c = listeners.Config{}
		at := f.Anchor(p.at, p.at+len(p.value))
		l, listens, problem := milterSocket(p.value)
		switch {
		case problem != "":
			c.AddDoubt(problem, at)
		case listens:
			l.Product, l.Service, l.At = product, "Socket", at
			if l.Host == "" {
				l.Causes = []listeners.Cause{{Why: "Socket has no @HOST; the milter then listens on all addresses", At: &at}}
			}
			c.AddListener(&l)
		}
	})
	for _, at := range included {
		c.AddDoubt("the file that is included may set Socket", at)
	}
	return c
}

// milterSocket reads a socket as libmilter takes it (smfi_setconn): inet:PORT@HOST,
// inet6:PORT@HOST, or the path of a local socket, which does not listen on a port.
func milterSocket(text string) (l listeners.Listener, listens bool, problem string) {
	family, rest, ok := strings.Cut(text, ":")
	family = strings.ToLower(family) // as libmilter does (libmilter/listener.c)
	switch {
	case !ok, family == "unix", family == "local":
		return l, false, ""
	case family != "inet" && family != "inet6":
		return l, false, "the family of Socket is not known"
	}
	port, host, _ := strings.Cut(rest, "@")
	l.Port, ok = endpoint.Port(port)
	if !ok {
		return l, false, "Socket has no port"
	}
	l.Protocol, l.Role = "milter", result.RoleMilter
	l.BindFamily(host, family == "inet6")
	if family == "inet6" && strings.EqualFold(host, "localhost") {
		l.Address = netip.IPv6Loopback()
	}
	return l, true, ""
}
