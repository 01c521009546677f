package perl

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// debianPort is the port that Debian's 20-debian_defaults sets.
const debianPort = 10024

// An amavis is what the files of one amavisd configure.
type amavis struct {
	*program
	file      *source.File    // the first one
	folder    bool            // it is one of the files of conf.d
	addresses []bound         // of $inet_socket_bind
	seen      map[string]bool // the names of the listeners
	tried     int             // how many pairs of an address and a port there were
}

// Amavis reads amavisd.conf, or all files of the folder amavis/conf.d in the order of their
// names, as Debian's amavisd does (Amavis.pm, Amavis/Conf.pm).
func Amavis(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	a := &amavis{
		program: newProgram(t, &c, "listen_sockets", "inet_socket_port", "inet_socket_bind", "inet_acl",
			"interface_policy", "policy_bank", "forward_method", "notify_method"),
		file: f, folder: path.Base(path.Dir(f.Name)) == "conf.d", seen: map[string]bool{},
	}
	if a.folder && t != nil {
		for _, name := range t.Find(f.Name, "*") {
			if partName(path.Base(name)) {
				a.readFile(f, name, value{text: name})
			}
		}
	} else {
		a.run(f)
	}
	a.listen()
	from := len(c.Doubts)
	a.hand("forward_method", listeners.EdgeRelay)
	a.hand("notify_method", listeners.EdgeRelay)
	a.handBanks()
	c.OnlyEdges(from)
	return c
}

// partName reports whether a file of conf.d is read: run-parts --list takes names of letters,
// digits, _ and -.
func partName(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r > 0x7f || !isWord(byte(r)) && r != '-' }) < 0
}

// listen adds the listeners.
func (a *amavis) listen() {
	a.addresses = a.binds()
	sockets, port := a.vars["listen_sockets"], a.vars["inet_socket_port"]
	for _, v := range []*assignment{sockets, port} {
		if v == nil {
			continue
		}
		if v.doubt != "" {
			a.c.AddDoubt(v.doubt, v.doubtAt)
		}
		for _, item := range v.value.each() {
			switch {
			case item.kind == scalar:
				a.socket(v, item)
			case item.kind == computed && v.doubt == "":
				a.doubt(v.file, item.start, item.end, "an item of %s is computed", v.name.text)
			}
		}
	}
	if bind := a.vars["inet_socket_bind"]; bind != nil && port == nil && sockets == nil && a.folder {
		a.product(bind, value{start: bind.value.start, end: bind.value.end}, debianPort,
			"$inet_socket_port is not in these files; Debian's 20-debian_defaults sets it to 10024")
	}
}

// socket adds the listeners of one port or socket.
func (a *amavis) socket(v *assignment, item value) {
	text := item.text
	for _, family := range []string{"inet:", "inet6:"} {
		text = strings.TrimPrefix(text, family)
	}
	local := strings.HasPrefix(text, "/") || strings.HasPrefix(text, "unix:") || strings.HasSuffix(strings.ToLower(text), "|unix") || strings.HasSuffix(strings.ToLower(text), "/unix")
	if text == "" || local {
		return
	}
	text, proto, _ := strings.Cut(text, "/")
	host, name, explicit := cutPort(text)
	port, ok := endpoint.Port(name)
	switch {
	case !ok:
		a.doubt(v.file, item.start, item.end, "%q of %s is not a port", item.text, v.name.text)
	case explicit:
		a.add(v, item, listeners.Listener{Port: port, Tunnel: tunnel(proto)}, host, nil)
	default:
		a.product(v, item, port, "")
	}
}

// tunnel returns the tunnel of a protocol of Net::Server.
func tunnel(proto string) result.Tunnel {
	if strings.HasPrefix(strings.ToLower(proto), "ssl") {
		return result.TunnelTLS
	}
	return ""
}

// cutPort splits "host:port" or "[host]:port"; explicit is false if there is only a port.
func cutPort(text string) (host, port string, explicit bool) {
	if strings.HasPrefix(text, "[") {
		if host, port, ok := strings.Cut(text[1:], "]:"); ok {
			return host, port, true
		}
	}
	host, port, explicit = strings.Cut(text, ":")
	if !explicit {
		return "", text, false
	}
	return host, port, true
}

// A bound is an address of $inet_socket_bind.
type bound struct {
	host  string
	cause listeners.Cause
	doubt string
}

// binds returns the addresses of $inet_socket_bind.
func (a *amavis) binds() []bound {
	var all []bound
	bind := a.vars["inet_socket_bind"]
	if bind == nil {
		cause := listeners.Cause{Why: "$inet_socket_bind is not set; its default is 127.0.0.1 and [::1]"}
		return []bound{{"127.0.0.1", cause, ""}, {"::1", cause, ""}}
	}
	hosts := bind.value.each()
	if bind.value.kind == list && len(hosts) == 0 {
		hosts = []value{{kind: undefined, start: bind.value.start, end: bind.value.end}}
	}
	for _, h := range hosts[:min(len(hosts), maxAddresses)] {
		at := bind.at(h)
		b := bound{strings.Trim(h.text, "[]"), listeners.Cause{Why: "$inet_socket_bind has " + h.text, At: &at}, bind.doubt}
		switch {
		case h.kind == computed || h.kind == list:
			b.host, b.cause.Why, b.doubt = "", "$inet_socket_bind is computed", "an address of $inet_socket_bind is computed"
		case h.kind == undefined || b.host == "":
			b.host, b.cause.Why = "*", "$inet_socket_bind is empty; amavisd then listens on all addresses"
		}
		all = append(all, b)
	}
	return all
}

// product adds a listener for each address of $inet_socket_bind.
func (a *amavis) product(v *assignment, item value, port uint16, doubt string) {
	for i := range a.addresses {
		b := &a.addresses[i]
		a.add(v, item, listeners.Listener{Port: port, Doubt: cmp.Or(doubt, b.doubt)}, b.host, &b.cause)
	}
}

const (
	maxAddresses = 1_000   // how many addresses $inet_socket_bind has
	maxTried     = 100_000 // how many pairs of an address and a port one configuration has
)

// add adds a listener, unless it has been added before.
func (a *amavis) add(v *assignment, item value, l listeners.Listener, host string, cause *listeners.Cause) {
	if a.tried++; a.tried > maxTried {
		return
	}
	doubt := l.Doubt
	l.Bind(host)
	if doubt != "" {
		l.Doubt = doubt
	}
	l.Service = fmt.Sprintf("%s:%d", orAll(host), l.Port)
	if strings.Contains(host, ":") {
		l.Service = fmt.Sprintf("[%s]:%d", host, l.Port)
	}
	if a.seen[l.Service] {
		return
	}
	a.seen[l.Service] = true
	l.At = v.at(item)
	if l.Doubt == "" {
		l.Doubt = v.doubt
	}
	if cause != nil {
		l.Causes = []listeners.Cause{*cause}
	}
	l.Protocol, l.Product, l.Role = "smtp", "amavisd-new", result.RoleContentFilter
	a.settings(&l)
	a.c.AddListener(&l)
}

// orAll returns a host, * if it is empty.
func orAll(host string) string {
	if host == "" {
		return "*"
	}
	return host
}

// settings adds the policy bank of a listener, and who may connect to it.
func (a *amavis) settings(l *listeners.Listener) {
	acl := a.vars["inet_acl"]
	names, bank := a.bank(l.Port)
	if names != nil {
		at := names.at(names.value)
		l.Settings = append(l.Settings, listeners.Setting{Name: "interface_policy", Value: names.value.text, At: &at})
	}
	if bank != nil {
		if v, ok := bank.value.member("protocol"); ok && v.kind == scalar {
			l.Protocol = strings.ToLower(v.text)
		}
		if v, ok := bank.value.member("inet_acl"); ok {
			acl = &assignment{file: bank.file, name: bank.name, value: v}
		}
	}
	s := listeners.Setting{Name: "inet_acl", Value: "127.0.0.1 [::1]"} // Amavis/Conf.pm
	if acl != nil {
		at := acl.at(acl.value)
		s.At, s.Value = &at, joined(acl.value)
		if acl.doubt != "" || acl.value.kind == computed {
			return
		}
	}
	l.Settings = append(l.Settings, s)
}

// bank returns the name of the policy bank of a port, and the bank; nil if it has none.
func (a *amavis) bank(port uint16) (names, bank *assignment) {
	names = a.of("interface_policy", fmt.Sprint(port))
	if names == nil || names.value.kind != scalar {
		return nil, nil
	}
	bank = a.of("policy_bank", names.value.text)
	return names, bank
}

// of returns the value of a key of a hash, which may have been assigned as a whole.
func (a *amavis) of(name, key string) *assignment {
	if v := a.hash[name][key]; v != nil {
		return v
	}
	if whole := a.vars[name]; whole != nil {
		if v, ok := whole.value.member(key); ok {
			return &assignment{file: whole.file, name: whole.name, value: v}
		}
	}
	return nil
}

// maxShown is how many networks of a list are told.
const maxShown = 100

// joined returns the items of a list with blanks between them.
func joined(v value) string {
	var words []string
	for _, item := range v.each() {
		if item.kind == scalar && len(words) < maxShown {
			words = append(words, item.text)
		}
	}
	return strings.Join(words, " ")
}
