package domains

import (
	"fmt"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/domains/query"
)

// A TLSA is one record that says which certificate a host presents (RFC 6698, Section 2.1).
type TLSA struct {
	Usage    uint8  `json:"usage"`
	Selector uint8  `json:"selector"`
	Matching uint8  `json:"matching"`
	Data     string `json:"data"` // in hexadecimal digits
	// Usable reports whether senders of mail use it: DANE-TA(2) or DANE-EE(3), with a selector and
	// a matching type that exist (RFC 7672, Section 3.1).
	Usable bool `json:"usable"`
}

// dane looks up the TLSA records of the hosts that accept mail. They count only if the DNS
// authenticates the MX records, the addresses and the TLSA records (RFC 7672, Section 2.2), so that
// nothing is asked where it does not.
func (k *walk) dane() {
	if !k.Trusted || k.domain.Mail != MailMX {
		return
	}
	a := k.lookup(k.domain.Name, dns.TypeMX, "DANE")
	if !a.Authenticated {
		return
	}
	for _, mx := range mxRecords(a.Records) {
		if h := k.hosts[dns.CanonicalName(mx.Mx)]; h != nil && h.TLSA == nil {
			k.tlsa(h, mx.Mx)
		}
	}
}

// tlsa looks up the records of one host: at the name at the end of its aliases first, then at its
// own (RFC 7672, Section 2.2.2).
func (k *walk) tlsa(h *Host, name string) {
	found := k.addresses(name, "DANE")
	if !found.secure || len(found.addrs) == 0 {
		return
	}
	names := []string{dns.CanonicalName(name)}
	if n := len(found.aliases); n > 0 {
		names = []string{found.aliases[n-1], names[0]}
	}
	for _, base := range names {
		owner := fmt.Sprintf("_%d._tcp.%s", smtpPort, base)
		a := k.lookup(owner, dns.TypeTLSA, "DANE")
		if a.Outcome != query.Found || !a.Authenticated {
			continue
		}
		for _, rr := range a.Records {
			if t, ok := rr.(*dns.TLSA); ok {
				h.TLSA = append(h.TLSA, TLSA{Usage: t.Usage, Selector: t.Selector, Matching: t.MatchingType, Data: t.Certificate,
					Usable: (t.Usage == 2 || t.Usage == 3) && t.Selector <= 1 && t.MatchingType <= 2})
			}
		}
		if !anyUsable(h.TLSA) {
			k.wrong("tlsa-unusable", owner, dns.TypeTLSA, "no TLSA record of %s is one that senders use", display(owner))
		}
		return
	}
}

// anyUsable reports whether one of the records is usable.
func anyUsable(records []TLSA) bool {
	for _, t := range records {
		if t.Usable {
			return true
		}
	}
	return false
}
