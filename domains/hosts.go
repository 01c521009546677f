package domains

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/domains/query"
)

// addresses looks up both families of a name.
func (k *walk) addresses(name, purpose string) (h lookedUp) {
	h.known = true
	for _, t := range [...]uint16{dns.TypeA, dns.TypeAAAA} {
		a := k.lookup(name, t, purpose)
		h.known = h.known && a.Outcome.Known()
		h.outcome = a.Outcome
		if len(a.Aliases) > 0 {
			h.aliases = a.Aliases
		}
		h.secure = (h.secure || t == dns.TypeA) && k.Trusted && a.Authenticated
		for _, rr := range a.Records {
			if addr, ok := addressOf(rr); ok && !slices.Contains(h.addrs, addr) {
				h.addrs = append(h.addrs, addr)
			}
		}
		if a.Outcome == query.NXDomain {
			break // no type exists (RFC 8020)
		}
	}
	slices.SortFunc(h.addrs, netip.Addr.Compare)
	return h
}

// lookedUp is what the DNS says of the addresses of a name.
type lookedUp struct {
	addrs   []netip.Addr
	aliases []string
	outcome query.Outcome // of the last question
	known   bool          // both families were answered
	secure  bool          // the server that is trusted validated both
}

// void reports whether the DNS says that the name has no address.
func (l *lookedUp) void() bool { return l.known && len(l.addrs) == 0 }

// addressOf returns the address of an A or AAAA record. An IPv4-mapped one is IPv4: that is what a
// connection to it uses.
func addressOf(rr dns.RR) (netip.Addr, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		a, ok := netip.AddrFromSlice(rr.A)
		return a.Unmap(), ok
	case *dns.AAAA:
		a, ok := netip.AddrFromSlice(rr.AAAA)
		return a.Unmap(), ok
	}
	return netip.Addr{}, false
}

// maxHosts is how many hosts and networks of one domain are listed.
const maxHosts = 10_000

// host adds a path to the host, and looks up its addresses if it is new.
func (k *walk) host(name string, path Way) (*Host, lookedUp) {
	name = dns.CanonicalName(name)
	found := k.addresses(name, "the addresses of "+display(name))
	h := k.hosts[name]
	if h == nil {
		if len(k.hosts) >= maxHosts {
			k.gap(Gap{Name: display(name), Type: "A", Cause: query.Limit.String(), For: "a host"})
			return &Host{}, found
		}
		h = &Host{Name: display(name), Addresses: found.addrs}
		for _, a := range found.aliases {
			h.Aliases = append(h.Aliases, display(a))
		}
		k.hosts[name] = h
		k.domain.Hosts = append(k.domain.Hosts, h)
	}
	h.add(path)
	return h, found
}

// add adds a path once.
func (h *Host) add(path Way) {
	if !slices.Contains(h.Paths, path) {
		h.Paths = append(h.Paths, path)
	}
}

// network adds a path to a prefix that SPF names: to the host with this address if it is a single
// one.
func (k *walk) network(p netip.Prefix, path Way) {
	p = p.Masked()
	if p.IsSingleIP() {
		k.single(p.Addr(), path)
		return
	}
	for _, n := range k.domain.Networks {
		if n.Prefix == p {
			if !slices.Contains(n.Paths, path) {
				n.Paths = append(n.Paths, path)
			}
			return
		}
	}
	if len(k.domain.Networks) >= maxHosts {
		k.gap(Gap{Name: p.String(), Type: "TXT", Cause: query.Limit.String(), For: "a network"})
		return
	}
	k.domain.Networks = append(k.domain.Networks, &Network{Prefix: p, Paths: []Way{path}})
}

// single adds a path to the host with the address.
func (k *walk) single(a netip.Addr, path Way) {
	h := k.hosts[a.String()]
	if h == nil {
		if len(k.hosts) >= maxHosts {
			k.gap(Gap{Name: a.String(), Type: "TXT", Cause: query.Limit.String(), For: "a host"})
			return
		}
		h = &Host{Addresses: []netip.Addr{a}}
		k.hosts[a.String()] = h
		k.domain.Hosts = append(k.domain.Hosts, h)
	}
	h.add(path)
}
