package run

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/names"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// unresolved says why the addresses of a name are not known.
func unresolved(t scope.Target) gate.UnresolvedName {
	n := gate.UnresolvedName{Name: t.Name, Anchor: anchorOf(t)}
	var lookup *names.Error
	if errors.As(t.Err, &lookup) {
		n.Reason = lookup.Reason
	}
	return n
}

// unresolved returns the names whose addresses are not known, with acceptances.
func (p *Plan) unresolved() []gate.UnresolvedName {
	var names []gate.UnresolvedName
	for _, t := range p.scope.Unresolved() {
		name := unresolved(t)
		name.Acceptance = p.policy.AcceptsNotice(exposure.NoticeUnresolved, netip.Addr{}, []string{t.Name}, p.opts.now())
		names = append(names, name)
	}
	return names
}

// byFamily returns the note that -4 or -6 excludes a target, "" if neither does.
func (p *Plan) byFamily(t scope.Target) string {
	family := p.opts.Family
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

// excludedNames returns a notice if names are excluded whose addresses may
// change: only the known ones are excluded.
func (p *Plan) excludedNames() []result.Notice {
	var names []string
	for _, t := range p.excluded {
		if t.Name != "" && !slices.Contains(names, t.Name) && len(names) < maxNamed {
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []result.Notice{exposure.NewNotice(exposure.NoticeExcludedName, names[0], nil,
		"Excluded by name, with the current addresses: %s.", strings.Join(names, ", "))}
}

// maxUnusable is the maximum number of names, and of addresses of each, in a
// notice about unusable addresses.
const maxUnusable = 8

// unusableAddresses returns a notice about names with both usable addresses and
// addresses that cannot be probed. A name with only the latter is unresolved.
func (p *Plan) unusableAddresses() []result.Notice {
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
	return []result.Notice{exposure.NewNotice(exposure.NoticeUnusableAddress, first.Name, anchorOf(*first),
		"Addresses of %s cannot be scanned: %s%s.", wording.Amount(len(seen), "name", "names"), strings.Join(told, ", "), more)}
}

// parser returns a parser for all lists of addresses of the run.
func (o *Options) parser() *scope.Parser {
	p := &scope.Parser{Stdin: o.Stdin, Family: o.Family}
	if o.Resolver != "" {
		p.Resolver = &names.DNS{Server: o.Resolver}
	}
	return p
}

// checkInterfaces returns an error if this machine does not have the network
// interface.
func (p *Plan) checkInterfaces() error {
	if name := p.opts.Interface; name != "" && p.opts.Mode == ModeSyn && !isInterface(name) {
		return fault.Usagef(interfaceHint(), "reading flag \"--interface\": this machine has no interface %q", name)
	}
	return checkZones(p.space, p.opts.Mode)
}

// checkZones returns an error if this machine has no link to a link-local target,
// or the engine cannot probe it.
func checkZones(space *scope.Space, mode string) error {
	for _, addr := range space.Zoned() {
		switch zone := addr.Zone(); {
		case mode == ModeSyn:
			return fault.Usagef("use --mode connect", "reading target %s: a SYN scan cannot reach link-local addresses", addr)
		case !isInterface(zone):
			return fault.Usagef(interfaceHint(), "reading target %s: this machine has no interface %q", addr, zone)
		}
	}
	return nil
}

// interfaceHint lists the network interfaces of this machine, or the first ones
// if there are many.
func interfaceHint() string {
	const most = 12
	list, err := net.Interfaces()
	if err != nil || len(list) == 0 {
		return "" // the system does not tell
	}
	var names []string
	for _, i := range list[:min(len(list), most)] {
		names = append(names, i.Name)
	}
	hint := "its interfaces are " + strings.Join(names, ", ")
	if n := len(list) - most; n > 0 {
		hint += fmt.Sprintf(" and %d more", n)
	}
	return hint
}

// isInterface reports whether this machine has an interface with that name.
func isInterface(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}
