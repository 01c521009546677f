package domains

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// services are the SRV records by which clients find the servers of a domain.
var services = []string{
	"_submission._tcp",   // RFC 6186, Section 3.1
	"_submissions._tcp",  // RFC 8314, Section 5.1
	"_imap._tcp",         // RFC 6186, Section 3.2
	"_imaps._tcp",        // RFC 6186, Section 3.2
	"_pop3._tcp",         // RFC 6186, Section 3.3
	"_pop3s._tcp",        // RFC 6186, Section 3.3
	"_sieve._tcp",        // RFC 5804, Section 1.8
	"_jmap._tcp",         // RFC 8620, Section 2.2
	"_caldavs._tcp",      // RFC 6764, Section 3
	"_carddavs._tcp",     // RFC 6764, Section 3
	"_autodiscover._tcp", // MS-OXDISCO, Section 3.1.5
}

// services finds the hosts of the SRV records.
func (k *walk) services() {
	for _, name := range services {
		owner := name + "." + k.domain.Name
		for _, srv := range srvRecords(k.lookup(owner, dns.TypeSRV, "the service "+name).Records) {
			if srv.Target == "." { // not offered (RFC 2782)
				continue
			}
			label, _, _ := strings.Cut(name, ".")
			target := display(dns.CanonicalName(srv.Target))
			h, found := k.host(srv.Target, Way{Kind: KindSRV, Owner: owner, Type: "SRV", Port: int(srv.Port),
				Text: fmt.Sprintf("srv %s of %s, port %d", strings.TrimPrefix(label, "_"), k.domain.Name, srv.Port)})
			h.Ports = append(h.Ports, int(srv.Port))
			if found.void() {
				k.wrong("srv-without-address", owner, dns.TypeSRV, "SRV %s leads to %s, which has no address (%s)", owner, target, found.outcome)
			}
		}
	}
}

// srvRecords sorts SRV records by priority, and those of one priority by name and port.
func srvRecords(records []dns.RR) []*dns.SRV {
	var all []*dns.SRV
	for _, rr := range records {
		if srv, ok := rr.(*dns.SRV); ok {
			all = append(all, srv)
		}
	}
	slices.SortFunc(all, func(a, b *dns.SRV) int {
		if a.Priority != b.Priority {
			return int(a.Priority) - int(b.Priority)
		}
		if c := compareNames(a.Target, b.Target); c != 0 {
			return c
		}
		return int(a.Port) - int(b.Port)
	})
	return all
}

// compareNames compares two names without regard to case.
func compareNames(a, b string) int {
	return strings.Compare(dns.CanonicalName(a), dns.CanonicalName(b))
}

// automatic finds the hosts at which clients look for their settings: the domain itself, and two
// names below it (draft-ietf-mailmaint-autoconfig, Section 4; MS-OXDISCO, Section 3.1.5).
func (k *walk) automatic() {
	for _, s := range [...]struct {
		label string
		kind  Kind
	}{{"", KindAddress}, {"autoconfig", KindAutoconfig}, {"autodiscover", KindAutodiscover}} {
		name := strings.TrimPrefix(s.label+"."+k.domain.Name, ".")
		found := k.addresses(name, "the addresses of "+name)
		if len(found.addrs) > 0 {
			k.host(name, Way{Kind: s.kind, Text: string(s.kind) + " of " + k.domain.Name, Owner: name, Type: "A"})
			if s.kind == KindAutoconfig {
				k.fetchAutoconfig(name, found.addrs)
			}
		}
	}
}
