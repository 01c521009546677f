package postfix

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// families are the address families of inet_protocols.
type families struct{ v4, v6 bool }

// has reports whether an address is of one of the families.
func (f families) has(a netip.Addr) bool { return a.Is4() && f.v4 || a.Is6() && f.v6 }

// families reads inet_protocols (util/inet_proto.c).
func (r *reading) families() families {
	v := r.global.value("inet_protocols")
	r.doubtValue("inet_protocols", &v)
	var f families
	for _, w := range words(v.text, commaBlanks, false) {
		switch w.s {
		case "all":
			f = families{true, true}
		case "ipv4":
			f.v4 = true
		case "ipv6":
			f.v6 = true
		default:
			r.doubt("inet_protocols has no protocol "+w.s+"; Postfix does not start", w)
		}
	}
	return f
}

// splitName splits the name of a service of type inet into host and port
// (global/host_port.c, host_port). ok is false if it is malformed.
func splitName(name text) (host, port text, ok bool) {
	s := name.s
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 || !strings.HasPrefix(s[end+1:], ":") {
			return host, port, false
		}
		from := 1
		if len(s) > 5 && strings.EqualFold(s[1:6], "ipv6:") { // RFC 5321, Section 4.1.3
			from = 6
		}
		return name.cut(from, max(end, from)), name.cut(end+2, len(s)), true
	}
	i := strings.LastIndexByte(s, ':')
	return name.cut(0, max(i, 0)), name.cut(i+1, len(s)), true
}

// listen returns the addresses and the port on which a service of type inet listens.
// There are none if Postfix does not start with it, which is a doubt then.
func (r *reading) listen(s *service) []listeners.Listener {
	host, port, ok := splitName(s.name)
	n, known := r.port(port.s)
	if !ok || !known {
		r.doubt(fmt.Sprintf("%q has no port that is known here", s.name.s), s.name)
		return nil
	}
	var list []listeners.Listener
	if host.s != "" {
		list = r.resolve(host, nil)
	} else {
		list = r.interfaces()
		if len(list) == 0 {
			v := r.global.value("inet_interfaces")
			r.doubtAt("inet_interfaces has no address; Postfix does not start with a service that has none", v.place())
		}
	}
	for i := range list {
		list[i].Port = n
	}
	return list
}

// interfaces returns what a service without a host listens on: the addresses of
// inet_interfaces (global/own_inet_addr.c, own_inet_addr_init). It reads them once.
func (r *reading) interfaces() []listeners.Listener {
	if r.own != nil {
		return slices.Clone(r.own)
	}
	v := r.global.value("inet_interfaces")
	r.doubtValue("inet_interfaces", &v)
	switch {
	case strings.EqualFold(v.s, "all"):
		r.own = []listeners.Listener{r.wildcard(&v)}
		if v.s != "all" { // what master(8) takes for all, own_inet_addr_init takes for a host
			r.doubt("inet_interfaces is not all but "+v.s+"; Postfix does not start", v.text)
		}
	case v.s == "loopback-only":
		for _, a := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
			if r.protocols.has(a) {
				r.own = append(r.own, listeners.Listener{Host: a.String(), Address: a, V6Only: a.Is6()})
			}
		}
	default:
		r.readInterfaces(v.text)
	}
	if r.own == nil {
		r.own = []listeners.Listener{}
	}
	for i := range r.own {
		if d := v.doubt("inet_interfaces"); d != "" && strings.Contains(r.own[i].Host, "$") {
			r.own[i].Doubt = d
		} else if r.main == nil && r.own[i].Doubt == "" {
			r.own[i].Doubt = noMain
		}
	}
	return slices.Clone(r.own)
}

// readInterfaces adds the addresses of a list of hosts, each once.
func (r *reading) readInterfaces(list text) {
	type place struct {
		address netip.Addr
		host    string // of one without an address
	}
	seen := map[place]bool{}
	for _, host := range words(list, ", \t", false) {
		cause := listeners.Cause{Why: "inet_interfaces has " + host.s, At: host.place()}
		for _, l := range r.resolve(host, []listeners.Cause{cause}) {
			p := place{address: l.Address}
			if !l.Address.IsValid() {
				p.host = l.Host
			}
			if !seen[p] && len(r.own) <= listeners.MaxListeners {
				r.own = append(r.own, l)
			}
			seen[p] = true
		}
	}
}

// wildcard returns what inet_interfaces = all listens on.
func (r *reading) wildcard(v *value) listeners.Listener {
	l := listeners.Listener{Causes: []listeners.Cause{{Why: "inet_interfaces is not set; its default is all"}}}
	if v.set != nil {
		l.Causes = []listeners.Cause{{Why: "inet_interfaces is all", At: v.place()}}
	}
	switch r.protocols {
	case families{v4: true}:
		l.Address = netip.IPv4Unspecified()
	case families{v6: true}:
		l.Address, l.V6Only = netip.IPv6Unspecified(), true
	}
	return l
}

// resolve returns the addresses of a host: of an address itself, of a name those in
// etc/hosts beside the folder of master.cf. Postfix does not listen on an address of a
// family that inet_protocols does not have.
func (r *reading) resolve(host text, causes []listeners.Cause) []listeners.Listener {
	l := listeners.Listener{Causes: causes}
	l.Bind(host.s)
	l.Host = strings.Trim(host.s, "[]")
	if !l.Address.IsValid() && l.Doubt == "" { // "*", which Postfix does not know
		l.Doubt = fmt.Sprintf("%q is not an address that Postfix accepts", host.s)
	}
	if _, err := netip.ParseAddr(l.Host); err == nil {
		l.V6Only = l.Address.Is6()
		if !r.protocols.has(l.Address) {
			l.Doubt = l.Host + " is of no protocol of inet_protocols"
			r.doubt(l.Doubt+"; Postfix does not start", host)
		}
		return []listeners.Listener{l}
	}
	var list []listeners.Listener
	known := r.hosts()[strings.ToLower(l.Host)]
	for _, a := range known {
		if r.protocols.has(a) {
			list = append(list, listeners.Listener{Host: l.Host, Address: a, V6Only: a.Is6(), Causes: causes})
		}
	}
	switch {
	case list != nil:
		return list
	case known != nil:
		l.Doubt = l.Host + " has no address of a protocol of inet_protocols"
		r.doubt(l.Doubt+"; Postfix does not start", host)
	case l.Address.IsValid() && !r.protocols.has(l.Address): // localhost
		l.Address, l.V6Only = netip.IPv6Loopback(), true
	}
	return []listeners.Listener{l}
}
