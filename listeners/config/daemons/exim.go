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

// eximSetting is a setting or a macro of the main section of Exim.
var eximSetting = regexp.MustCompile(`^\s*(\w+)\s*=\s*(.*)$`)

// Exim reads exim.conf, and Debian's update-exim4.conf.conf of which it is made (Exim
// specification, chapters 13 and 6.20). local_interfaces has addresses, some with a port of
// their own; the others listen on daemon_smtp_ports. Without it Exim listens on all addresses.
func Exim(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	debian := path.Base(f.Name) == "update-exim4.conf.conf"
	set := map[string]value{}
	for start, line := range f.Lines() {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "begin ") {
			break
		} else if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if m := eximSetting.FindStringSubmatchIndex(line); m != nil && len(set) < listeners.MaxListeners {
			text := strings.TrimRight(line[m[4]:m[5]], " \t")
			w := quoteWidth(text)
			set[line[m[2]:m[3]]] = value{text[w : len(text)-w], start + m[4] + w}
		}
	}
	name, sep := "local_interfaces", byte(':')
	if debian {
		name, sep = "dc_local_interfaces", ';'
	}
	interfaces, has := set[name]
	ports, hasPorts := set["daemon_smtp_ports"]
	if _, macro := set[interfaces.text]; macro {
		interfaces = set[interfaces.text]
	}
	if !has && !hasPorts {
		return c // it listens on port 25 of all addresses, as a mail server does
	}
	e := eximReading{c: &c, f: f, on: name}
	e.ports = []value{{"smtp", -1}}
	if hasPorts {
		e.ports = eximList(ports, ':')
	}
	list := eximList(interfaces, sep)
	if len(list) == 0 {
		list = []value{{"", -1}}
	}
	for _, item := range list {
		e.address(item)
	}
	return c
}

// eximList splits a list. A doubled separator is one of the item, and "<;" in front makes ;
// the separator.
func eximList(v value, sep byte) (list []value) {
	text, at := v.text, v.at
	if len(text) > 1 && text[0] == '<' {
		sep, text, at = text[1], text[2:], at+2
	}
	from := 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i < len(text) && text[i] != sep:
		case i+1 < len(text) && text[i+1] == sep && i < len(text):
			i++
		default:
			item := text[from:i]
			trimmed := strings.Trim(item, " \t")
			if trimmed != "" {
				skip := len(item) - len(strings.TrimLeft(item, " \t"))
				list = append(list, value{trimmed, at + from + skip})
			}
			from = i + 1
		}
	}
	return list
}

// An eximReading adds listeners.
type eximReading struct {
	c     *listeners.Config
	f     *source.File
	on    string
	ports []value
}

// anchor returns the place of a value.
func (e *eximReading) anchor(v value) result.Anchor {
	return e.f.Anchor(v.at, v.at+len(v.text))
}

// address adds the listeners of one item of local_interfaces.
func (e *eximReading) address(item value) {
	host, port := eximEndpoint(item.text)
	if port != "" {
		e.add(host, port, item, item)
		return
	}
	for _, p := range e.ports {
		at := p
		if p.at < 0 {
			at = item
		}
		e.add(host, p.text, at, item)
	}
}

// eximEndpoint splits "ADDRESS", "ADDRESS.PORT" and "[ADDRESS]:PORT"; in a list whose
// separator is a colon those of the address are doubled.
func eximEndpoint(text string) (host, port string) {
	if rest, ok := strings.CutPrefix(text, "["); ok {
		host, port, _ = strings.Cut(rest, "]")
		return host, strings.TrimLeft(port, ":.")
	}
	for _, host := range []string{text, strings.ReplaceAll(text, "::", ":")} {
		if _, err := netip.ParseAddr(host); err == nil {
			return host, ""
		}
		if i := strings.LastIndexByte(host, '.'); i > 0 {
			if _, err := netip.ParseAddr(host[:i]); err == nil {
				return host[:i], host[i+1:]
			}
		}
	}
	return text, ""
}

// add adds a listener.
func (e *eximReading) add(host, port string, at, address value) {
	if at.at < 0 {
		at.at, at.text = 0, ""
	}
	n, ok := endpoint.Port(port)
	if !ok {
		e.c.AddDoubt(fmt.Sprintf("%q is no port that is known", port), e.anchor(at))
		return
	}
	l := listeners.Listener{Port: n, Protocol: "smtp", Product: "Exim", Role: result.RoleMTA, At: e.anchor(at), Service: strings.TrimSpace(fmt.Sprintf("%s %s %d", e.on, host, n))}
	if n == 587 || n == 465 {
		l.Role = result.RoleSubmission
	}
	l.Bind(host)
	place := e.anchor(address)
	switch {
	case host == "":
		l.Causes = []listeners.Cause{{Why: e.on + " has no address; Exim then listens on all of them"}}
	case l.All():
		l.Causes = []listeners.Cause{{Why: e.on + " has " + host, At: &place}}
	}
	e.c.AddListener(&l)
}
