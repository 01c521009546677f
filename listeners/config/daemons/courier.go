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
	before   string // the file that its start script reads before it, "" for none
	start    string // the setting by which it is started
	protocol string
	role     result.Role
	tunnel   result.Tunnel
}{
	"imapd":      {"", "imapd-ssl", "IMAPDSTART", "imap", result.RoleIMAP, ""},
	"imapd-ssl":  {"SSL", "imapd", "IMAPDSSLSTART", "imap", result.RoleIMAP, result.TunnelTLS},
	"pop3d":      {"", "pop3d-ssl", "POP3DSTART", "pop3", result.RolePOP3, ""},
	"pop3d-ssl":  {"SSL", "pop3d", "POP3DSSLSTART", "pop3", result.RolePOP3, result.TunnelTLS},
	"esmtpd":     {"", "", "ESMTPDSTART", "smtp", result.RoleMTA, ""},
	"esmtpd-msa": {"", "esmtpd", "ESMTPDSTART", "smtp", result.RoleSubmission, ""},
	"esmtpd-ssl": {"SSL", "esmtpd", "ESMTPDSSLSTART", "smtp", result.RoleSubmission, result.TunnelTLS},
}

// courierPorts are the ports of the files that Courier ships, for a file without PORT.
var courierPorts = map[string]string{
	"imapd": "143", "imapd-ssl": "993", "pop3d": "110", "pop3d-ssl": "995", "esmtpd": "smtp", "esmtpd-msa": "587", "esmtpd-ssl": "465",
}

// courierLine is an assignment of the shell.
var courierLine = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?((?:SSL)?(?:ADDRESS|PORT)|\w+START)=(.*)$`)

// courierValues adds the assignments of a file, which outrank those that are there.
func courierValues(f *source.File, values map[string]fileValue) {
	for start, line := range f.Lines() {
		m := courierLine.FindStringSubmatchIndex(line)
		if m == nil {
			continue
		}
		text := uncommentedValue(line[m[4]:m[5]])
		w := quoteWidth(text)
		values[line[m[2]:m[3]]] = fileValue{value{text[w : len(text)-w], start + m[4] + w}, f}
	}
}

// Courier reads a file of /etc/courier: PORT has ports, some with an address of their own as
// "127.0.0.1.143"; the others listen on ADDRESS, of which 0 is every address
// (couriertcpd(8)). What it does not set may be set by the file that its start script reads
// before it (courier/esmtpd.in, courier/imapd.rc.in).
func Courier(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	name := path.Base(f.Name)
	kind, values := courierFiles[name], map[string]fileValue{}
	if t != nil && kind.before != "" {
		if before, err := t.Read(path.Join(path.Dir(f.Name), kind.before)); err == nil {
			courierValues(before, values)
			delete(values, kind.start) // what starts the daemon reads it in its own file
		}
	}
	courierValues(f, values)
	address, port := values[kind.prefix+"ADDRESS"], values[kind.prefix+"PORT"]
	if address.file != f && port.file != f {
		return c
	}
	if port.text == "" {
		if address.file == nil { // PORT is empty: couriertcpd(8) does not start
			return c
		}
		port = fileValue{value{courierPorts[name], address.at}, address.file}
	}
	doubt := ""
	if s := values[kind.start]; s.text != "" && s.text[0]|0x20 != 'y' {
		doubt = fmt.Sprintf("%s is %s, which init scripts obey and the units of systemd that Debian has do not", kind.start, s.text)
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
		l := listeners.Listener{Protocol: kind.protocol, Product: "Courier", Role: kind.role, Tunnel: kind.tunnel, At: port.file.Anchor(place, place+len(strings.TrimSpace(item)))}
		if port.file != f || port.at == address.at { // the line of another file, or none
			l.At = address.anchor()
		}
		n, ok := endpoint.Port(name)
		if !ok || strings.ContainsAny(host, "$`") {
			c.AddDoubt(fmt.Sprintf("%sPORT %q is unknown", kind.prefix, item), l.At)
			continue
		}
		l.Port, l.Service, l.Doubt = n, fmt.Sprintf("%sPORT %s", kind.prefix, strings.TrimSpace(item)), doubt
		courierBind(&l, host, why)
		c.AddListener(&l)
	}
	return c
}

// courierBind sets the address of a listener.
func courierBind(l *listeners.Listener, host string, of *fileValue) {
	if host == "0" {
		host = ""
	}
	before := l.Doubt
	if l.Bind(host); l.Doubt == "" {
		l.Doubt = before
	}
	if host != "" || of == nil {
		return
	}
	cause := listeners.Cause{Why: "ADDRESS is not set; Courier then listens on all addresses"}
	if of.text != "" {
		at := of.anchor()
		cause = listeners.Cause{Why: "ADDRESS is 0: all addresses", At: &at}
	}
	l.Causes = []listeners.Cause{cause}
	l.Address = netip.Addr{}
}
