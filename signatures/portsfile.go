package signatures

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/result"
)

// profileAll is the profile that holds every port of the table.
const profileAll = "all"

// A portTable is the content of ports.yaml.
type portTable struct {
	look     map[string][]Look
	profiles []profileEntry
	ports    []portEntry
}

// A profileEntry is the entry of one profile.
type profileEntry struct {
	Profile
	at     Pos
	ranges []portRange
}

// A portEntry is the entry of one port or range.
type portEntry struct {
	KnownPort
	ports portRange
	said  bool // whether the key "internal" is present
}

// A portRange is "24" or "588-591", with its position.
type portRange struct {
	first, last uint16
	at          Pos
}

func (r portRange) expand() []uint16 {
	ports := make([]uint16, 0, int(r.last-r.first)+1)
	for n := int(r.first); n <= int(r.last); n++ {
		ports = append(ports, uint16(n))
	}
	return ports
}

// portTable reads the file.
func (d *decoder) portTable(root *yaml.Node) portTable {
	t := portTable{look: map[string][]Look{}}
	look := fields{}
	for _, system := range []string{LookLinux, LookMacOS, LookWindows} {
		look[system] = d.each(func(n *yaml.Node) {
			var l Look
			d.mapping(n, fields{"tool": d.text(&l.Tool), "command": d.text(&l.Command), "shows": d.text(&l.Shows)})
			t.look[system] = append(t.look[system], l)
		})
	}
	d.mapping(root, fields{
		"look":     func(n *yaml.Node) { d.mapping(n, look) },
		"profiles": d.each(func(n *yaml.Node) { t.profiles = append(t.profiles, d.profile(n)) }),
		"ports":    d.each(func(n *yaml.Node) { t.ports = append(t.ports, d.port(n)) }),
	})
	return t
}

func (d *decoder) profile(n *yaml.Node) profileEntry {
	e := profileEntry{at: d.pos(n)}
	d.mapping(n, fields{
		"name": d.text(&e.Name), "title": d.text(&e.Title), "why": d.text(&e.Why),
		"ports": d.each(func(n *yaml.Node) { e.ranges = append(e.ranges, d.portRange(n)) }),
	})
	return e
}

func (d *decoder) port(n *yaml.Node) portEntry {
	e := portEntry{ports: portRange{at: d.pos(n)}}
	d.mapping(n, fields{
		"port":  func(n *yaml.Node) { e.ports = d.portRange(n) },
		"title": d.text(&e.Title),
		"iana": func(n *yaml.Node) {
			d.mapping(n, fields{
				"status": d.oneOf(&e.IANA.Status, "assigned", "unassigned", "reserved", "dynamic"),
				"name":   d.text(&e.IANA.Name), "description": d.text(&e.IANA.Description),
			})
		},
		"internal": func(n *yaml.Node) { e.said = true; d.bool(&e.Internal)(n) },
		"related":  d.ports(&e.Related),
		"uses":     d.each(func(n *yaml.Node) { e.Uses = append(e.Uses, d.use(n)) }),
	})
	d.checkPort(&e)
	return e
}

// use reads one use of a port, in which only the stack is optional.
func (d *decoder) use(n *yaml.Node) Use {
	var u Use
	d.mapping(n, fields{
		"product": d.text(&u.Product), "role": oneOf(d, &u.Role, result.Roles()...), "protocol": d.protocol(&u.Protocol),
		"flow": d.text(&u.Flow), "bind": d.text(&u.Bind), "stack": d.text(&u.Stack), "gain": d.text(&u.Gain),
		"severity": d.severity(&u.Severity), "fix": d.each(func(n *yaml.Node) { id, _ := d.value(n); u.Fix = append(u.Fix, id) }),
	})
	for _, f := range []struct{ key, value string }{
		{"product", u.Product}, {"role", string(u.Role)}, {"protocol", u.Protocol}, {"flow", u.Flow},
		{"bind", u.Bind}, {"gain", u.Gain}, {"severity", u.Severity.String()}, {"fix", strings.Join(u.Fix, " ")},
	} {
		if f.value == "" {
			d.fail(n, "", "use by %q without %s", u.Product, f.key)
		}
	}
	return u
}

// portRange reads a port or a range of ports.
func (d *decoder) portRange(n *yaml.Node) portRange {
	r := portRange{at: d.pos(n)}
	s, _ := d.value(n)
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		to = from
	}
	for _, bound := range []struct {
		text string
		to   *uint16
	}{{from, &r.first}, {to, &r.last}} {
		port, err := strconv.ParseUint(bound.text, 10, 16)
		if err != nil || port == 0 {
			d.fail(n, "ports are 1 to 65535", "%q is not a port", bound.text)
			return portRange{at: r.at}
		}
		*bound.to = uint16(port)
	}
	if r.last < r.first {
		d.fail(n, "write the lower port first", "range %q ends before it begins", s)
		return portRange{at: r.at}
	}
	return r
}

// checkPort refuses an entry with missing or wrong values.
func (d *decoder) checkPort(e *portEntry) {
	first, iana := e.ports.first, e.IANA
	dynamic := first >= 49152 // RFC 6335, Section 6
	switch {
	case first == 0:
		d.failAt(e.ports.at, "", "entry %q without a port", e.Title)
	case e.Title == "":
		d.failAt(e.ports.at, "", "port %d without a title", first)
	case !e.said:
		d.failAt(e.ports.at, "", "port %d: missing key \"internal\"", first)
	case len(e.Related) == 0:
		d.failAt(e.ports.at, "", "port %d without related ports", first)
	case len(e.Uses) == 0:
		d.failAt(e.ports.at, "", "port %d without a use", first)
	case slices.Contains(e.Related, first):
		d.failAt(e.ports.at, "", "port %d is related to itself", first)
	case iana.Status == "":
		d.failAt(e.ports.at, "", "port %d without an iana status", first)
	case dynamic != (iana.Status == "dynamic"):
		d.failAt(e.ports.at, "", "port %d: iana status %q, but dynamic ports begin at 49152", first, iana.Status)
	case iana.Status == "assigned" && iana.Name == "" && iana.Description == "":
		d.failAt(e.ports.at, "", "port %d is assigned, but the name is missing", first)
	case iana.Status == "unassigned" && iana.Name != "":
		d.failAt(e.ports.at, "", "port %d is unassigned, but has a name", first)
	}
}

// addPorts adds the entries under each of their numbers.
func (p *Ports) addPorts(d *decoder, entries []portEntry) {
	for _, e := range entries {
		for _, n := range e.ports.expand() {
			if _, ok := p.ports[n]; ok {
				d.failAt(e.ports.at, "", "duplicate port %d", n)
				break
			}
			port := e.KnownPort
			port.Number = n
			p.ports[n] = &port
		}
	}
	for _, e := range entries {
		for _, r := range e.Related {
			if _, ok := p.ports[r]; !ok {
				d.failAt(e.ports.at, "", "related port %d is not in the table", r)
			}
		}
	}
}

// addProfiles expands the profiles and records on each port which profiles have it.
func (p *Ports) addProfiles(d *decoder, entries []profileEntry) {
	for _, e := range entries {
		f := e.Profile
		if f.Name == "" || f.Title == "" || f.Why == "" {
			d.failAt(e.at, "", "profile %q needs name, title and why", f.Name)
		}
		if _, ok := p.Profile(f.Name); ok {
			d.failAt(e.at, "", "duplicate profile %q", f.Name)
		}
		for _, r := range e.ranges {
			for _, n := range r.expand() {
				port, ok := p.ports[n]
				switch {
				case !ok:
					d.failAt(r.at, "", "profile %q: port %d is not in the table", f.Name, n)
				case slices.Contains(port.Profiles, f.Name):
					d.failAt(r.at, "", "profile %q: duplicate port %d", f.Name, n)
				default:
					f.Ports = append(f.Ports, n)
					port.Profiles = append(port.Profiles, f.Name)
				}
			}
		}
		if f.Name == profileAll {
			for n := range p.ports {
				f.Ports = append(f.Ports, n)
			}
		}
		slices.SortFunc(f.Ports, cmp.Compare)
		p.profiles = append(p.profiles, f)
	}
}
