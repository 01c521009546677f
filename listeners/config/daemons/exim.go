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
func Exim(t *source.Tree, f *source.File) listeners.Config {
	if path.Base(f.Name) == "update-exim4.conf.conf" {
		return eximDebian(t, f)
	}
	s := newEximSettings()
	s.read(f)
	if !s.main {
		return listeners.Config{}
	}
	return s.listeners(f, "local_interfaces", s.set["local_interfaces"], ':')
}

// eximSettings are the settings of the main section of one or several files.
type eximSettings struct {
	set   map[string]fileValue
	doubt string // why there may be others
	main  bool   // a file is one of Exim at all
	ended bool   // the main section has ended
	skip  []bool // for each .ifdef that is open, whether its lines do not count
}

func newEximSettings() *eximSettings { return &eximSettings{set: map[string]fileValue{}} }

// read adds the settings of a file, with the values of macros.
func (s *eximSettings) read(f *source.File) {
	for start, line := range eximLines(f) {
		trimmed := strings.TrimSpace(line)
		switch {
		case s.ended:
			return
		case trimmed == "" || trimmed[0] == '#' || s.conditional(trimmed):
			continue
		case strings.HasPrefix(trimmed, "begin "):
			s.main, s.ended = true, true
			return
		case strings.HasPrefix(trimmed, ".include"):
			s.doubt = fmt.Sprintf("what %q configures is not read", strings.Join(strings.Fields(trimmed)[1:], " "))
		}
		m := eximSetting.FindStringSubmatchIndex(line)
		if m == nil || len(s.set) >= listeners.MaxListeners {
			continue
		}
		text := strings.TrimRight(line[m[4]:m[5]], " \t")
		w := quoteWidth(text)
		v := fileValue{value{text[w : len(text)-w], start + m[4] + w}, f}
		if macro, ok := s.set[v.text]; ok {
			v = macro
		}
		s.set[line[m[2]:m[3]]] = v
		s.main = s.main || eximMain.MatchString(line[m[2]:m[3]])
	}
}

// maxConditions is how many conditions may be in each other.
const maxConditions = 100

// conditional reads a line of a condition, and reports whether a line is one or does not count because
// of one: .ifdef holds if one of the macros is defined (Exim specification, section 6.7). Macros
// that Exim itself defines begin with an underscore; they hold here.
func (s *eximSettings) conditional(line string) bool {
	words := strings.Fields(line)
	defined := slices.ContainsFunc(words[1:], func(name string) bool {
		_, ok := s.set[name]
		return ok || strings.HasPrefix(name, "_")
	})
	last := len(s.skip) - 1
	switch words[0] {
	case ".ifdef", ".ifndef":
		if len(s.skip) < maxConditions {
			s.skip = append(s.skip, defined != (words[0] == ".ifdef") || last >= 0 && s.skip[last])
		}
	case ".else", ".elifdef", ".elifndef":
		if last >= 0 {
			outer := last > 0 && s.skip[last-1]
			s.skip[last] = outer || !s.skip[last] || words[0] != ".else" && defined != (words[0] == ".elifdef")
		}
	case ".endif":
		s.skip = s.skip[:max(last, 0)]
	default:
		return last >= 0 && s.skip[last]
	}
	return true
}

// listeners returns what Exim listens on: the addresses of a setting, whose list has a separator.
func (s *eximSettings) listeners(f *source.File, on string, interfaces fileValue, sep byte) listeners.Config {
	var c listeners.Config
	e := eximReading{c: &c, f: f, on: on, doubt: s.doubt}
	if interfaces.file != nil {
		e.doubt = ""
	}
	ports, ok := s.set["daemon_smtp_ports"]
	if !ok {
		ports, ok = s.set["daemon_smtp_port"]
	}
	e.ports = []fileValue{{value{"smtp", -1}, f}}
	if ok {
		e.ports = eximList(ports, ':')
	}
	for _, p := range eximList(s.set["tls_on_connect_ports"], ':') {
		e.tls = append(e.tls, p.text)
	}
	list := eximList(interfaces, sep)
	if len(list) == 0 {
		list = []fileValue{{value{"", -1}, f}}
	}
	for _, item := range list {
		e.address(item)
	}
	if hosts, has := s.set["hosts_proxy"]; has {
		e.proxies(hosts)
	}
	return c
}

// proxies adds the hosts whose connections begin with a PROXY header ("Inbound proxies" of the
// specification of Exim) to each listener.
func (e *eximReading) proxies(hosts fileValue) {
	var names []string
	for _, item := range eximList(hosts, ':') {
		name := strings.ReplaceAll(item.text, " ", "")
		bare, _, _ := strings.Cut(strings.TrimLeft(name, "!"), "/")
		if _, err := netip.ParseAddr(bare); err != nil { // colons of addresses are doubled
			name = strings.ReplaceAll(name, "::", ":")
		}
		names = append(names, name)
	}
	at := hosts.anchor()
	s := listeners.Setting{Name: "hosts_proxy", Value: strings.Join(names, " "), At: &at}
	for i := range e.c.Listeners {
		e.c.Listeners[i].Settings = append(e.c.Listeners[i].Settings, s)
	}
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
func eximList(v fileValue, sep byte) (list []fileValue) {
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
				list = append(list, fileValue{value{trimmed, at + from + skip}, v.file})
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
	ports []fileValue
	tls   []string // the ports on which TLS begins at once
	doubt string   // about each listener
}

// address adds the listeners of one item of local_interfaces.
func (e *eximReading) address(item fileValue) {
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
func (e *eximReading) add(host, port string, at, address fileValue) {
	if at.at < 0 {
		at = fileValue{value{"", 0}, e.f}
	}
	n, ok := endpoint.Port(port)
	if !ok {
		e.c.AddDoubt(fmt.Sprintf("%q is no port that is known", port), at.anchor())
		return
	}
	l := listeners.Listener{Port: n, Protocol: "smtp", Product: "Exim", Role: result.RoleMTA, At: at.anchor(), Service: strings.Join(strings.Fields(fmt.Sprintf("%s %s %d", e.on, host, n)), " ")}
	if n == 587 || n == 465 {
		l.Role = result.RoleSubmission
	}
	if slices.ContainsFunc(e.tls, func(name string) bool { p, ok := endpoint.Port(name); return ok && p == n }) {
		l.Tunnel = result.TunnelTLS
	}
	if l.Bind(host); l.Doubt == "" {
		l.Doubt = e.doubt
	}
	switch {
	case host == "":
		l.Causes = []listeners.Cause{{Why: e.on + " has no address; Exim then listens on all of them"}}
	case l.All():
		place := address.anchor()
		l.Causes = []listeners.Cause{{Why: e.on + " has " + host, At: &place}}
	}
	e.c.AddListener(&l)
}
