package domains

import (
	"net/netip"
	"strings"
)

// A Classifier says whether a scope contains the prefix, which has at least one address.
type Classifier func(netip.Prefix) bool

// class is whose host it is.
func (k *walk) class(h *Host) Class {
	if k.owns(h) {
		return Own
	}
	return byPaths(h.Paths)
}

// owns reports whether the scope contains all addresses of the host; without a scope, whether its
// name, and the one at the end of its aliases, is below the domain.
func (k *walk) owns(h *Host) bool {
	if k.Classify == nil {
		return below(h.Name, k.domain.Name) && (len(h.Aliases) == 0 || below(h.Aliases[len(h.Aliases)-1], k.domain.Name))
	}
	for _, a := range h.Addresses {
		if !k.Classify(netip.PrefixFrom(a, a.BitLen())) {
			return false
		}
	}
	return len(h.Addresses) > 0
}

// networkClass is whose network it is.
func (k *walk) networkClass(n *Network) Class {
	if k.Classify != nil && k.Classify(n.Prefix) {
		return Own
	}
	return byPaths(n.Paths)
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
