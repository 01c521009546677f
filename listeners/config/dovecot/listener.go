package dovecot

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// maxAddresses is how many addresses a listener has at most, which no daemon reaches.
const maxAddresses = 200

// addListeners adds what the services listen on.
func (r *reading) addListeners() {
	list := r.protocols()
	protocols := make(map[string][]token, len(list))
	for _, p := range list {
		protocols[p.s] = append(protocols[p.s], p)
	}
	if ssl := r.global("ssl"); ssl.problem != "" {
		r.doubt(ssl.problem, ssl.place())
	}
	r.checkListen()
	for _, s := range r.services {
		enabled, want := r.wants(s, protocols)
		if !want {
			continue
		}
		passes := r.passes(s.name)
		for _, i := range s.listeners {
			if r.part && i.at.line == nil {
				continue
			}
			o := &opening{service: s, inet: i, r: r, enabled: enabled, passes: passes}
			if !o.read() || s.program == "" {
				continue
			}
			switch {
			case o.doubt != "" || s.protocol == "":
			case r.part:
				o.doubt = "protocols is set in the file that includes this one"
			case r.assumes(s.protocol, protocols):
				o.doubt = "protocols is not set: its default is " + defaults23["protocols"] + ", but nothing on Debian"
			}
			if !o.add() {
				return
			}
		}
	}
}

// protocols returns what is in protocols.
func (r *reading) protocols() []token {
	v := r.global("protocols")
	if v.problem != "" {
		r.doubt(v.problem, v.place())
	}
	if r.new24() {
		return r.values(v.fields(" "), "protocols")
	}
	list := v.fields(" ")
	if len(list) == 1 && list[0].s == "none" {
		return nil
	}
	if !r.part {
		r.checkProtocols(list)
	}
	return list
}

// checkProtocols says which protocols no service has.
func (r *reading) checkProtocols(list []token) {
	known := map[string]bool{}
	for _, s := range r.services {
		known[r.ofService(s, "protocol", s.protocol).s] = true
	}
	for _, p := range list {
		if !known[p.s] && !strings.HasPrefix(p.s, "$") {
			r.fatal("no service has the protocol "+p.s, p)
		}
	}
}

// checkListen says that listen is empty.
func (r *reading) checkListen() {
	if v := r.global("listen"); v.s == "" && v.problem == "" && !r.new24() {
		r.fatal("listen is empty", v.key)
	}
}

// ofService returns a setting of a service, or its default.
func (r *reading) ofService(s *service, name, otherwise string) value {
	if v, ok := r.set["service/"+escape(s.name)+"/"+name]; ok {
		return v
	}
	return value{token: token{s: otherwise}, unset: true}
}

// wants reports whether a service runs if it has a program (service_want), and because of
// which word of protocols.
func (r *reading) wants(s *service, protocols map[string][]token) (enabled token, want bool) {
	s.program, _, _ = strings.Cut(r.ofService(s, "executable", s.program).s, " ")
	s.program = s.program[strings.LastIndexByte(s.program, '/')+1:]
	s.protocol = r.ofService(s, "protocol", s.protocol).s
	if s.protocol == "" || r.part {
		return token{}, true
	}
	words := protocols[s.protocol]
	if words == nil {
		return token{}, false
	}
	return words[0], true
}

// assumes reports whether a protocol is one only by the default, which Debian changes.
func (r *reading) assumes(protocol string, protocols map[string][]token) bool {
	return r.assumed && len(protocols[protocol]) == 1 && slices.Contains(strings.Fields(defaults23["protocols"]), protocol)
}

// add adds the listener of each address. It reports false if there is no room for it.
func (o *opening) add() bool {
	all, rest := o.everywhere()
	if all {
		l := o.listener("")
		if !o.from.unset {
			l.Host = o.from.s
		}
		if !o.append(l, len(rest) == 0) {
			return false
		}
	}
	for _, a := range rest {
		l := o.listener(a.s)
		switch a.s {
		case "*":
			l.Address = netip.IPv4Unspecified()
		case "::", "[::]":
			l.V6Only = true
		}
		if !o.append(l, len(rest) == 1 && !all) {
			return false
		}
	}
	return true
}

// everywhere reports whether both families are among the addresses as a whole, and
// returns the others.
func (o *opening) everywhere() (all bool, rest []token) {
	v4, v6 := false, false
	for _, a := range o.addresses {
		switch a.s {
		case "*":
			v4 = true
		case "::", "[::]":
			v6 = true
		default:
			rest = append(rest, a)
		}
	}
	if v4 && v6 {
		return true, rest
	}
	return false, o.addresses
}

// listener returns the listener on a host.
func (o *opening) listener(host string) listeners.Listener {
	l := listeners.Listener{Port: o.port, At: o.portAt.place(), Doubt: o.doubt}
	l.Bind(host)
	if o.doubt != "" {
		l.Doubt = o.doubt
	}
	if o.from.unset && l.Doubt == "" && o.r.part {
		l.Doubt = "listen is set in the file that includes this one"
	}
	if o.tls {
		l.Tunnel = result.TunnelTLS
	}
	o.identify(&l)
	l.Settings = o.settings()
	if l.All() && l.Doubt == "" || host == "" {
		l.Causes = o.causes()
	}
	return l
}

// append gives the listener a name and adds it. only says that it is the only one of its
// section. It reports false if there is no room for it.
func (o *opening) append(l listeners.Listener, only bool) bool {
	name := o.inet.name
	if !o.named {
		name = strconv.Itoa(int(o.port))
	}
	l.Service = "service " + o.service.name + " " + name
	if !only {
		l.Entry = l.Service
		l.Service += " " + l.Host
	}
	return o.r.config.AddListener(&l)
}

// causes returns why the listener is as wide as it is.
func (o *opening) causes() []listeners.Cause {
	var list []listeners.Cause
	name := "listen"
	if o.from.key.s != "" {
		name = o.from.key.s[strings.LastIndexByte(o.from.key.s, '/')+1:]
	}
	switch {
	case o.from.unset:
		list = append(list, listeners.Cause{Why: "listen is not set; its default is all addresses"})
	default:
		list = append(list, listeners.Cause{Why: fmt.Sprintf("%s is %q", name, o.from.s), At: o.from.pointer()})
	}
	if o.field("port", "").unset {
		list = append(list, listeners.Cause{Why: fmt.Sprintf("port of inet_listener %s is not set; its default is %d", o.inet.name, o.port)})
	}
	return list
}
