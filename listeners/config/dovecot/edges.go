package dovecot

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
)

// maxPassdbs is how many sections passdb are looked at.
const maxPassdbs = 100

// addEdges adds to which servers Dovecot hands connections, mail and questions.
func (r *reading) addEdges() {
	for i, path := range r.passdbs {
		if i >= maxPassdbs {
			r.doubt("there are more sections passdb than are read", r.root.Anchor(0, 0))
			break
		}
		r.addProxy(path)
	}
	for _, e := range []struct {
		kind       listeners.EdgeKind
		host, port string
		otherwise  string
		from       string
	}{
		{listeners.EdgeRelay, "submission_relay_host", "submission_relay_port", "25", "service submission-login submission"},
		{listeners.EdgeProxy, "imapc_host", "imapc_port", "143", ""},
		{listeners.EdgeProxy, "pop3c_host", "pop3c_port", "110", ""},
	} {
		if host, ok := r.set[e.host]; ok && host.s != "" {
			r.addEdge(listeners.Edge{Kind: e.kind, From: e.from}, host, e.port, e.otherwise)
		}
	}
	r.addPolicy()
	r.addReplica()
}

// addEdge adds an edge to the host that a setting has; another setting has the port.
func (r *reading) addEdge(e listeners.Edge, host value, port, otherwise string) {
	p, ok := r.set[port]
	if !ok {
		p = value{token: token{s: otherwise}}
	}
	r.finishEdge(e, host, p)
}

// finishEdge adds an edge to a host and a port, of which one has a place.
func (r *reading) finishEdge(e listeners.Edge, host, port value) {
	at := host.token
	if port.line != nil {
		at = port.token
	}
	n, ok := endpoint.Port(port.s)
	switch {
	case host.problem != "":
		r.doubt(host.problem, host.place())
	case port.problem != "":
		r.doubt(port.problem, port.place())
	case !ok:
		r.doubt("the port "+port.s+" is none", at.place())
	default:
		e.Host, e.Port, e.At = host.s, n, at.place()
		e.File = r.root.Anchor(0, 0).File
		r.config.AddEdge(e)
	}
}

// proxied are the services that pass logins on, and the ports that they pass them to.
var proxied = []struct{ protocol, service, inet, plain, tls string }{
	{"imap", "imap-login", "imap", "143", "993"},
	{"pop3", "pop3-login", "pop3", "110", "995"},
	{"sieve", "managesieve-login", "sieve", "4190", "4190"},
	{"submission", "submission-login", "submission", "587", "465"},
	{"lmtp", "lmtp", "lmtp", "24", "24"},
}

// addProxy adds the server to which a passdb passes all logins on, if it says so by
// itself and not in a database.
func (r *reading) addProxy(path string) {
	fields := map[string]value{}
	if r.new24() {
		for _, name := range []string{"proxy", "proxy_maybe", "host", "port", "ssl"} {
			if v, ok := r.set[path+"fields/"+name]; ok {
				fields[name] = v
			}
		}
	} else {
		names := []string{"default_fields", "override_fields"}
		if r.set[path+"driver"].s == "static" {
			names = append(names, "args")
		}
		for _, name := range names {
			v := r.set[path+name]
			for _, f := range v.fields(" ") {
				key, word, _ := strings.Cut(f.s, "=")
				part := v
				part.token = f
				part.s = word
				part.start += len(key) + 1
				part.start = min(part.start, part.end)
				fields[key] = part
			}
		}
	}
	host := fields["host"]
	if _, proxy := fields["proxy"]; !proxy || host.s == "" {
		return
	}
	e := listeners.Edge{Kind: listeners.EdgeProxy}
	if port, ok := fields["port"]; ok {
		r.finishEdge(e, host, port)
		return
	}
	ssl := fields["ssl"].s
	protocols := map[string]bool{}
	for _, p := range r.global("protocols").fields(" ") {
		protocols[p.s] = true
	}
	for _, p := range proxied {
		if !protocols[p.protocol] || p.protocol == "lmtp" && r.set["lmtp_proxy"].s != "yes" {
			continue
		}
		port := value{token: token{s: p.plain}}
		if ssl == "yes" || ssl == "any-cert" {
			port.s = p.tls
		}
		r.finishEdge(listeners.Edge{Kind: e.Kind, From: "service " + p.service + " " + p.inet}, host, port)
	}
}

// addPolicy adds the policy server that is asked about each login.
func (r *reading) addPolicy() {
	v, ok := r.set["auth_policy_server_url"]
	if !ok || v.s == "" {
		return
	}
	u, err := url.Parse(v.s)
	if err != nil || u.Hostname() == "" {
		r.doubt("the URL has no host", v.place())
		return
	}
	port := v
	if port.s = u.Port(); port.s == "" {
		port.s = "80"
		if u.Scheme == "https" {
			port.s = "443"
		}
	}
	host := v
	host.s = u.Hostname()
	r.finishEdge(listeners.Edge{Kind: listeners.EdgePolicy}, host, port)
}

// addReplica adds the server that gets a copy of all mail (mail_replica of 2.3).
func (r *reading) addReplica() {
	for _, path := range slices.Sorted(maps.Keys(r.set)) {
		v := r.set[path]
		if !strings.HasPrefix(path, "plugin/") || !strings.HasSuffix(path, "/mail_replica") {
			continue
		}
		kind, rest, _ := strings.Cut(v.s, ":")
		if kind != "tcp" && kind != "tcps" {
			continue
		}
		e, ok := endpoint.Parse(rest)
		host, port := v, v
		if host.s = rest; ok && e.Host != "" {
			host.s, port.s = e.Host, e.Name
		} else {
			port = r.global("doveadm_port")
		}
		r.finishEdge(listeners.Edge{Kind: listeners.EdgeDeliver}, host, port)
		return
	}
}
