package proxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// bindArguments are the options of a bind line that one argument follows (HAProxy,
// configuration.txt 5.1).
var bindArguments = []string{
	"alpn", "backlog", "ca-file", "ca-ignore-err", "ca-sign-file", "ca-sign-pass", "ca-verify-file", "cc", "ciphers", "ciphersuites",
	"client-sigalgs", "crl-file", "crt", "crt-ignore-err", "crt-list", "curves", "default-crt", "ecdhe", "expose-fd", "gid", "group",
	"guid-prefix", "id", "idle-ping", "interface", "label", "level", "maxconn", "mode", "mss", "name", "namespace", "nbconn", "nice", "npn",
	"ocsp-update", "process", "proto", "quic-cc-algo", "quic-socket", "severity-output", "shards", "sigalgs", "ssl-max-ver",
	"ssl-min-ver", "tcp-ss", "tcp-ut", "thread", "tls-ticket-keys", "uid", "user", "verify",
}

// bind adds the listeners of a bind line.
func (h *haproxy) bind(s *section, l line, d described) {
	base := listeners.Listener{Product: "HAProxy", Role: d.role, Protocol: d.protocol}
	base.Settings = append(base.Settings, d.settings...)
	if l.when != "" {
		base.Doubt = "whether it is there depends on " + l.when
	}
	options := l.words[2:]
	v6only := false
	for i := 0; i < len(options); i++ {
		switch name := options[i].text; {
		case name == "ssl":
			base.Tunnel = result.TunnelTLS
		case name == "accept-proxy":
			at := options[i].place()
			base.Settings = append(base.Settings, listeners.Setting{Name: name, Value: "yes", At: &at})
		case name == "v6only":
			v6only = true
		case name == "v4v6":
			v6only = false
		case slices.Contains(bindArguments, name) && i+1 < len(options):
			i++
			if name == "namespace" || name == "interface" || name == "verify" {
				at := options[i].place()
				base.Settings = append(base.Settings, listeners.Setting{Name: name, Value: options[i].text, At: &at})
			}
			switch name {
			case "namespace":
				base.Doubt = "it is in the network namespace " + options[i].text
			case "interface":
				base.Interface = options[i].text
			}
		}
	}
	title := strings.TrimSpace(s.kind + " " + s.name)
	for _, w := range l.words[1].expanded().split() {
		h.listen(base, title, w, v6only, d.servers)
	}
}

// split returns the addresses of a list with commas, each with its place as far as it is
// written as it is read.
func (w word) split() []word {
	var list []word
	at := w.start
	literal := w.file.Text[w.start:w.end] == w.text
	for part := range strings.SplitSeq(w.text, ",") {
		one := w
		one.text = part
		if literal {
			one.start, one.end = at, at+len(part)
			at += len(part) + 1
		}
		if part != "" {
			list = append(list, one)
		}
	}
	return list
}

// listen adds a listener for each port of an address.
func (h *haproxy) listen(base listeners.Listener, title string, w word, v6only bool, servers []server) {
	a, problem := haproxyAddress(w.text, true)
	doubt := w.doubt()
	switch {
	case problem != "" && doubt != "":
		h.doubt(doubt, w)
		return
	case problem != "":
		h.doubt(problem+"; HAProxy does not start", w)
		return
	case a.inherited:
		h.doubt("on what a file descriptor listens depends on what starts HAProxy", w)
		return
	case a.local:
		return
	}
	base.At = w.place()
	before := base.Doubt
	base.BindFamily(a.host, a.v6)
	base.V6Only = v6only && base.Address.Is6() && base.Address.IsUnspecified()
	if before == "" && doubt != "" { // rather than that the variable is no address
		base.Doubt = doubt
	}
	if a.host == "" || a.host == "*" {
		base.Causes = []listeners.Cause{{Why: fmt.Sprintf("%q has no address; HAProxy then listens on all of them", w.text)}}
	}
	for port := a.first; port <= a.last; port++ {
		l := base
		l.Port = uint16(port)
		l.Service = serviceName(title, w, a.first, a.last, port)
		if !h.c.AddListener(&l) {
			h.full = true
			return
		}
		h.connect(&l, servers)
	}
}

// serviceName returns what a listener of a section or block is called: by its address, with its own
// port if the address has several.
func serviceName(title string, w word, first, last, port int) string {
	text := w.text
	if first != last {
		text = strings.TrimRight(text, "0123456789-") + strconv.Itoa(port)
	}
	return strings.TrimSpace(title + " " + text)
}
