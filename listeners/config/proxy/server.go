package proxy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// readBlock adds the listeners and edges of the directives in a http, mail or stream block.
func (n *nginx) readBlock(main *context, block string, list []*directive) {
	c := newContext(main, block, list)
	upstreams := map[string][]word{}
	for _, d := range c.byName["upstream"] {
		if !d.isBlock || len(d.words) < 2 {
			continue
		}
		name := d.words[1].text
		for _, s := range n.flat(d.block, 0) {
			if s.is("server") && len(s.words) > 1 {
				upstreams[name] = append(upstreams[name], s.words[1])
			}
		}
	}
	n.sockets, n.owning = map[socket]int{}, map[int]bool{}
	first := len(n.c.Listeners)
	var servers []*nginxServer
	for _, d := range c.byName["server"] {
		if d.isBlock {
			s := &nginxServer{nginx: n, context: newContext(c, block, n.flat(d.block, 0)), upstreams: upstreams}
			s.findPassing()
			s.listen(d)
			servers = append(servers, s)
		}
	}
	now := n.dropCovered(first)
	from := len(n.c.Doubts)
	for _, s := range servers {
		s.connect(now)
	}
	n.c.OnlyEdges(from)
}

// An nginxServer is a server of nginx while it is read.
type nginxServer struct {
	*nginx
	*context
	upstreams map[string][]word
	passing   []*directive // its proxy_pass directives
	listening []int        // its listeners
}

// last returns the last directive of a name in the innermost block that has one; nil if none
// has.
func (c *context) last(name string) *directive {
	for ; c != nil; c = c.outer {
		for _, d := range slices.Backward(c.byName[name]) {
			if len(d.words) > 1 {
				return d
			}
		}
	}
	return nil
}

// mailPorts are the protocols of nginx's mail servers by port, if the file does not name one
// (nginx src/mail, ngx_mail_imap_protocol and its neighbors).
var mailPorts = map[uint16]string{143: "imap", 993: "imap", 110: "pop3", 995: "pop3", 25: "smtp", 465: "smtp", 587: "smtp"}

// describe sets what the listeners of a listen directive are.
func (s *nginxServer) describe(l *listeners.Listener, directive *listen) {
	l.Product, l.Role = "nginx", result.RoleProxy
	if s.block == "http" {
		l.Protocol = "http"
		if len(s.passing) == 0 {
			l.Role = result.RoleNotMail
		}
	}
	if d := s.last("ssl"); directive.tls || d != nil && d.words[1].text == "on" && s.block != "stream" {
		l.Tunnel = result.TunnelTLS
	}
	if w := directive.proxied; w.text != "" {
		at := w.place()
		l.Settings = append(l.Settings, listeners.Setting{Name: "listen proxy_protocol", Value: "yes", At: &at})
	}
	for _, name := range kept[s.block] {
		if d := s.last(name); d != nil {
			at := d.words[1].place()
			l.Settings = append(l.Settings, listeners.Setting{Name: name, Value: joined(d.arguments()), At: &at})
		}
	}
	s.addAll(l, "access", "allow", "deny")
	s.addAll(l, "set_real_ip_from", "set_real_ip_from")
}

// kept are the settings that a judgement needs.
var kept = map[string][]string{
	"http":   {"auth_basic", "ssl_verify_client", "auth_request"},
	"mail":   {"auth_http", "starttls", "smtp_auth", "imap_auth", "pop3_auth", "proxy_protocol", "xclient"},
	"stream": {"proxy_protocol", "ssl_preread", "ssl_verify_client"},
}

// describeMail sets what a listener of a mail block is.
func (s *nginxServer) describeMail(l *listeners.Listener) {
	l.Protocol = mailPorts[l.Port]
	if d := s.last("protocol"); d != nil {
		l.Protocol = d.words[1].text
	}
	switch l.Protocol {
	case "imap":
		l.Role = result.RoleIMAPProxy
	case "pop3":
		l.Role = result.RolePOP3Proxy
	case "":
		l.Doubt = "no protocol is set for the port; nginx does not start"
	}
}

// addAll adds a setting that several directives make up: those of the innermost block that
// has one.
func (s *nginxServer) addAll(l *listeners.Listener, setting string, names ...string) {
	for c := s.context; c != nil; c = c.outer {
		var list []*directive
		for _, name := range names {
			for _, d := range c.byName[name] {
				if len(list) >= maxSettings {
					s.doubt("more than 100 directives say which connections are accepted; the rest is left out", d.words[0])
					break
				}
				if len(d.words) > 1 {
					list = append(list, d)
				}
			}
		}
		if list == nil {
			continue
		}
		slices.SortStableFunc(list, func(a, b *directive) int { return cmp.Compare(a.words[0].start, b.words[0].start) })
		var parts []string
		for _, d := range list {
			if len(names) > 1 {
				parts = append(parts, joined(d.words[:2]))
			} else {
				parts = append(parts, d.words[1].text)
			}
		}
		at := list[0].words[1].place()
		l.Settings = append(l.Settings, listeners.Setting{Name: setting, Value: strings.Join(parts, ", "), At: &at})
		return
	}
}
