package proxy

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// findPassing finds the proxy_pass directives of the server, those of its inner blocks
// included.
func (s *nginxServer) findPassing() {
	var walk func(list []*directive, depth int)
	walk = func(list []*directive, depth int) {
		for _, d := range list {
			switch {
			case d.is("proxy_pass") && len(d.words) > 1:
				s.passing = append(s.passing, d)
			case d.isBlock && depth < maxNesting:
				walk(s.flat(d.block, 0), depth+1)
			}
		}
	}
	walk(s.own, 0)
}

// connect adds the edges of a server. now has the listener that took the place of each.
func (s *nginxServer) connect(now map[int]int) {
	if s.block == "mail" {
		if d := s.last("auth_http"); d != nil {
			s.connectTo(d.words[1], "80", listeners.EdgeLookup, now)
		}
		return
	}
	slices.Sort(s.listening)
	s.listening = slices.Compact(s.listening)
	for _, d := range s.passing {
		w := d.words[1]
		if s.full {
			return
		}
		if list := s.upstreams[authority(w.text)]; list != nil {
			for _, w := range list {
				s.connectTo(w, "80", listeners.EdgeProxy, now)
			}
			continue
		}
		s.connectTo(w, "", listeners.EdgeProxy, now)
	}
}

// authority returns the host and port of a URL, or of what is only these.
func authority(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	host, _, _ := strings.Cut(url, "/")
	return host
}

// connectTo adds the edges of the server to a URL or an address.
func (s *nginxServer) connectTo(w word, usual string, kind listeners.EdgeKind, now map[int]int) {
	switch {
	case strings.Contains(w.text, "unix:"):
		return
	case strings.ContainsAny(authority(w.text), "${}"):
		s.doubt(strconv.Quote(w.text)+" is not in the files", w)
		return
	case strings.HasPrefix(w.text, "https://"):
		usual = "443"
	case strings.HasPrefix(w.text, "http://"):
		usual = "80"
	}
	host, port := authority(w.text), usual
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" || strings.Contains(host, "@") { // nginx takes no user and password
		s.doubt(strconv.Quote(w.text)+" has no valid port; nginx does not start", w)
		return
	}
	for _, i := range s.listening {
		l := &s.c.Listeners[now[i]]
		if !s.c.AddEdge(listeners.Edge{From: l.Service, File: l.At.File, Kind: kind, Host: host, Port: uint16(n), At: w.place()}) {
			s.full = true
			return
		}
	}
}
