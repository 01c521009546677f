package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/scan/names"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// nameFlags are the flags that decide which addresses a name has.
type nameFlags struct {
	ipv4Only bool
	ipv6Only bool
	resolver resolverAddr
}

func (f *nameFlags) register(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.ipv4Only, "ipv4", "4", false, "look up and contact IPv4 addresses only")
	flags.BoolVarP(&f.ipv6Only, "ipv6", "6", false, "look up and contact IPv6 addresses only")
	flags.Var(&f.resolver, "resolver", "look names up at the DNS server `HOST[:PORT]`, an address (default the system's)")
}

// family is which addresses may be looked up and contacted.
func (f *nameFlags) family() scope.Family {
	switch {
	case f.ipv4Only:
		return scope.IPv4Only
	case f.ipv6Only:
		return scope.IPv6Only
	}
	return scope.BothFamilies
}

// parser reads all lists of addresses of one run.
func (f *nameFlags) parser(stdin io.Reader) *scope.Parser {
	p := &scope.Parser{Stdin: stdin, Family: f.family()}
	if server := f.resolver.String(); server != "" {
		p.Resolver = &names.DNS{Server: server}
	}
	return p
}

// A resolverAddr is the flag HOST[:PORT]. The zero value is the system's
// resolver.
type resolverAddr struct{ netip.AddrPort }

func (r *resolverAddr) String() string {
	if !r.IsValid() {
		return ""
	}
	return r.AddrPort.String()
}

func (r *resolverAddr) Type() string { return "HOST[:PORT]" }

func (r *resolverAddr) Set(value string) error {
	host, port := value, "53" // RFC 1035, Section 4.2
	if h, p, err := net.SplitHostPort(value); err == nil {
		host, port = h, p
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || n == 0 {
		return errors.New("not an address with an optional port, like 192.0.2.53 or [2001:db8::53]:5353")
	}
	r.AddrPort = netip.AddrPortFrom(addr, uint16(n))
	return nil
}

// unresolved says why the addresses of a name are not known.
func unresolved(t scope.Target) gate.UnresolvedName {
	n := gate.UnresolvedName{Name: t.Name, Anchor: anchorOf(t)}
	var lookup *names.Error
	if errors.As(t.Err, &lookup) {
		n.Reason = lookup.Reason
	}
	return n
}

// unresolved are the names whose addresses are not known, and who accepts it.
func (p *plan) unresolved() []gate.UnresolvedName {
	var names []gate.UnresolvedName
	for _, t := range p.scope.Unresolved() {
		name := unresolved(t)
		name.Acceptance = p.policy.AcceptsNotice(exposure.NoticeUnresolved, netip.Addr{}, []string{t.Name}, p.flags.time())
		names = append(names, name)
	}
	return names
}

// byFamily says of an excluded target that -4 or -6 excludes it, if so.
func (p *plan) byFamily(t scope.Target) string {
	family := p.flags.names.family()
	for _, r := range t.Ranges {
		if family == scope.BothFamilies || r.From().Is4() == (family == scope.IPv4Only) {
			return ""
		}
	}
	if family == scope.IPv4Only {
		return " by -4"
	}
	return " by -6"
}

// excludedNames is a notice that names of changing addresses are excluded only
// as far as they were known.
func (p *plan) excludedNames() []exposure.Notice {
	var names []string
	for _, t := range p.excluded {
		if t.Name != "" && !slices.Contains(names, t.Name) && len(names) < maxNamed {
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []exposure.Notice{exposure.NewNotice(exposure.NoticeExcludedName, names[0], nil,
		"Excluded by name, with the addresses of now: %s.", strings.Join(names, ", "))}
}

// maxUnusable is how many names, and how many addresses of one, a notice of
// unusable addresses tells.
const maxUnusable = 8

// unusableAddresses is a notice of the names that have addresses which cannot be
// asked beside those that were. A name with no other address is unresolved.
func (p *plan) unusableAddresses() []exposure.Notice {
	var first *scope.Target
	var told []string
	seen := map[string]bool{}
	for i := range p.asked {
		t := &p.asked[i]
		if len(t.Unusable) == 0 || len(t.Ranges) == 0 || seen[t.Name] {
			continue
		}
		seen[t.Name] = true
		if first == nil {
			first = t
		}
		if len(told) < maxUnusable {
			var texts []string
			for _, a := range t.Unusable[:min(len(t.Unusable), maxUnusable)] {
				texts = append(texts, a.String())
			}
			told = append(told, fmt.Sprintf("%q (%s)", t.Name, strings.Join(texts, ", ")))
		}
	}
	if first == nil {
		return nil
	}
	more := ""
	if n := len(seen) - len(told); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return []exposure.Notice{exposure.NewNotice(exposure.NoticeUnusableAddress, first.Name, anchorOf(*first),
		"Addresses of %s cannot be asked: %s%s.", spelling.Amount(len(seen), "name", "names"), strings.Join(told, ", "), more)}
}

// checkZones refuses link-local targets that this machine has no link to, or
// that the engine cannot ask.
func checkZones(space *scope.Space, mode string) error {
	for _, addr := range space.Zoned() {
		switch zone := addr.Zone(); {
		case mode == modeSyn:
			return usagef("use --mode connect", "reading target %s: single SYNs are not sent to link-local addresses", addr)
		case !isInterface(zone):
			return usagef(interfaceHint, "reading target %s: this machine has no interface %q", addr, zone)
		}
	}
	return nil
}

// interfaceHint tells how to find the names of interfaces.
const interfaceHint = `"ip link" lists the interfaces`

// isInterface reports whether this machine has an interface of that name.
func isInterface(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}
