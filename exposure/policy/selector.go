package policy

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A Selector matches hosts: "*", an address, a prefix, a range or a host name, in
// the syntax of the command line; or configuration files. It is small, because policies may have very
// many.
type Selector struct {
	v4    uint32   // a single IPv4 address in canonical form; 0 is none
	hosts *hostSet // anything else; shared by selectors that are spelled alike
}

// A hostSet is the value of a selector that is not one IPv4 address.
type hostSet struct {
	text   string // as written
	ranges []netipx.IPRange
	zone   string // of a link-local address; "" is any, as for a prefix
	name   string // lower case, without a final dot; "" if not a name
	file   string // a pattern of path.Match for configuration files; "" if not one
}

// anyHost is the set for "*".
var anyHost = &hostSet{text: "*"}

// addr returns the single IPv4 address.
func (s Selector) addr() netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], s.v4)
	return netip.AddrFrom4(b)
}

// Text returns the selector as written.
func (s Selector) Text() string {
	switch {
	case s.hosts != nil:
		return s.hosts.text
	case s.v4 != 0:
		return s.addr().String()
	}
	return ""
}

// ranges returns the addresses of the selector, none for "*" and for a name.
func (s Selector) ranges() []netipx.IPRange {
	switch {
	case s.hosts != nil:
		return s.hosts.ranges
	case s.v4 != 0:
		return []netipx.IPRange{netipx.IPRangeFrom(s.addr(), s.addr())}
	}
	return nil
}

// zone returns the zone of a link-local address; "" is any.
func (s Selector) zone() string {
	if s.hosts == nil {
		return ""
	}
	return s.hosts.zone
}

// name returns the host name, in lower case and without a final dot; "" if there
// is none.
func (s Selector) name() string {
	if s.hosts == nil {
		return ""
	}
	return s.hosts.name
}

// holds reports whether one of the selector's ranges contains the whole range r.
func (s Selector) holds(r netipx.IPRange) bool {
	return slices.ContainsFunc(s.ranges(), func(o netipx.IPRange) bool { return o.Contains(r.From()) && o.Contains(r.To()) })
}

// Any reports whether the selector is "*".
func (s Selector) Any() bool { return s.hosts != nil && s.hosts.text == "*" }

// all reports whether the selector matches all hosts, in any spelling.
func (s Selector) all() bool {
	return s.Any() || s.hosts != nil && slices.ContainsFunc(s.hosts.ranges, func(r netipx.IPRange) bool {
		p, ok := r.Prefix()
		return ok && p.Bits() == 0
	})
}

// Matches reports whether the selector matches the host with an address and names
// in scope. A host name matches only what the run found under that name; nothing
// is looked up.
func (s Selector) Matches(addr netip.Addr, hosts ...string) bool {
	h := s.hosts
	switch {
	case h == nil:
		a := addr.Unmap()
		return s.v4 != 0 && a.Is4() && number4(a) == s.v4
	case s.Any():
		return true
	case h.file != "":
		return false
	case h.name != "":
		return slices.ContainsFunc(hosts, func(host string) bool { return h.name == exposure.CanonicalName(host) })
	}
	for _, r := range h.ranges {
		if r.Contains(addr.Unmap().WithZone("")) && (h.zone == "" || h.zone == addr.Zone()) {
			return true
		}
	}
	return false
}

// matchesAll reports whether the selector matches all addresses of a finding.
func (s Selector) matchesAll(f *exposure.Violation) bool {
	if s.OfFiles() {
		return f.Listener != nil && s.MatchesFile(f.Host)
	}
	return !slices.ContainsFunc(f.AllAddresses(), func(a netip.Addr) bool { return !s.Matches(a, f.Names()...) })
}

// matchesOne reports whether the selector matches an address of a finding.
func (s Selector) matchesOne(f *exposure.Violation) bool {
	if s.OfFiles() {
		return s.matchesAll(f)
	}
	return slices.ContainsFunc(f.AllAddresses(), func(a netip.Addr) bool { return s.Matches(a, f.Names()...) })
}

// ofFiles begins the selector of configuration files.
const ofFiles = "file:"

// OfFiles reports whether the selector matches configuration files, and no hosts.
func (s Selector) OfFiles() bool { return s.hosts != nil && s.hosts.file != "" }

// MatchesFile reports whether the selector matches a configuration file, by its name as
// reports show it: "*" does, and a pattern of path.Match.
func (s Selector) MatchesFile(file string) bool {
	if !s.OfFiles() {
		return s.Any()
	}
	ok, err := path.Match(s.hosts.file, file)
	return ok && err == nil
}

// ParseSelector parses one target in the syntax of the command line, "*", or "file:"
// and a pattern of path.Match. A port after it is an error.
func ParseSelector(text string) (Selector, error) {
	if text == "*" {
		return Selector{hosts: anyHost}, nil
	}
	if pattern, ok := strings.CutPrefix(text, ofFiles); ok {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return Selector{}, &userfile.Error{Problem: fmt.Sprintf("%q is not a pattern for files", pattern), Hint: "write file:NAME, where * is any text without a slash"}
		}
		return Selector{hosts: &hostSet{text: strings.Clone(text), file: strings.Clone(pattern)}}, nil
	}
	if a, err := netip.ParseAddr(text); err == nil && singleHost(a) && isText(a, text) {
		return Selector{v4: number4(a)}, nil
	}
	t, err := scope.ParseTarget(text)
	if err != nil {
		return Selector{}, err
	}
	if !t.Ports.Empty() {
		return Selector{}, &userfile.Error{Problem: "a port is not allowed here", Hint: "give the port under its own key"}
	}
	return Selector{hosts: &hostSet{text: strings.Clone(text), ranges: slices.Clone(t.Ranges), zone: t.Zone, name: exposure.CanonicalName(t.Name)}}, nil
}

// isText reports whether text is the canonical form of an address.
func isText(a netip.Addr, text string) bool {
	var b [15]byte
	return string(a.AppendTo(b[:0])) == text
}

// singleHost reports whether an address can be that of one IPv4 host, so that no
// further check is needed.
func singleHost(a netip.Addr) bool {
	return a.Is4() && a.As4()[0] != 0 && !a.IsMulticast() && number4(a) != 1<<32-1
}

// number4 returns an IPv4 address as a number.
func number4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// A PortSelector matches ports: "*", or a list as on the command line. The zero
// PortSelector matches no port.
type PortSelector struct{ list *portList }

// A portList is the value of a PortSelector.
type portList struct {
	text  string // as written
	ports scope.PortSet
}

// Text returns the ports as written, "" if there are none.
func (s PortSelector) Text() string {
	if s.list == nil {
		return ""
	}
	return s.list.text
}

// set returns the ports, none for "*".
func (s PortSelector) set() scope.PortSet {
	if s.list == nil {
		return scope.PortSet{}
	}
	return s.list.ports
}

// Any reports whether the selector is "*".
func (s PortSelector) Any() bool { return s.Text() == "*" }

// all reports whether the selector matches all ports, in any spelling.
func (s PortSelector) all() bool { return s.Any() || s.set().Len() == 65535 }

// Matches reports whether the selector matches the port.
func (s PortSelector) Matches(port uint16) bool { return s.Any() || s.set().Contains(port) }

// ParsePortSelector parses a list of ports, or "*". profiles has the ports of
// each profile name; nil means none.
func ParsePortSelector(text string, profiles map[string][]uint16) (PortSelector, error) {
	s := PortSelector{&portList{text: strings.Clone(text)}}
	if s.Any() {
		return s, nil
	}
	var err error
	if s.list.ports, err = scope.ParsePortSet(text, profiles); err != nil {
		return PortSelector{}, err
	}
	return s, nil
}

// Single reports whether the selector matches one host only.
func (s Selector) Single() bool {
	if s.hosts != nil {
		return s.hosts.name != "" || s.OfFiles() && !strings.ContainsAny(s.hosts.file, `*?[\`) || len(s.hosts.ranges) == 1 && s.hosts.ranges[0].From() == s.hosts.ranges[0].To()
	}
	return s.v4 != 0
}
