package proxy

import (
	"cmp"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// A server is a server line of a backend.
type server struct {
	address
	at   word
	send word // the option by which it gets a PROXY header, if any
}

// backends returns the sections whose servers a section uses, each once, and the names of those
// that are in no file. A section of the same file counts before one of another.
func (h *haproxy) backends(s *section) (list []*section, missing []word) {
	used := map[*section]bool{}
	if s.kind != "frontend" {
		list, used[s] = append(list, s), true
	}
	use := func(l line) {
		name := l.words[1]
		if strings.Contains(name.text, "%[") || len(name.open) > 0 {
			h.doubt("which backend is used depends on the connection", name)
			return
		}
		switch b := cmp.Or(h.own[name.text], h.passing[name.text]); {
		case b == nil:
			missing = append(missing, name)
		case !used[b]:
			used[b] = true
			list = append(list, b)
		}
	}
	for _, l := range s.lines {
		if l.is("use_backend") && len(l.words) > 1 {
			use(l)
		}
	}
	if l, ok := s.last("default_backend"); ok && len(l.words) > 1 {
		use(l)
	}
	return list, missing
}

// checks are the protocols of the health checks that speak one (HAProxy, configuration.txt
// 4.2).
var checks = map[string]string{
	"smtpchk": "smtp", "redis-check": "redis", "mysql-check": "mysql", "pgsql-check": "postgresql", "ldap-check": "ldap",
}

// checked returns the protocol of a health check, "" if the line is none that says it.
func checked(l line) string {
	switch {
	case l.is("option") && len(l.words) > 1:
		return checks[l.words[1].text]
	case l.is("tcp-check", "expect"):
		return greeted(l.words[len(l.words)-1].text)
	}
	return ""
}

// speaks returns the protocol of the health checks of a section or of its defaults.
func (s *section) speaks() string {
	for ; s != nil; s = s.defaults {
		if s.protocol != "" {
			return s.protocol
		}
	}
	return ""
}

// greeted returns the protocol whose daemons begin with a text, "" if it is not clear.
func greeted(text string) string {
	switch text = strings.TrimLeft(text, `^\`); {
	case strings.HasPrefix(text, "* OK"), strings.HasPrefix(text, "* "):
		return "imap"
	case strings.HasPrefix(text, "+OK"):
		return "pop3"
	case strings.HasPrefix(text, "220"):
		return "smtp"
	case strings.HasPrefix(text, "+PONG"):
		return "redis"
	}
	return ""
}

// servers returns the servers of a backend.
func (h *haproxy) servers(b *section) []server {
	if b.read {
		return b.servers
	}
	b.read = true
	var send word // of default-server
	for _, l := range b.lines {
		at := 2
		switch l.words[0].text {
		case "default-server":
			send = sending(l.words[1:], send)
			continue
		case "server":
		case "server-template":
			at = 3
		default:
			continue
		}
		if at < len(l.words) {
			h.server(b, l.words[at].expanded(), sending(l.words[at+1:], send))
		}
	}
	return b.servers
}

// server adds a server with an address to a backend.
func (h *haproxy) server(b *section, w, send word) {
	a, problem := haproxyAddress(w.text, false)
	switch doubt := w.doubt(); {
	case len(b.servers) >= maxServers:
		h.full = true
		h.doubt("there are more servers than are read", b.head.words[0])
	case doubt != "" && (problem != "" || a.first == 0):
		h.doubt(doubt, w)
	case problem != "":
		h.doubt(problem+"; HAProxy does not start", w)
	case !a.local:
		b.servers = append(b.servers, server{address: a, at: w, send: send})
	}
}

// sending returns the option by which a server gets a PROXY header, or otherwise that of
// the defaults.
func sending(options []word, send word) word {
	for _, o := range options {
		switch {
		case o.text == "send-proxy", strings.HasPrefix(o.text, "send-proxy-v2"):
			send = o
		case strings.HasPrefix(o.text, "no-send-proxy"):
			send = word{}
		}
	}
	return send
}

// connect adds the edges of a listener to its servers.
func (h *haproxy) connect(l *listeners.Listener, servers []server) {
	for _, s := range servers {
		port := s.first
		if port == 0 {
			port = int(l.Port) + s.offset
		}
		if port < 1 || port > 65535 {
			continue
		}
		if !h.c.AddEdge(listeners.Edge{From: l.Service, File: l.At.File, Kind: listeners.EdgeProxy, Host: s.host, Port: uint16(port), At: s.at.place()}) {
			h.full = true
			return
		}
	}
}

// sent returns the setting that servers get a PROXY header.
func sent(servers []server) []listeners.Setting {
	for _, s := range servers {
		if s.send.text != "" {
			at := s.send.place()
			return []listeners.Setting{{Name: "send-proxy", Value: s.send.text, At: &at}}
		}
	}
	return nil
}

// maxSettings is how many settings are kept of one listener.
const maxSettings = 100

// trust returns which connections a section accepts, and from which it takes a PROXY header:
// its lines "tcp-request connection", and the lists that they name.
func (h *haproxy) trust(s *section) []listeners.Setting {
	var list []listeners.Setting
	full := func(l line) bool {
		if len(list) < maxSettings {
			return false
		}
		h.doubt("more than 100 lines say which connections are accepted; the rest is left out", l.words[0])
		return true
	}
	used := map[string]bool{} // the words of conditions
	add := func(name string, words []word) {
		at := words[0].place()
		list = append(list, listeners.Setting{Name: name, Value: joined(words), At: &at})
	}
	for _, l := range s.lines {
		if !l.is("tcp-request", "connection") || len(l.words) < 3 || full(l) {
			continue
		}
		if l.words[2].text == "expect-proxy" {
			add("expect-proxy", l.words[2:])
		} else {
			add("tcp-request connection", l.words[2:])
		}
		for _, w := range l.words[3:] {
			used[strings.TrimPrefix(w.text, "!")] = true
		}
	}
	for _, l := range s.lines {
		if l.is("acl") && len(l.words) > 2 && used[l.words[1].text] && !full(l) {
			add("acl "+l.words[1].text, l.words[2:])
		}
	}
	return list
}

// joined returns the words with one blank between them.
func joined(words []word) string {
	var list []string
	for _, w := range words {
		list = append(list, w.text)
	}
	return strings.Join(list, " ")
}
