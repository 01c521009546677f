package daemons

import (
	"fmt"
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/internal/statements"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// cyrusPrograms are what the programs of services are.
var cyrusPrograms = map[string]struct {
	protocol string
	role     result.Role
}{
	"imapd": {"imap", result.RoleIMAP}, "proxyd": {"imap", result.RoleIMAP}, "pop3d": {"pop3", result.RolePOP3}, "pop3proxyd": {"pop3", result.RolePOP3},
	"lmtpd": {"lmtp", result.RoleLMTP}, "lmtpproxyd": {"lmtp", result.RoleLMTP}, "timsieved": {"managesieve", result.RoleSieve},
	"sync_server": {"csync", result.RoleAdmin}, "mupdate": {"mupdate", result.RoleAdmin}, "backupd": {"csync", result.RoleAdmin},
	"httpd": {"http", result.RoleNotMail}, "nntpd": {"nntp", result.RoleNotMail},
}

// Cyrus reads cyrus.conf: the services of the section SERVICES, for those of DAEMON and the other
// sections listen on nothing. A service without an address is on all of them.
func Cyrus(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	for _, s := range statements.ParseCyrus(f.Text) {
		cyrusService(&c, f, &s)
	}
	return c
}

// cyrusService adds what one service listens on.
func cyrusService(c *listeners.Config, f *source.File, s *statements.CyrusService) {
	text, proto := s.Listen.Text, s.Setting("proto")
	if text == "" || text[0] == '/' || strings.HasPrefix(proto, "udp") {
		return
	}
	at := f.Anchor(s.Listen.Start, s.Listen.End)
	e, ok := endpoint.Parse(text)
	if !ok {
		c.AddDoubt(fmt.Sprintf("listen=%q of %s has no port that is known", text, s.Name), at)
		return
	}
	l := listeners.Listener{Port: e.Port, Product: "Cyrus IMAP", Service: "service " + s.Name, At: at}
	words := strings.Fields(s.Setting("cmd"))
	if len(words) > 0 {
		p := cyrusPrograms[path.Base(words[0])]
		l.Protocol, l.Role = p.protocol, p.role
	}
	for _, w := range words {
		if w == "-s" && (l.Role == result.RoleIMAP || l.Role == result.RolePOP3) {
			l.Tunnel = result.TunnelTLS
		}
	}
	if l.Role == "" {
		l.Role = result.RoleUnknown
	}
	if e.Host == "" || e.Host == "*" {
		l.Causes = []listeners.Cause{{Why: "listen= has no address; Cyrus then listens on all of them", At: &l.At}}
	}
	switch proto {
	case "tcp4", "tcp6":
		l.BindFamily(e.Host, proto == "tcp6")
		l.V6Only = proto == "tcp6"
	default:
		l.Bind(e.Host)
	}
	c.AddListener(&l)
}
