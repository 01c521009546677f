package systemd

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// Socket reads a socket unit (systemd.socket(5)): ListenStream= with a port, or an address and
// a port. A port alone is bound on :: and, unless BindIPv6Only= says otherwise, takes IPv4 too.
// BindToDevice= limits all sockets of the unit to an interface.
func Socket(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	u := readUnit(t, f, &c)
	for _, s := range u.list("Socket", "ListenStream") {
		text := s.text()
		at := s.at()
		if text[0] == '/' || text[0] == '@' || strings.HasPrefix(text, "vsock:") || strings.HasPrefix(text, "vsock-") {
			continue
		}
		if strings.Contains(text, "%") || strings.Contains(text, "{{") {
			c.AddDoubt(fmt.Sprintf("%q depends on the name of the unit, or on a template", text), at)
			continue
		}
		host, port := "", text
		if i := strings.LastIndexByte(text, ':'); i >= 0 {
			host, port = text[:i], text[i+1:]
		}
		n, ok := endpoint.Port(port)
		address, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if !ok || host != "" && err != nil {
			c.AddDoubt(fmt.Sprintf("ListenStream=%s is no address and port", text), at)
			continue
		}
		l := listeners.Listener{Port: n, Interface: u.last("Socket", "BindToDevice"), At: at, Service: fmt.Sprintf("%s %s", u.name, text)}
		l.Bind(host)
		if host == "" {
			l.Address = netip.IPv6Unspecified()
			l.Causes = []listeners.Cause{{Why: "ListenStream= has no address; systemd then listens on all addresses"}}
			address = l.Address
		}
		if address.Is6() {
			l.V6Only = u.last("Socket", "BindIPv6Only") == "ipv6-only"
		}
		l.Product, l.Protocol, l.Role = command.Named(u.service())
		c.AddListener(&l)
	}
	return c
}

// service returns the name of the service that a socket unit starts.
func (u *unit) service() string {
	name := u.last("Socket", "Service")
	if name == "" {
		name = u.name
	}
	name, _, _ = strings.Cut(name, ".")
	name, _, _ = strings.Cut(name, "@")
	return name
}
