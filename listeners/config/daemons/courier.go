package daemons

import (
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// courierFiles are the files of Courier, and what the daemons of each are.
var courierFiles = map[string]struct {
	prefix   string // of ADDRESS and PORT
	port     string
	protocol string
	role     result.Role
	tunnel   result.Tunnel
}{
	"imapd":      {"", "143", "imap", result.RoleIMAP, ""},
	"imapd-ssl":  {"SSL", "993", "imap", result.RoleIMAP, result.TunnelTLS},
	"pop3d":      {"", "110", "pop3", result.RolePOP3, ""},
	"pop3d-ssl":  {"SSL", "995", "pop3", result.RolePOP3, result.TunnelTLS},
	"esmtpd":     {"", "smtp", "smtp", result.RoleMTA, ""},
	"esmtpd-msa": {"", "587", "smtp", result.RoleSubmission, ""},
	"esmtpd-ssl": {"SSL", "465", "smtp", result.RoleSubmission, result.TunnelTLS},
}

// courierLine is an assignment of the shell.
var courierLine = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?((?:SSL)?(?:ADDRESS|PORT))=(.*)$`)

// Courier reads a file of /etc/courier: PORT has ports, some with an address of their own as
// "127.0.0.1.143"; the others listen on ADDRESS, of which 0 is every address
// (couriertcpd(8)).
func Courier(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	file := courierFiles[path.Base(f.Name)]
	var address, port value
	for start, line := range f.Lines() {
		m := courierLine.FindStringSubmatchIndex(line)
		if m == nil {
			continue
		}
		text := uncommentedValue(line[m[4]:m[5]])
		w := quoteWidth(text)
		v := value{text[w : len(text)-w], start + m[4] + w}
		switch line[m[2]:m[3]] {
		case file.prefix + "ADDRESS":
			address = v
		case file.prefix + "PORT":
			port = v
		}
	}
	if address.text == "" && port.text == "" {
		return c
	}
	if port.text == "" {
		port = value{file.port, address.at}
	}
	at := port.at
	for item := range strings.SplitSeq(port.text, ",") {
		name := strings.TrimSpace(item)
		place := at + len(item) - len(strings.TrimLeft(item, " \t"))
		at += len(item) + 1
		if name == "" {
			continue
		}
		host, why := address.text, &address
		if i := strings.LastIndexByte(name, '.'); i > 0 {
			host, name, why = name[:i], name[i+1:], nil
		}
		l := listeners.Listener{Protocol: file.protocol, Product: "Courier", Role: file.role, Tunnel: file.tunnel, At: f.Anchor(place, place+len(strings.TrimSpace(item)))}
		if port.at == address.at {
			l.At = f.Anchor(address.at, address.at+len(address.text))
		}
		n, ok := endpoint.Port(name)
		if !ok || strings.ContainsAny(host, "$`") {
			c.AddDoubt(fmt.Sprintf("%sPORT %q is unknown", file.prefix, item), l.At)
			continue
		}
		l.Port, l.Service = n, fmt.Sprintf("%sPORT %s", file.prefix, strings.TrimSpace(item))
		courierBind(&l, f, host, why)
		c.AddListener(&l)
	}
	return c
}

// courierBind sets the address of a listener.
func courierBind(l *listeners.Listener, f *source.File, host string, of *value) {
	if host == "0" {
		host = ""
	}
	l.Bind(host)
	if host != "" || of == nil {
		return
	}
	cause := listeners.Cause{Why: "ADDRESS is not set; Courier then listens on all addresses"}
	if of.text != "" {
		at := f.Anchor(of.at, of.at+len(of.text))
		cause = listeners.Cause{Why: "ADDRESS is 0: all addresses", At: &at}
	}
	l.Causes = []listeners.Cause{cause}
	l.Address = netip.Addr{}
}
