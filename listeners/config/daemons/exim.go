package daemons

import (
	"fmt"
	"iter"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// eximSetting is a setting or a macro of the main section of Exim.
var eximSetting = regexp.MustCompile(`^\s*(?:hide\s+)?(\w+)\s*={1,2}\s*(.*)$`)

// eximMain are settings that only the main section of Exim and Debian's file have; exim.conf is
// also a name of files of other programs.
var eximMain = regexp.MustCompile(`^(?:acl_smtp_\w+|dc_\w+|tls_\w+|primary_hostname|qualify_domain|local_interfaces|daemon_smtp_ports?)$`)

// Exim reads exim.conf, and Debian's update-exim4.conf.conf of which it is made (Exim
// specification, chapter 13; update-exim4.conf(8)). local_interfaces has addresses, some with a
// port of their own; the others listen on daemon_smtp_ports. The defaults are all addresses and
// the port smtp. tls_on_connect_ports says on which of the ports TLS begins at once; it opens
// none (section 13.4).
func Exim(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	set, included, main := eximSettings(f)
	if !main {
		return c
	}
	e := eximReading{c: &c, f: f, on: "local_interfaces", doubt: included}
	sep := byte(':')
	if path.Base(f.Name) == "update-exim4.conf.conf" {
		e.on, sep = "dc_local_interfaces", ';'
	}
	interfaces, has := set[e.on]
	ports, hasPorts := set["daemon_smtp_ports"]
	if !hasPorts {
		ports, hasPorts = set["daemon_smtp_port"]
	}
	if has {
		e.doubt = ""
	}
	e.ports = []value{{"smtp", -1}}
	if hasPorts {
		e.ports = eximList(ports, ':')
	}
	for _, p := range eximList(set["tls_on_connect_ports"], ':') {
		e.tls = append(e.tls, p.text)
	}
	list := eximList(interfaces, sep)
	if len(list) == 0 {
		list = []value{{"", -1}}
	}
	for _, item := range list {
		e.address(item)
	}
	if hosts, has := set["hosts_proxy"]; has {
		e.proxies(hosts)
	}
	return c
}

// proxies adds the hosts whose connections begin with a PROXY header ("Inbound proxies" of the
// specification of Exim) to each listener.
func (e *eximReading) proxies(hosts value) {
	var names []string
	for _, item := range eximList(hosts, ':') {
		name := strings.ReplaceAll(item.text, " ", "")
		bare, _, _ := strings.Cut(strings.TrimLeft(name, "!"), "/")
		if _, err := netip.ParseAddr(bare); err != nil { // colons of addresses are doubled
			name = strings.ReplaceAll(name, "::", ":")
		}
		names = append(names, name)
	}
	at := e.anchor(hosts)
	s := listeners.Setting{Name: "hosts_proxy", Value: strings.Join(names, " "), At: &at}
	for i := range e.c.Listeners {
		e.c.Listeners[i].Settings = append(e.c.Listeners[i].Settings, s)
	}
}

// eximSettings returns the settings of the main section, with the values of macros, why there may
// be others, and whether the file is one of Exim at all.
func eximSettings(f *source.File) (set map[string]value, doubt string, main bool) {
	set = map[string]value{}
	for start, line := range eximLines(f) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
			continue
		case strings.HasPrefix(trimmed, "begin "):
			return set, doubt, true
		case strings.HasPrefix(trimmed, ".include"):
			doubt = fmt.Sprintf("what %q configures is not read", strings.Join(strings.Fields(trimmed)[1:], " "))
		}
		m := eximSetting.FindStringSubmatchIndex(line)
		if m == nil || len(set) >= listeners.MaxListeners {
			continue
		}
		text := strings.TrimRight(line[m[4]:m[5]], " \t")
		w := quoteWidth(text)
		v := value{text[w : len(text)-w], start + m[4] + w}
		if macro, ok := set[v.text]; ok {
			v = macro
		}
		set[line[m[2]:m[3]]] = v
		main = main || eximMain.MatchString(line[m[2]:m[3]])
	}
	return set, doubt, main
}

// eximLines yields the lines with their offsets. What a line with a \ at its end goes on with is
// one of it, after as many blanks as the line end has bytes.
func eximLines(f *source.File) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		var whole strings.Builder
		begin := 0
		for start, line := range f.Lines() {
			if whole.Len() == 0 {
				begin = start
			}
			whole.WriteString(strings.Repeat(" ", start-begin-whole.Len()))
			body, more := strings.CutSuffix(strings.TrimRight(line, " \t"), "\\")
			if whole.WriteString(body); more {
				whole.WriteByte(' ')
				continue
			}
			if !yield(begin, whole.String()) {
				return
			}
			whole.Reset()
		}
		if whole.Len() > 0 {
			yield(begin, whole.String())
		}
	}
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
	tls   []string // the ports on which TLS begins at once
	doubt string   // about each listener
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
	l := listeners.Listener{Port: n, Protocol: "smtp", Product: "Exim", Role: result.RoleMTA, At: e.anchor(at), Service: strings.Join(strings.Fields(fmt.Sprintf("%s %s %d", e.on, host, n)), " ")}
	if n == 587 || n == 465 {
		l.Role = result.RoleSubmission
	}
	if slices.ContainsFunc(e.tls, func(name string) bool { p, ok := endpoint.Port(name); return ok && p == n }) {
		l.Tunnel = result.TunnelTLS
	}
	if l.Bind(host); l.Doubt == "" {
		l.Doubt = e.doubt
	}
	place := e.anchor(address)
	switch {
	case host == "":
		l.Causes = []listeners.Cause{{Why: e.on + " has no address; Exim then listens on all of them"}}
	case l.All():
		l.Causes = []listeners.Cause{{Why: e.on + " has " + host, At: &place}}
	}
	e.c.AddListener(&l)
}
