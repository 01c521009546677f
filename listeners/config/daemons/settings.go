package daemons

import (
	_ "embed"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

//go:embed settings.yaml
var settingsYAML []byte

// A Kind is a kind of file of names and values.
type Kind struct {
	Name     string      `yaml:"kind"`
	Files    []string    `yaml:"files"`
	Format   string      `yaml:"format"`
	Fold     bool        `yaml:"fold"`
	Product  string      `yaml:"product"`
	Protocol string      `yaml:"protocol"`
	Role     result.Role `yaml:"role"`
	Source   string      `yaml:"source"`
	Sockets  []socket    `yaml:"sockets"`
	Relay    string      `yaml:"relay"`
}

// A socket is one that the daemon opens.
type socket struct {
	Listen      string      `yaml:"listen"`
	Form        string      `yaml:"form"`
	Host        string      `yaml:"host"`
	Port        string      `yaml:"port"`
	DefaultHost string      `yaml:"default-host"`
	DefaultPort uint16      `yaml:"default-port"`
	V4          bool        `yaml:"v4"` // every address is that of IPv4
	EmptyIsAll  bool        `yaml:"empty-is-all"`
	Unless      string      `yaml:"unless"`
	Needs       string      `yaml:"needs"`
	Protocol    string      `yaml:"protocol"`
	Role        result.Role `yaml:"role"`
	Fix         string      `yaml:"fix"`
}

// Kinds returns the kinds of files of settings.yaml. The caller must not change them.
var Kinds = sync.OnceValue(func() []Kind {
	var list []Kind
	if err := yaml.Unmarshal(settingsYAML, &list); err != nil {
		return nil // TestKinds holds that it is not so
	}
	return list
})

// FixOf returns the id of the fix that binds a listener of a kind of file of settings.yaml, and
// reports whether the file is of one.
func FixOf(l *listeners.Listener) (id string, ok bool) {
	for i := range Kinds() {
		k := &Kinds()[i]
		if k.Name != l.Kind {
			continue
		}
		for _, s := range k.Sockets {
			if name, _, _ := strings.Cut(l.Service, " "); name == s.name() {
				return s.Fix, true
			}
		}
		return "", true
	}
	return "", false
}

// name is what the listeners of a socket are called by: its setting.
func (s *socket) name() string {
	if s.Listen != "" {
		return s.Listen
	}
	return s.Port
}

// Read reads a file of the kind.
func (k *Kind) Read(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	values, problem := k.values(f)
	if problem != "" {
		c.AddDoubt(problem, f.Anchor(0, 0))
		return c
	}
	for i := range k.Sockets {
		k.open(&c, f, &k.Sockets[i], values)
	}
	if v, ok := values[k.Relay]; ok && k.Relay != "" {
		if e, ok := endpoint.Parse(v.text); ok {
			at := f.Anchor(v.at, v.at+len(v.text))
			c.AddEdge(listeners.Edge{File: at.File, Kind: listeners.EdgeRelay, Host: e.Host, Port: e.Port, At: at})
		}
	}
	return c
}

// open adds what one socket opens.
func (k *Kind) open(c *listeners.Config, f *source.File, s *socket, values map[string]value) {
	if _, ok := values[s.Unless]; ok && s.Unless != "" {
		return
	}
	if _, ok := values[s.Needs]; !ok && s.Needs != "" {
		return
	}
	l := listeners.Listener{Product: k.Product, Protocol: k.Protocol, Role: k.Role}
	if s.Protocol != "" {
		l.Protocol, l.Role = s.Protocol, s.Role
	}
	if s.Listen == "" {
		s.pair(c, f, &l, values)
		return
	}
	v, ok := values[s.Listen]
	if !ok || v.text == "" {
		if s.DefaultPort != 0 {
			s.byDefault(c, f, &l)
		}
		return
	}
	l.At, l.Service = f.Anchor(v.at, v.at+len(v.text)), s.Listen+" "+v.text
	text, v6 := v.text, false
	switch s.Form {
	case "milter":
		m, listens, problem := milterSocket(text)
		if problem != "" {
			c.AddDoubt(strings.Replace(problem, "Socket", s.Listen, 1), l.At)
		}
		if !listens {
			return
		}
		l.Port, l.Host, l.Address, l.Doubt = m.Port, m.Host, m.Address, m.Doubt
		if m.Host == "" {
			l.Causes = []listeners.Cause{{Why: s.Listen + " has no @HOST; the milter then listens on all addresses", At: &l.At}}
		}
		c.AddListener(&l)
		return
	case "address port":
		host, port, ok := strings.Cut(text, " ")
		if text = "[" + host + "]"; host == "*" {
			text = "*"
		}
		port, named := strings.CutPrefix(strings.TrimSpace(port), "port")
		if text += ":" + fmt.Sprint(s.DefaultPort); ok && named {
			text = strings.TrimSuffix(text, fmt.Sprint(s.DefaultPort)) + strings.TrimSpace(port)
		}
	case "socketmap":
		family, rest, _ := strings.Cut(text, ":")
		if family != "inet" && family != "inet4" && family != "inet6" {
			return
		}
		text, v6 = rest, family == "inet6"
	}
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, "unix:") {
		return
	}
	e, ok := endpoint.Parse(text)
	if !ok {
		c.AddDoubt(fmt.Sprintf("%s %q has no port", s.Listen, v.text), l.At)
		return
	}
	l.Port = e.Port
	s.bind(&l, e.Host, nil)
	if v6 && l.Address == netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
		l.Address = netip.IPv6Loopback()
	}
	c.AddListener(&l)
}

// byDefault adds the listener of a file that says nothing of it.
func (s *socket) byDefault(c *listeners.Config, f *source.File, l *listeners.Listener) {
	l.At, l.Port, l.Service = f.Anchor(0, 0), s.DefaultPort, fmt.Sprintf("%s %d", s.name(), s.DefaultPort)
	s.bind(l, "", nil)
	c.AddListener(l)
}

// pair adds a listener of an address and a port that are settings of their own.
func (s *socket) pair(c *listeners.Config, f *source.File, l *listeners.Listener, values map[string]value) {
	host, hasHost := values[s.Host]
	port, hasPort := values[s.Port]
	everywhere := hasHost && host.text == "" && s.EmptyIsAll
	hasHost, hasPort = hasHost && host.text != "", hasPort && port.text != ""
	if everywhere {
		host, hasHost = value{"*", host.at}, true
	}
	if !hasHost && !hasPort {
		s.byDefault(c, f, l)
		return
	}
	l.Port = s.DefaultPort
	var cause *result.Anchor
	if hasHost {
		l.At = f.Anchor(host.at, host.at+len(host.text))
		if everywhere { // the value that is not there
			l.At = f.Anchor(host.at, host.at)
		}
		cause = &l.At
	}
	if hasPort {
		at := f.Anchor(port.at, port.at+len(port.text))
		n, ok := endpoint.Port(port.text)
		if !ok {
			c.AddDoubt(fmt.Sprintf("%s %q is not a port", s.Port, port.text), at)
			return
		}
		l.Port = n
		if !hasHost {
			l.At = at
		}
	}
	l.Service = fmt.Sprintf("%s %d", s.Port, l.Port)
	name := ""
	if hasHost {
		name = host.text
	}
	s.bind(l, name, cause)
	c.AddListener(l)
}

// bind sets the address: of a host, or the default.
func (s *socket) bind(l *listeners.Listener, host string, at *result.Anchor) {
	name := s.Host
	if name == "" {
		name, at = s.Listen, &l.At
	}
	switch {
	case host == "" && s.DefaultHost != "":
		host = s.DefaultHost
		l.Causes = []listeners.Cause{{Why: fmt.Sprintf("no address is set; the default is %s", host)}}
	case host == "" || host == "*":
		l.Causes = []listeners.Cause{{Why: "no address is set; the daemon then listens on all of them"}}
	default:
		l.Causes = []listeners.Cause{{Why: fmt.Sprintf("%s has the address", name), At: at}}
	}
	if s.V4 {
		l.BindFamily(host, false)
		return
	}
	l.Bind(host)
}

// Is reports whether a file has a name of the kind.
func (k *Kind) Is(name string) bool {
	return slices.ContainsFunc(k.Files, func(p string) bool {
		parts := strings.Split(name, "/")
		n := strings.Count(p, "/") + 1
		return len(parts) >= n && path.Join(parts[len(parts)-n:]...) == p
	})
}
