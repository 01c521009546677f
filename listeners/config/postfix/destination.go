package postfix

import (
	"strings"
)

// A destination is a host and a port to which Postfix connects.
type destination struct {
	host string
	port uint16
	at   text // what names the port
}

// destination parses "host:port" as a client does (global/host_port.c): a host in
// brackets is not looked up in MX records; usual is the port if there is none. The
// problem says why it is no destination; without one and with ok false the destination
// is no port, such as a local socket.
func (r *reading) destination(t text, usual string) (d destination, ok bool, problem string) {
	s := t.s
	if s == "" || strings.Contains(s, "/") || strings.HasPrefix(s, "unix:") {
		return d, false, ""
	}
	host, port := s, ""
	d.at = t
	switch end := strings.IndexByte(s, ']'); {
	case s[0] == '[' && end < 0:
		return d, false, "has no ]"
	case s[0] == '[':
		host, port = s[1:end], strings.TrimPrefix(s[end+1:], ":")
		if len(host) > 5 && strings.EqualFold(host[:5], "ipv6:") {
			host = host[5:]
		}
	default:
		if i := strings.LastIndexByte(s, ':'); i >= 0 {
			host, port = s[:i], s[i+1:]
		}
	}
	if port == "" {
		port = usual
	}
	d.host = host
	if d.port, ok = r.port(port); !ok {
		return d, false, "has no port that is known here: " + port
	}
	return d, host != "", ""
}
