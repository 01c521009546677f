package exposure

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"mxsweep/scan"
)

// A Selector names hosts: "*", an address, a prefix, a range or a host name,
// in the forms of the command line.
type Selector struct {
	Text string // as written

	ranges []netipx.IPRange
	zone   string // of a link-local address; "" is any, as of a prefix
	name   string // lower case, without a final dot; "" if not a name
}

// Any reports whether the selector stands for all hosts.
func (s Selector) Any() bool { return s.Text == "*" }

// all reports whether the selector stands for all hosts, in whatever form.
func (s Selector) all() bool {
	return s.Any() || slices.ContainsFunc(s.ranges, func(r netipx.IPRange) bool {
		p, ok := r.Prefix()
		return ok && p.Bits() == 0
	})
}

// Matches reports whether the selector names the host with an address and the
// names that it has in scope. A host name stands for what the run found under
// that very name; nothing is looked up.
func (s Selector) Matches(addr netip.Addr, hosts ...string) bool {
	if s.Any() {
		return true
	}
	if s.name != "" {
		return slices.ContainsFunc(hosts, func(host string) bool { return s.name == canonicalName(host) })
	}
	for _, r := range s.ranges {
		if r.Contains(addr.Unmap().WithZone("")) && (s.zone == "" || s.zone == addr.Zone()) {
			return true
		}
	}
	return false
}

// matchesAll reports whether the selector names all addresses of a finding.
func (s Selector) matchesAll(f *Finding) bool {
	return !slices.ContainsFunc(f.AllAddresses(), func(a netip.Addr) bool { return !s.Matches(a, f.names()...) })
}

// matchesOne reports whether the selector names an address of a finding.
func (s Selector) matchesOne(f *Finding) bool {
	return slices.ContainsFunc(f.AllAddresses(), func(a netip.Addr) bool { return s.Matches(a, f.names()...) })
}

// canonicalName makes host names comparable.
func canonicalName(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

var errNotAsked = errors.New("names in the policy are not looked up")

// offline is a scan.Resolver that asks nobody: a policy is read without a
// network.
type offline struct{}

// LookupNetIP gives no address.
func (offline) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errNotAsked
}

// ParseSelector reads one target form, or "*". A port behind it is an error.
func ParseSelector(text string) (Selector, error) {
	if text == "*" {
		return Selector{Text: text}, nil
	}
	parser := &scan.Parser{Resolver: offline{}}
	targets, err := parser.Targets(context.Background(), []string{text})
	if err != nil {
		return Selector{}, err
	}
	if len(targets) != 1 {
		return Selector{}, &UserError{Msg: "no target in it", HintText: `write an address, a prefix, a range, a name, or "*"`}
	}
	t := targets[0]
	if !t.Ports.Empty() {
		return Selector{}, &UserError{Msg: "a port does not belong here", HintText: "give the port under its own key"}
	}
	return Selector{Text: text, ranges: t.Ranges, zone: t.Zone, name: canonicalName(t.Name)}, nil
}

// A PortSelector names ports: "*", or a list as on the command line. The zero
// PortSelector stands for no port.
type PortSelector struct {
	Text string // as written

	ports scan.PortSet
}

// Any reports whether the selector stands for all ports.
func (s PortSelector) Any() bool { return s.Text == "*" }

// all reports whether the selector stands for all ports, in whatever form.
func (s PortSelector) all() bool { return s.Any() || s.ports.Len() == 65535 }

// Matches reports whether the selector names the port.
func (s PortSelector) Matches(port uint16) bool { return s.Any() || s.ports.Contains(port) }

// ParsePortSelector reads a list of ports, or "*". Profiles are the ports of
// each profile name; nil means none.
func ParsePortSelector(text string, profiles map[string][]uint16) (PortSelector, error) {
	s := PortSelector{Text: text}
	if s.Any() {
		return s, nil
	}
	var err error
	if s.ports, err = scan.ParsePortSet(text, profiles); err != nil {
		return PortSelector{}, err
	}
	return s, nil
}
