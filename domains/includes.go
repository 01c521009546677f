package domains

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/domains/query"
	"github.com/mxsweep/mxsweep/domains/spf"
)

// include walks through the record of another domain, for the mechanism include and the modifier
// redirect, and returns the addresses that it allows (RFC 7208, Sections 5.2 and 6.1).
func (s *senders) include(term, spec, domain string) *netipx.IPSet {
	nothing := &netipx.IPSet{}
	name, ok := s.expand(term, spec, domain)
	if !ok {
		return nothing
	}
	name = display(dns.CanonicalName(name))
	if slices.Contains(s.stack, name) {
		s.fault("permerror")
		s.wrong("spf-loop", s.domain.Name, dns.TypeTXT, "SPF of %s leads back to %s", s.domain.Name, name)
		return nothing
	}
	if s.walked++; len(s.stack) > maxDepth || s.walked > maxRecords {
		s.fault("permerror")
		s.gap(Gap{Name: name, Type: "TXT", Cause: query.Limit.String(), For: "SPF"})
		return nothing
	}
	_, record, state := s.record(name)
	switch state {
	case unanswered:
		s.fault("temperror")
		return nothing
	case absent:
		s.wrong("spf-include-without-record", s.domain.Name, dns.TypeTXT, "SPF of %s needs the record of %s, which has none", s.domain.Name, name)
		s.fault("permerror")
		return nothing
	case unusable:
		s.fault("permerror")
		return nothing
	}
	s.via = append(s.via, term)
	defer func() { s.via = s.via[:len(s.via)-1] }()
	return s.evaluate(record, name)
}

// hostsOf adds the host of the mechanism a (RFC 7208, Section 5.3).
func (s *senders) hostsOf(d *spf.Directive, domain string) *netipx.IPSet {
	name, ok := s.expand(d.Text, d.Domain, domain)
	if !ok {
		return &netipx.IPSet{}
	}
	_, found := s.host(name, s.path(d.Text))
	if found.void() {
		s.countVoid()
	}
	if !found.known {
		s.fault("temperror")
	}
	return prefixes(d, found.addrs)
}

// exists returns all addresses if the name of the mechanism exists has an IPv4 address, whatever that
// is (RFC 7208, Section 5.7).
func (s *senders) exists(d *spf.Directive, domain string) *netipx.IPSet {
	name, ok := s.expand(d.Text, d.Domain, domain)
	if !ok {
		return &netipx.IPSet{}
	}
	a := s.lookup(name, dns.TypeA, "SPF")
	switch {
	case len(a.Records) > 0:
		return everything
	case a.Outcome.Absent():
		s.countVoid()
	default:
		s.fault("temperror")
	}
	return &netipx.IPSet{}
}

// exchangers adds the hosts of the mechanism mx (RFC 7208, Section 5.4).
func (s *senders) exchangers(d *spf.Directive, domain string) *netipx.IPSet {
	name, ok := s.expand(d.Text, d.Domain, domain)
	if !ok {
		return &netipx.IPSet{}
	}
	a := s.lookup(name, dns.TypeMX, "SPF")
	switch {
	case a.Outcome.Absent():
		s.countVoid()
	case a.Outcome != query.Found:
		s.fault("temperror")
	}
	records := mxRecords(a.Records)
	if len(records) > maxExchanger { // RFC 7208, Section 4.6.4
		s.fault("permerror")
		s.wrong("spf-mx-too-many", s.domain.Name, dns.TypeTXT, "SPF of %s has the term %s, which names %d hosts, receivers stop after %d", s.domain.Name, d.Text, len(records), maxExchanger)
	}
	var addrs []netip.Addr
	for _, mx := range records {
		if mx.Mx == "." {
			continue
		}
		_, found := s.host(mx.Mx, s.path(d.Text))
		if !found.known {
			s.fault("temperror")
		}
		addrs = append(addrs, found.addrs...)
	}
	return prefixes(d, addrs)
}

// prefixes returns the addresses that the mechanism a or mx matches, given those of its hosts.
func prefixes(d *spf.Directive, addrs []netip.Addr) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, a := range addrs {
		n := d.Bits6
		if a.Is4() {
			n = d.Bits4
		}
		if p, err := a.Prefix(n); err == nil {
			b.AddPrefix(p)
		}
	}
	return finished(&b)
}
