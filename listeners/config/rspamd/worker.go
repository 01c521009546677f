package rspamd

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A kind is what a worker of a type is, and what rspamd.conf as shipped binds it to.
type kind struct {
	file     string // of worker-*.inc
	bind     string
	product  string
	protocol string
	role     result.Role
}

var kinds = map[string]kind{
	"normal":       {"normal", "localhost:11333", "Rspamd", "rspamd-http", result.RoleAntispam},
	"controller":   {"controller", "localhost:11334", "Rspamd controller", "http", result.RoleAdmin},
	"rspamd_proxy": {"proxy", "localhost:11332", "Rspamd proxy", "milter", result.RoleMilter},
	"fuzzy":        {"fuzzy", "localhost:11335", "Rspamd fuzzy", "rspamd-fuzzy", result.RoleAntispam},
}

// Main reads rspamd.conf and what it includes.
func Main(t *source.Tree, f *source.File) listeners.Config {
	r := newReading(t, f)
	var root node
	r.parser.parse(f, layer{}, &root)
	r.mayShip = slices.Contains(r.parser.missing, shippedWorker)
	r.sections(&root)
	return r.c
}

// ends are the files that rspamd.conf includes at its end, and how.
var ends = []struct {
	name string
	layer
}{{"rspamd.conf.local", layer{1, true}}, {"rspamd.conf.override", layer{10, false}}}

// End reads rspamd.conf.local or rspamd.conf.override with the other one.
func End(t *source.Tree, f *source.File) listeners.Config {
	r := newReading(t, source.NewFile(path.Join(path.Dir(f.Name), "rspamd.conf"), "", ""))
	r.mayShip = true
	var root node
	for _, e := range ends {
		if path.Base(f.Name) == e.name {
			r.parser.parse(f, e.layer, &root)
		} else {
			r.parser.include(includes{file: f, name: "$CONFDIR/" + e.name, optional: true}, e.layer, &root)
		}
	}
	r.sections(&root)
	return r.c
}

// Worker reads one file worker-*.inc with those of the same worker in the other folders: of
// the package, local.d and override.d.
func Worker(t *source.Tree, f *source.File) listeners.Config {
	name := strings.TrimSuffix(strings.TrimPrefix(path.Base(f.Name), "worker-"), ".inc")
	main := f
	if dir := path.Dir(f.Name); path.Base(dir) == "local.d" || path.Base(dir) == "override.d" {
		main = source.NewFile(path.Join(path.Dir(dir), "rspamd.conf"), "", "")
	}
	r := newReading(t, main)
	r.mayShip = true
	for kind, k := range kinds {
		if k.file != name {
			continue
		}
		worker := &node{group: true}
		for _, at := range []struct {
			folder string
			layer
		}{{"", layer{}}, {"local.d/", layer{1, true}}, {"override.d/", layer{10, false}}} {
			name := path.Join(path.Dir(main.Name), at.folder, path.Base(f.Name))
			if name == f.Name {
				r.parser.parse(f, at.layer, worker)
			} else {
				r.parser.include(includes{file: main, name: "$CONFDIR/" + at.folder + path.Base(f.Name), optional: true}, at.layer, worker)
			}
		}
		if kind == "fuzzy" && worker.first("count") == nil { // as rspamd.conf has it
			return r.c
		}
		r.worker(kind, worker, true)
	}
	return r.c
}

// A reading is the state of a reader.
type reading struct {
	parser  parser
	c       listeners.Config
	mayShip bool // the file of the package counts, and is perhaps not among the files
}

func newReading(t *source.Tree, f *source.File) *reading {
	r := &reading{parser: parser{tree: t, main: f}}
	r.parser.doubt = func(f *source.File, start, end int, problem string) {
		r.c.AddDoubt(problem, f.Anchor(start, end))
	}
	return r
}

// sections reads the workers of a file.
func (r *reading) sections(root *node) {
	for _, c := range root.children {
		if c.key == "worker" {
			r.section(c)
		}
	}
}

// section reads worker "normal" { ... }, or worker { type = "normal"; ... }.
func (r *reading) section(n *node) {
	if t := n.first("type"); t != nil {
		r.worker(strings.ToLower(t.text), n, false)
		return
	}
	for _, c := range n.children {
		if c.group {
			r.worker(strings.ToLower(c.key), c, false)
		}
	}
}

// worker adds the listeners of one worker. shipped is set if the defaults of rspamd.conf hold.
func (r *reading) worker(name string, n *node, shipped bool) {
	k, ok := kinds[name]
	if !ok || r.disabled(n) {
		return
	}
	binds := n.each("bind_socket")
	for _, other := range []string{"listen", "bind"} {
		if len(binds) == 0 {
			binds = n.each(other)
		}
	}
	for _, b := range binds {
		r.bind(name, k, n, b.text, b.at(), nil)
	}
	if len(binds) == 0 && shipped && len(n.children) > 0 {
		cause := &listeners.Cause{Why: fmt.Sprintf("bind_socket is not set; rspamd.conf has %s", k.bind)}
		r.bind(name, k, n, k.bind, n.children[0].file.Anchor(0, 1), cause)
	}
}

// disabled reports whether a worker does not run: enabled = false, or a negative count.
func (r *reading) disabled(n *node) bool {
	if e := n.first("enabled"); e != nil && slices.Contains([]string{"false", "no", "off"}, strings.ToLower(e.text)) {
		return true
	}
	c := n.first("count")
	return c != nil && strings.HasPrefix(c.text, "-")
}

// defaultPort is the port of a bind_socket without one (cfg_file.h, DEFAULT_BIND_PORT).
const defaultPort = "11333"

// bind adds what one value of bind_socket opens (addr.c, rspamd_parse_host_port_priority).
func (r *reading) bind(name string, k kind, n *node, text string, at result.Anchor, cause *listeners.Cause) {
	switch {
	case strings.Contains(text, "{%"), strings.Contains(text, "{="), strings.Contains(text, "{{"), strings.Contains(text, "$"):
		r.c.AddDoubt(fmt.Sprintf("bind_socket %q is computed", text), at)
		return
	case text == "", text[0] == '/', text[0] == '.', strings.HasPrefix(strings.ToLower(text), "systemd:"):
		return
	}
	host, port := splitBind(text)
	number, ok := endpoint.Port(port)
	if !ok {
		r.c.AddDoubt(fmt.Sprintf("bind_socket %q has no valid port", text), at)
		return
	}
	l := listeners.Listener{
		Port: number, At: at, Protocol: k.protocol, Product: k.product, Role: k.role,
		Service: fmt.Sprintf("worker %s %s", name, text),
	}
	l.Bind(host)
	switch host {
	case "": // localhost, of both families
		one := l
		one.Bind("::1")
		one.Service += " ::1"
		r.add(name, n, &one, cause)
		l.Bind("127.0.0.1")
	case "*v4":
		l.Address, l.Doubt = netip.IPv4Unspecified(), ""
	case "*v6", "::":
		l.Address, l.Doubt, l.V6Only = netip.IPv6Unspecified(), "", true
	}
	r.add(name, n, &l, cause)
}

// add adds a listener.
func (r *reading) add(name string, n *node, l *listeners.Listener, cause *listeners.Cause) {
	r.describe(name, n, l)
	if cause != nil {
		l.Causes = []listeners.Cause{*cause}
	}
	r.c.AddListener(l)
}

// splitBind splits "host:port", "[host]:port", "host" and "host:port:priority". After a colon
// the port may be missing, and is then any.
func splitBind(text string) (host, port string) {
	var ported bool
	if rest, ok := strings.CutPrefix(text, "["); ok {
		host, port, _ = strings.Cut(rest, "]")
		port, ported = strings.CutPrefix(port, ":")
	} else {
		host, port, ported = strings.Cut(text, ":")
	}
	if !ported {
		return host, defaultPort
	}
	port, _, _ = strings.Cut(port, ":")
	return host, port
}

// describe adds what else a judgement needs.
func (r *reading) describe(name string, n *node, l *listeners.Listener) {
	switch name {
	case "rspamd_proxy":
		if m := n.first("milter"); m != nil && slices.Contains([]string{"false", "no", "off"}, strings.ToLower(m.text)) {
			l.Protocol, l.Role = "rspamd-http", result.RoleAntispam
		}
	case "fuzzy":
		l.Doubt = "the fuzzy storage of older releases takes UDP only"
	case "controller":
		r.secure(n, l)
	}
}

// maxShown is how many networks are told.
const maxShown = 100

// secure adds the addresses that need no password, and whether there is one. The value of a
// password is never told, unless it is the one of the documentation.
func (r *reading) secure(n *node, l *listeners.Listener) {
	if list := n.each("secure_ip"); len(list) > 0 {
		at := list[0].at()
		var words []string
		for _, s := range list[:min(len(list), maxShown)] {
			words = append(words, s.text)
		}
		l.Settings = append(l.Settings, listeners.Setting{Name: "secure_ip", Value: strings.Join(words, " "), At: &at})
	}
	for _, key := range []string{"password", "enable_password"} {
		p := n.first(key)
		if p == nil && key == "password" && !r.mayShip && len(l.Settings) == 0 {
			l.Settings = append(l.Settings, listeners.Setting{Name: loginSettings[key], Value: "none"})
		}
		if p == nil {
			continue
		}
		at := p.at()
		value := "set"
		switch p.text {
		case "":
			value = "empty"
		case "q1": // worker-controller.inc as shipped
			value = "default"
		}
		l.Settings = append(l.Settings, listeners.Setting{Name: loginSettings[key], Value: value, At: &at})
	}
}

// shippedWorker is the file of the package that has the password of the documentation, and
// secure_ip.
const shippedWorker = "worker-controller.inc"

// loginSettings are the names of the settings that say whether there is a password: "set",
// "none" if neither it nor secure_ip is set, "empty", or "default" for the one of the
// documentation. With the last two Rspamd admits nobody who needs a password (controller.c).
var loginSettings = map[string]string{"password": "login", "enable_password": "enable_login"}
