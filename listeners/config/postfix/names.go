package postfix

import (
	"net/netip"
	"path"
	"path/filepath"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
)

// system returns the words of each line of a file in the folder etc that the folder of
// master.cf is in, such as hosts beside postfix/master.cf. The files of another system
// would say nothing about this one.
func (r *reading) system(name string) [][]string {
	for dir := path.Dir(r.file.Name); ; dir = path.Dir(dir) {
		// A checkout of /etc has that folder as its own.
		if base := path.Base(filepath.ToSlash(r.tree.Local(dir))); base != "etc" {
			if dir == "." || dir == "/" {
				return nil
			}
			continue
		}
		f, err := r.tree.Read(path.Join(dir, name))
		if err != nil {
			return nil
		}
		var lines [][]string
		for _, line := range f.Lines() {
			line, _, _ = strings.Cut(line, "#")
			lines = append(lines, strings.Fields(line))
		}
		return lines
	}
}

// hosts returns the addresses of the names in /etc/hosts (hosts(5)).
func (r *reading) hosts() map[string][]netip.Addr {
	if r.hostNames != nil {
		return r.hostNames
	}
	r.hostNames = map[string][]netip.Addr{}
	for _, line := range r.system("hosts") {
		if len(line) == 0 {
			continue
		}
		a, err := netip.ParseAddr(line[0])
		if err != nil {
			continue
		}
		for _, name := range line[1:] {
			name = strings.ToLower(name)
			r.hostNames[name] = append(r.hostNames[name], a)
		}
	}
	return r.hostNames
}

// port returns the port of a number or a name: of known_tcp_ports, a well-known one, or
// one of /etc/services (services(5)).
func (r *reading) port(name string) (uint16, bool) {
	if r.portNames == nil {
		r.readPorts()
	}
	if n, ok := r.portNames[name]; ok {
		return n, true
	}
	return endpoint.Port(name)
}

// readPorts sets portNames. A setting of Postfix outranks /etc/services.
func (r *reading) readPorts() {
	r.portNames = map[string]uint16{}
	for _, line := range r.system("services") {
		if len(line) < 2 {
			continue
		}
		number, protocol, _ := strings.Cut(line[1], "/")
		n, ok := endpoint.Port(number)
		if !ok || protocol != "tcp" {
			continue
		}
		for _, name := range append(line[2:], line[0]) {
			r.portNames[name] = n
		}
	}
	v := r.global.value("known_tcp_ports") // "smtps=submissions=465"
	for _, w := range words(v.text, commaBlanks, false) {
		names := strings.Split(w.s, "=")
		n, ok := endpoint.Port(names[len(names)-1])
		for _, name := range names[:len(names)-1] {
			if ok {
				r.portNames[name] = n
			}
		}
	}
}
