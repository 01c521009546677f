package domains

import (
	"net/netip"
	"strings"
)

// A Classifier says whether a scope contains the prefix, which has at least one address.
type Classifier func(netip.Prefix) bool

// classify says of each host and network of the domain whose it is.
func (w *Walker) classify(d *Domain) {
	for _, h := range d.Hosts {
		if h.Class = byPaths(h.Paths); w.owns(d, h) {
			h.Class = Own
		}
	}
	for _, n := range d.Networks {
		if n.Class = byPaths(n.Paths); w.Classify != nil && w.Classify(n.Prefix) {
			n.Class = Own
		}
	}
}

// owns reports whether the scope contains all addresses of the host; without a scope, whether its
// name, and the one at the end of its aliases, is below the domain.
func (w *Walker) owns(d *Domain, h *Host) bool {
	if w.Classify == nil {
		return below(h.Name, d.Name) && (len(h.Aliases) == 0 || below(h.Aliases[len(h.Aliases)-1], d.Name))
	}
	for _, a := range h.Addresses {
		if !w.Classify(netip.PrefixFrom(a, a.BitLen())) {
			return false
		}
	}
	return len(h.Addresses) > 0
}

// byPaths is whose host or network it is if it is not that of the domain.
func byPaths(paths []Way) Class {
	for _, p := range paths {
		if !p.Foreign {
			return Provider
		}
	}
	return ThirdParty
}

// below reports whether name is the domain, or a name below it.
func below(name, domain string) bool {
	return name == domain || strings.HasSuffix(name, "."+domain)
}
