package proxy

import (
	"slices"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// maxServers is how many servers are read of one backend.
const maxServers = 10_000

// described is what is known of the listeners of a section.
type described struct {
	protocol string
	settings []listeners.Setting
	servers  []server
	role     result.Role
}

// readFrontend adds the listeners of a frontend, listen or backend section, and their edges.
func (h *haproxy) readFrontend(s *section) {
	if s.disabled() || s.kind == "backend" && s.byKeyword["bind"].words == nil {
		return
	}
	d := described{role: result.RoleProxy}
	from := len(h.c.Doubts)
	backends, missing := h.backends(s)
	if l, ok := s.last("mode"); ok && len(l.words) > 1 && l.words[1].text == "http" {
		d.protocol = "http"
	}
	for _, b := range backends {
		if d.protocol == "" {
			d.protocol = b.speaks()
		}
		d.servers = append(d.servers, h.used(s, b)...)
	}
	h.c.OnlyEdges(from)
	from = len(h.c.Doubts)
	for _, name := range missing {
		h.doubt("the backend "+name.text+" is in no file of the configuration", name)
	}
	if d.protocol == "http" { // else what listens is not known
		h.c.OnlyEdges(from)
	}
	d.settings = append(h.trust(s), sent(d.servers)...)
	h.bindAll(s, d)
}

// used returns the servers of a backend that a section uses, as long as there are not too
// many of all sections.
func (h *haproxy) used(s, b *section) []server {
	servers := h.servers(b)
	if h.full || s.byKeyword["bind"].words == nil {
		return nil
	}
	if h.steps += len(servers); h.steps > maxSteps {
		h.full = true
		h.doubt("there are more servers than are read", s.head.words[0])
		return nil
	}
	return servers
}

// disabled reports whether a section does not listen.
func (s *section) disabled() bool {
	for ; s != nil; s = s.defaults {
		off, isOff := s.byKeyword["disabled"]
		on, isOn := s.byKeyword["enabled"]
		if isOff || isOn {
			return isOff && off.when == "" && (!isOn || on.words[0].start < off.words[0].start)
		}
	}
	return false
}

// bindAll adds the listeners of the bind lines of a section.
func (h *haproxy) bindAll(s *section, d described) {
	if len(s.head.words) > 2 && s.head.words[2].text != "from" {
		h.doubt("an address after the name of a section; HAProxy wants it in a bind line", s.head.words[2])
	}
	for _, l := range s.lines {
		if l.is("bind") && len(l.words) > 1 && !h.full {
			h.bind(s, l, d)
		}
	}
}

// readGlobal adds the ports of the runtime API: "stats socket".
func (h *haproxy) readGlobal(s *section) {
	for _, l := range s.lines {
		if l.is("stats", "socket") && len(l.words) > 2 {
			l.words = l.words[1:] // as in a bind line
			h.bind(&section{kind: "stats socket"}, l, described{role: result.RoleAdmin})
		}
	}
}

// readPeers adds the listeners of a peers section. Without a bind line, the peer whose
// name is that of the host is where it listens.
func (h *haproxy) readPeers(s *section) {
	h.bindAll(s, described{role: result.RoleUnknown})
	if slices.ContainsFunc(s.lines, func(l line) bool { return l.words[0].text == "bind" }) {
		return
	}
	for _, l := range s.lines {
		if (l.is("peer") || l.is("server")) && len(l.words) > 2 {
			h.doubt("HAProxy listens there if "+l.words[1].text+" is the name of its host", l.words[2])
		}
	}
}

// readMailers adds the edges of a mailers section: HAProxy sends its alerts there.
func (h *haproxy) readMailers(s *section) {
	for _, l := range s.lines {
		if !l.is("mailer") || len(l.words) < 3 {
			continue
		}
		w := l.words[2].expanded()
		a, problem := haproxyAddress(w.text, true)
		if problem != "" || w.doubt() != "" {
			from := len(h.c.Doubts)
			h.doubt("the address of the mailer is not in the files", w)
			h.c.OnlyEdges(from)
			continue
		}
		at := w.place()
		h.c.AddEdge(listeners.Edge{File: at.File, Kind: listeners.EdgeRelay, Host: a.host, Port: uint16(a.first), At: at})
	}
}
