package trust

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// proxy judges from whom a daemon takes a PROXY header: whoever sends one is whom it says. A
// daemon without a list of trusted proxies is a finding of its own, about the listener.
func (f *finder) proxy(l, inner *listeners.Listener) {
	if yes, _ := inner.Setting("haproxy"); yes.Value == "yes" {
		if s, ok := inner.Setting("haproxy_trusted_networks"); ok {
			f.proxies(l, inner, &s, f.networks(s.Value))
		}
	}
	if _, ok := inner.Setting("listen proxy_protocol"); ok && inner.Protocol != "http" {
		if s, ok := inner.Setting("set_real_ip_from"); ok && !denies(inner) {
			f.proxies(l, inner, &s, f.networks(s.Value))
		}
	}
	if s, ok := inner.Setting("hosts_proxy"); ok {
		f.proxies(l, inner, &s, f.networks(s.Value))
	}
	if s, ok := inner.Setting("expect-proxy"); ok {
		f.expected(l, inner, &s)
	}
}

// denies reports whether nginx has a list of clients that ends with all others.
func denies(l *listeners.Listener) bool {
	s, ok := l.Setting("access")
	return ok && strings.HasSuffix(s.Value, "deny all")
}

// proxies judges a list of trusted proxies.
func (f *finder) proxies(l, inner *listeners.Listener, s *listeners.Setting, trusted *networks) {
	if all := trusted.all; all != "" {
		f.add(Fault{Kind: ProxyOfAll, Confidence: certain, Fix: balancers(s, all), Why: []string{fmt.Sprintf("%s has %s: everybody can send a PROXY header with an address of their choice", title(s), all)}}, s, l, inner)
		return
	}
	doubt := ""
	if t := translated(l); t != nil {
		var by string
		if by, doubt = t.covered(trusted); by != "" {
			f.add(Fault{Kind: ProxyOfAll, Confidence: likely, Causes: causes(t), Fix: balancers(s, by) + "\n" + t.keep,
				Why: []string{fmt.Sprintf("%s has %s, and with it the address that address translation gives to clients: they can send a PROXY header", title(s), by)}}, s, l, inner)
			return
		}
	}
	if wide := trusted.private; wide != "" {
		f.add(Fault{Kind: ProxyOfPrivate, Confidence: certain, Fix: balancers(s, wide), Why: []string{fmt.Sprintf("%s has %s: each client of these networks can send a PROXY header with an address of its choice", title(s), wide)}}, s, l, inner)
		return
	}
	if trusted.unknown != "" {
		doubt = missing(trusted.unknown)
	}
	if doubt != "" {
		f.doubt(s, inner, fmt.Sprintf("whose PROXY header %s takes is not certain: %s", portOf(l), doubt))
	}
}

// expected judges the rule of HAProxy "tcp-request connection expect-proxy layer4 if ...".
func (f *finder) expected(l, inner *listeners.Listener, s *listeners.Setting) {
	_, condition, limited := strings.Cut(s.Value, " if ")
	words := strings.Fields(condition)
	for _, other := range inner.Settings { // the lists that it names
		if name, ok := strings.CutPrefix(other.Name, "acl "); ok && strings.Contains(" "+condition+" ", " "+name+" ") {
			words = append(words, strings.Fields(other.Value)...)
		}
	}
	var sources list
	bySource := false
	for _, w := range words {
		if w == "src" {
			bySource = true
			continue
		}
		if e := parseList(w); len(e) == 1 && e[0].network.IsValid() {
			sources = append(sources, e...)
		}
	}
	switch {
	case !limited:
		f.add(Fault{Kind: ProxyOfAll, Confidence: certain, Fix: "end the line with `if { src ADDRESS }`, with the addresses of the load balancers",
			Why: []string{"expect-proxy has no condition: everybody can send a PROXY header with an address of their choice"}}, s, l, inner)
	case !bySource || len(sources) == 0:
		f.doubt(s, inner, fmt.Sprintf("whose PROXY header %s takes depends on %q", portOf(l), condition))
	default:
		f.proxies(l, inner, s, newNetworks(sources))
	}
}
