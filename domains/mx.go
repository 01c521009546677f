package domains

import (
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/domains/query"
)

// smtpPort is where mail is delivered (RFC 5321, Section 4.5.4.2).
const smtpPort = 25

// mail finds the hosts that accept mail for the domain (RFC 5321, Section 5.1).
func (k *walk) mail() {
	name := k.domain.Name
	a := k.lookup(name, dns.TypeMX, "the hosts that accept mail")
	switch {
	case a.Outcome == query.NoData:
		k.implicit()
		return
	case a.Outcome == query.NXDomain:
		k.domain.Mail = MailNone
		k.wrong(NoSuchDomain, name, dns.TypeMX, "%s does not exist (NXDOMAIN)", name)
		return
	case a.Outcome != query.Found:
		k.domain.Mail = MailUnknown
		return
	}
	records := mxRecords(a.Records)
	if nullMX(records) {
		k.domain.Mail = MailNull
		return
	}
	k.domain.Mail = MailMX
	for _, mx := range records {
		k.exchanger(mx)
	}
}

// mxRecords sorts MX records by preference, and those of one preference by name: their order is
// random (RFC 5321, Section 5.1), and two runs should have one result.
func mxRecords(records []dns.RR) []*dns.MX {
	var all []*dns.MX
	for _, rr := range records {
		if mx, ok := rr.(*dns.MX); ok {
			all = append(all, mx)
		}
	}
	slices.SortFunc(all, func(a, b *dns.MX) int {
		if a.Preference != b.Preference {
			return int(a.Preference) - int(b.Preference)
		}
		return compareNames(a.Mx, b.Mx)
	})
	return all
}

// nullMX reports whether the only record is "0 ." (RFC 7505, Section 3).
func nullMX(records []*dns.MX) bool {
	return len(records) == 1 && records[0].Mx == "."
}

// exchanger adds the host of one MX record.
func (k *walk) exchanger(mx *dns.MX) {
	name, target := k.domain.Name, display(dns.CanonicalName(mx.Mx))
	if target == "." { // RFC 7505, Section 3: no other MX record may be there
		k.wrong("null-mx-not-alone", name, dns.TypeMX, "%s has a null MX beside other MX records", name)
		return
	}
	h, found := k.host(mx.Mx, Way{Kind: KindMX, Text: fmt.Sprintf("mx %d of %s", mx.Preference, name), Owner: name, Type: "MX", Port: smtpPort})
	h.Ports = append(h.Ports, smtpPort)
	if len(found.aliases) > 0 { // RFC 2181, Section 10.3
		k.wrong("mx-is-alias", name, dns.TypeMX, "MX %s of %s is an alias (CNAME) of %s", target, name, display(found.aliases[len(found.aliases)-1]))
	}
	if found.void() {
		k.domain.wrong(FaultMXWithoutAddress, target, name, dns.TypeMX, "MX %s of %s has no address (%s)", target, name, found.outcome)
	}
}

// implicit adds the domain itself, which accepts its mail where there is no MX record (RFC 5321,
// Section 5.1).
func (k *walk) implicit() {
	name := k.domain.Name
	found := k.addresses(name, "the hosts that accept mail")
	switch {
	case len(found.addrs) > 0:
		k.domain.Mail = MailImplicit
		h, _ := k.host(name, Way{Kind: KindAddress, Text: "address of " + name + ", which has no MX", Owner: name, Type: "A", Port: smtpPort})
		h.Ports = append(h.Ports, smtpPort)
	case found.known:
		k.domain.Mail = MailNone
	default:
		k.domain.Mail = MailUnknown
	}
}
