package daemons

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

var (
	cyrusSection = regexp.MustCompile(`^\s*(\w+)\s*\{`)
	cyrusListen  = regexp.MustCompile(`(?:^|\s)listen\s*=\s*(?:"([^"]*)"?|(\S+))`)
	cyrusCommand = regexp.MustCompile(`(?:^|\s)cmd\s*=\s*(?:"([^"]*)"?|(\S+))`)
	cyrusProto   = regexp.MustCompile(`(?:^|\s)proto\s*=\s*"?([\w]+)`)
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

// Cyrus reads cyrus.conf (cyrus.conf(5); master/masterconf.c): the services of the section
// SERVICES, one a line, and DAEMON, which listens on nothing. A service without an address is on all of
// them.
func Cyrus(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	section := ""
	for start, line := range f.Lines() {
		if i := strings.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		if m := cyrusSection.FindStringSubmatch(line); m != nil {
			section = m[1]
			continue
		}
		name, _ := word(line, 0)
		m := cyrusListen.FindStringSubmatchIndex(line)
		if section != "SERVICES" || m == nil || name == "}" {
			continue
		}
		from, to := m[2], m[3]
		if from < 0 {
			from, to = m[4], m[5]
		}
		cyrusService(&c, f, name, line, start, from, to)
	}
	return c
}

// cyrusService adds what one service listens on.
func cyrusService(c *listeners.Config, f *source.File, name, line string, start, from, to int) {
	text := line[from:to]
	proto := ""
	if m := cyrusProto.FindStringSubmatch(line); m != nil {
		proto = m[1]
	}
	if text == "" || text[0] == '/' || strings.HasPrefix(proto, "udp") {
		return
	}
	at := f.Anchor(start+from, start+to)
	e, ok := endpoint.Parse(text)
	if !ok {
		c.AddDoubt(fmt.Sprintf("listen=%q of %s has no port that is known", text, name), at)
		return
	}
	l := listeners.Listener{Port: e.Port, Product: "Cyrus IMAP", Service: "service " + name, At: at}
	if m := cyrusCommand.FindStringSubmatch(line); m != nil {
		words := strings.Fields(m[1] + m[2])
		if len(words) > 0 {
			p := cyrusPrograms[path.Base(words[0])]
			l.Protocol, l.Role = p.protocol, p.role
		}
		for _, w := range words {
			if w == "-s" && (l.Role == result.RoleIMAP || l.Role == result.RolePOP3) {
				l.Tunnel = result.TunnelTLS
			}
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
