package dovecot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An opening is an inet_listener of a service that runs, with what is set for it.
type opening struct {
	*service
	*inet
	r         *reading
	enabled   token // what names its protocol in protocols
	port      uint16
	portAt    token // where the port is set, or what else opens the listener
	tls       bool
	haproxy   bool
	passes    bool // it passes logins on to other servers
	addresses []token
	from      value  // what has the addresses
	doubt     string // why it is not certain that it exists
}

// field returns a setting of the listener, or its default.
func (o *opening) field(name, otherwise string) value {
	path := "service/" + escape(o.service.name) + "/"
	paths := []string{path + "inet_listener/" + escape(o.inet.name) + "/" + name}
	if o.r.new24() { // a setting of an outer section holds in the inner ones
		paths = append(paths, path+"inet_listener_"+name, "inet_listener_"+name)
	}
	for _, p := range paths {
		if v, ok := o.r.set[p]; ok {
			return v
		}
	}
	return value{token: token{s: otherwise}, unset: true}
}

// toggle returns a switch of the listener.
func (o *opening) toggle(name string, otherwise bool) bool {
	v := o.field(name, "")
	if v.unset {
		return otherwise
	}
	on, ok := boolean(v.s)
	switch {
	case v.problem != "":
		o.doubt = v.problem
	case !ok:
		o.r.fatal(name+" is neither yes nor no", v.token)
	}
	return on
}

// read reads what is set for the listener, and reports whether it listens.
func (o *opening) read() bool {
	o.tls, o.haproxy = o.toggle("ssl", o.ssl), o.toggle("haproxy", false)
	o.portAt = o.opener()
	p := o.field("port", strconv.Itoa(int(o.inet.port)))
	if p.problem != "" {
		o.r.doubt(p.problem, p.place())
		return false
	}
	n, err := strconv.ParseUint(p.s, 10, 16)
	if err != nil {
		o.r.fatal(fmt.Sprintf("%q is no port", p.s), p.token)
		return false
	}
	if n > 0 {
		o.claim(p.s)
	}
	if n == 0 || o.tls && o.r.global("ssl").s == "no" {
		return false
	}
	if !p.unset {
		o.portAt = p.token
	}
	o.port = uint16(n)
	o.readAddresses()
	return true
}

// claim says that another listener has the same port and address, which 2.3 refuses even
// if none of them is opened (master_settings_verify).
func (o *opening) claim(port string) {
	key := strings.TrimLeft(port, "0") + ":" + o.field("address", "").s
	if o.r.bound[key] && !o.r.new24() {
		o.r.fatal("another service listens on the same port", o.portAt)
	}
	o.r.bound[key] = true
}

// opener returns what opens a listener that has no port in the files: its section, the
// word in protocols, the section of its service, or the version.
func (o *opening) opener() token {
	for _, t := range []token{o.inet.at, o.enabled, o.service.at, o.r.version} {
		if t.line != nil {
			return t
		}
	}
	return o.r.firstLine()
}

// firstLine returns the first line of the file.
func (r *reading) firstLine() token {
	for at, s := range r.root.Lines() {
		t := &text{}
		t.add(r.root, at, s)
		t.join()
		return t.token(0, len(s))
	}
	return token{}
}

// readAddresses reads where the listener is bound.
func (o *opening) readAddresses() {
	if !o.r.new24() {
		if o.from = o.field("address", ""); o.from.s == "" && o.from.problem == "" {
			o.from = o.r.global("listen")
		}
		o.addresses = o.from.firstFields(", ", maxAddresses+1)
	} else {
		path := "service/" + escape(o.service.name) + "/"
		paths := []string{path + "inet_listener/" + escape(o.inet.name) + "/listen", path + "listen", "listen"}
		all := value{token: token{s: defaults24["listen"]}, unset: true}
		o.addresses = o.r.values(all.fields(" "), paths...)
		o.from = all
		for _, p := range paths {
			if v, ok := o.r.set[p]; ok {
				o.from = v
				break
			} else if l := o.r.lists[p]; l != nil {
				o.from = value{token: l.entries[0].token}
				break
			}
		}
	}
	if o.from.problem != "" {
		if o.doubt = o.from.problem; len(o.addresses) == 0 {
			o.r.doubt(o.doubt, o.from.place())
		}
	}
	if templated(o.from.s) {
		o.addresses = []token{o.from.token}
	}
	if len(o.addresses) > maxAddresses {
		o.r.doubt("there are too many addresses", o.from.place())
		o.addresses = o.addresses[:maxAddresses]
	}
	o.addresses = slices.CompactFunc(slices.Clone(o.addresses), // others have the same list
		func(a, b token) bool { return a.s == b.s })
}
