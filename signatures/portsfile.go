package signatures

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"mxsweep/internal/strictyaml"
)

// profileAll is the profile that holds every port of the table.
const profileAll = "all"

// portTable is ports.yaml as it stands.
type portTable struct {
	Look     map[string][]Look `yaml:"look"`
	Profiles []profileEntry    `yaml:"profiles"`
	Ports    []portEntry       `yaml:"ports"`
}

type profileEntry struct {
	Name  string      `yaml:"name"`
	Title string      `yaml:"title"`
	Why   string      `yaml:"why"`
	Ports []portRange `yaml:"ports"`
}

type portEntry struct {
	Port     portRange `yaml:"port"`
	Title    string    `yaml:"title"`
	IANA     IANA      `yaml:"iana"`
	Internal *bool     `yaml:"internal"`
	Related  []uint16  `yaml:"related"`
	Uses     []Use     `yaml:"uses"`
}

// A portRange is "24" or "588-591", with the place where it stands.
type portRange struct {
	first, last  uint16
	line, column int
}

// UnmarshalYAML reads a port or a range of ports.
func (r *portRange) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return errors.New("found no port and no range of ports")
	}
	from, to, isRange := strings.Cut(node.Value, "-")
	first, err := portNumber(from)
	if err != nil {
		return err
	}
	last := first
	if isRange {
		if last, err = portNumber(to); err != nil {
			return err
		}
	}
	if last < first {
		return fmt.Errorf("range %q ends before it begins", node.Value)
	}
	*r = portRange{first, last, node.Line, node.Column}
	return nil
}

func portNumber(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is not a port (1 to 65535)", s)
	}
	return uint16(n), nil
}

func (r portRange) expand() []uint16 {
	ports := make([]uint16, 0, int(r.last-r.first)+1)
	for n := int(r.first); n <= int(r.last); n++ {
		ports = append(ports, uint16(n))
	}
	return ports
}

func (r portRange) errorf(format string, args ...any) error {
	return strictyaml.At(portsFile, &yaml.Node{Line: r.line, Column: r.column}, format, args...)
}

// addPorts checks the entries and enters them under each of their numbers.
func (p *Ports) addPorts(entries []portEntry) error {
	for _, e := range entries {
		if err := e.check(); err != nil {
			return err
		}
		for _, n := range e.Port.expand() {
			if _, ok := p.ports[n]; ok {
				return e.Port.errorf("port %d stands twice", n)
			}
			p.ports[n] = &Port{Number: n, Title: e.Title, IANA: e.IANA, Internal: *e.Internal, Related: e.Related, Uses: e.Uses}
		}
	}
	for _, e := range entries {
		for _, r := range e.Related {
			if _, ok := p.ports[r]; !ok {
				return e.Port.errorf("related port %d is not in the table", r)
			}
		}
	}
	return nil
}

// check reports the first thing that is missing or wrong in an entry.
func (e portEntry) check() error {
	switch {
	case e.Port.first == 0:
		return fmt.Errorf("%s: entry %q without a port", portsFile, e.Title)
	case e.Title == "":
		return e.Port.errorf("port %d without a title", e.Port.first)
	case e.Internal == nil:
		return e.Port.errorf("port %d: internal is not said", e.Port.first)
	case len(e.Related) == 0:
		return e.Port.errorf("port %d without related ports", e.Port.first)
	case len(e.Uses) == 0:
		return e.Port.errorf("port %d without a use", e.Port.first)
	case slices.Contains(e.Related, e.Port.first):
		return e.Port.errorf("port %d is related to itself", e.Port.first)
	}
	if err := e.checkIANA(); err != nil {
		return err
	}
	for _, u := range e.Uses {
		if err := e.checkUse(u); err != nil {
			return err
		}
	}
	return nil
}

func (e portEntry) checkIANA() error {
	dynamic := e.Port.first >= 49152 // RFC 6335, Section 6
	switch s := e.IANA.Status; {
	case !slices.Contains([]string{"assigned", "unassigned", "reserved", "dynamic"}, s):
		return e.Port.errorf("port %d: unknown iana status %q", e.Port.first, s)
	case dynamic != (s == "dynamic"):
		return e.Port.errorf("port %d: iana status %q, but dynamic ports begin at 49152", e.Port.first, s)
	case s == "assigned" && e.IANA.Name == "" && e.IANA.Description == "":
		return e.Port.errorf("port %d is assigned, but the name is missing", e.Port.first)
	case s == "unassigned" && e.IANA.Name != "":
		return e.Port.errorf("port %d is unassigned, but has a name", e.Port.first)
	}
	return nil
}

func (e portEntry) checkUse(u Use) error {
	for _, f := range []struct{ key, value string }{
		{"product", u.Product}, {"protocol", u.Protocol}, {"flow", u.Flow},
		{"bind", u.Bind}, {"gain", u.Gain}, {"config", u.Config},
	} {
		if f.value == "" {
			return e.Port.errorf("port %d: use by %q without %s", e.Port.first, u.Product, f.key)
		}
	}
	if !slices.Contains(severities, u.Severity) {
		return e.Port.errorf("port %d: unknown severity %q", e.Port.first, u.Severity)
	}
	if !slices.Contains(roles, u.Role) {
		return e.Port.errorf("port %d: unknown role %q", e.Port.first, u.Role)
	}
	return nil
}

// addProfiles expands the profiles and notes on each port which sweep it.
func (p *Ports) addProfiles(entries []profileEntry) error {
	for _, e := range entries {
		f := Profile{Name: e.Name, Title: e.Title, Why: e.Why}
		if f.Name == "" || f.Title == "" || f.Why == "" {
			return fmt.Errorf("%s: profile %q needs name, title and why", portsFile, f.Name)
		}
		if _, ok := p.Profile(f.Name); ok {
			return fmt.Errorf("%s: profile %q stands twice", portsFile, f.Name)
		}
		for _, r := range e.Ports {
			for _, n := range r.expand() {
				port, ok := p.ports[n]
				if !ok {
					return r.errorf("profile %q: port %d is not in the table", f.Name, n)
				}
				if slices.Contains(f.Ports, n) {
					return r.errorf("profile %q: port %d stands twice", f.Name, n)
				}
				f.Ports = append(f.Ports, n)
				port.Profiles = append(port.Profiles, f.Name)
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
	return nil
}
