package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// A socket is what nginx opens once, however many servers listen on it.
type socket struct {
	address netip.Addr
	host    string // a name that the files do not resolve
	port    uint16
}

// A listen is what a listen directive says.
type listen struct {
	host        string
	v6          bool // in brackets
	first, last int
	dual        bool // ipv6only=off
	own         bool // a socket of its own, although another one is bound to all addresses
	udp, tls    bool
	proxied     word
}

// owners are the parameters with which an address gets a socket of its own (nginx
// src/http/ngx_http_core_module.c, ngx_http_core_listen).
var owners = []string{
	"bind", "backlog", "rcvbuf", "sndbuf", "accept_filter", "deferred", "ipv6only", "reuseport", "so_keepalive", "setfib", "fastopen", "multipath",
}

// listen adds the listeners of the server.
func (s *nginxServer) listen(server *directive) {
	any := false
	for _, d := range s.byName["listen"] {
		if len(d.words) < 2 {
			continue
		}
		any = true
		w := d.words[1]
		l, local, problem := parseListen(w.text, s.block)
		switch {
		case problem != "":
			s.doubt(problem, w)
		case local:
		default:
			l.parameters(d.words[2:])
			s.bind(l, w, nil)
		}
	}
	if !any && s.block == "http" { // ngx_http_core_server: *:80, or as another user than root *:8000
		s.bind(listen{first: 80, last: 80}, server.words[0], &listeners.Cause{Why: "the server has no listen; nginx then listens on port 80 of all addresses"})
	}
}

// parseListen parses the address of a listen directive (nginx src/core/ngx_inet.c,
// ngx_parse_url). local is set for a local socket.
func parseListen(s, block string) (l listen, local bool, problem string) {
	if len(s) >= 5 && strings.EqualFold(s[:5], "unix:") {
		return l, true, ""
	}
	if strings.ContainsAny(s, "${}") {
		return l, false, strconv.Quote(s) + " is not in the files"
	}
	port := ""
	switch i := strings.LastIndexByte(s, ':'); {
	case s == "":
		return l, false, "the address has no host; nginx does not start"
	case strings.HasPrefix(s, "["):
		host, rest, ok := strings.Cut(s[1:], "]")
		l.host, l.v6 = host, true
		if a, err := netip.ParseAddr(host); !ok || err != nil || !a.Is6() || rest != "" && rest[0] != ':' {
			return l, false, strconv.Quote(s) + " is not an address; nginx does not start"
		}
		port = strings.TrimPrefix(rest, ":")
	case i >= 0:
		l.host, port = s[:i], s[i+1:]
		if l.host == "" {
			return l, false, "the address has no host; nginx does not start"
		}
	case s != "" && strings.Trim(s, "0123456789-") == "":
		port = s
	default:
		l.host = s
	}
	if port == "" && block == "http" {
		port = "80"
	}
	first, last, isRange := strings.Cut(port, "-")
	if !isRange {
		last = first
	}
	var err1, err2 error
	l.first, err1 = strconv.Atoi(first)
	l.last, err2 = strconv.Atoi(last)
	if err1 != nil || err2 != nil || l.first < 1 || l.last < l.first || l.last > 65535 {
		return l, false, strconv.Quote(s) + " has no valid port; nginx does not start"
	}
	return l, false, ""
}

// parameters sets what the words after the address say.
func (l *listen) parameters(words []word) {
	for _, w := range words {
		name, value, _ := strings.Cut(w.text, "=")
		switch name {
		case "ssl":
			l.tls = true
		case "proxy_protocol":
			l.proxied = w
		case "udp", "quic":
			l.udp = true
		case "ipv6only":
			l.dual = value == "off"
		}
		l.own = l.own || slices.Contains(owners, name)
	}
}

// bind adds a listener for each port.
func (s *nginxServer) bind(l listen, w word, cause *listeners.Cause) {
	if l.udp || s.full {
		return
	}
	base := listeners.Listener{At: w.place()}
	base.BindFamily(l.host, l.v6)
	base.V6Only = l.v6 && !l.dual && base.Address.IsUnspecified()
	switch {
	case cause != nil:
		base.Causes = []listeners.Cause{*cause}
	case l.host == "" || l.host == "*":
		base.Causes = []listeners.Cause{{Why: fmt.Sprintf("%q has no address; nginx then listens on all of them", w.text)}}
	}
	described := false
	for port := l.first; port <= l.last; port++ {
		key := socket{base.Address, "", uint16(port)}
		if !base.Address.IsValid() {
			key.host = l.host
		}
		i, ok := s.sockets[key]
		if !ok {
			if !described {
				described = true
				s.describe(&base, &l)
			}
			one := base
			one.Port = key.port
			if s.block == "mail" {
				s.describeMail(&one)
			}
			one.Service = serviceName(s.block, w, l.first, l.last, port)
			i = len(s.c.Listeners)
			if !s.c.AddListener(&one) {
				s.full = true
				return
			}
			s.sockets[key] = i
		}
		s.listening = append(s.listening, i)
		s.owning[i] = s.owning[i] || l.own
		if l.tls {
			s.c.Listeners[i].Tunnel = result.TunnelTLS
		}
		if len(s.passing) > 0 && s.block == "http" {
			s.c.Listeners[i].Role = result.RoleProxy
		}
	}
}
