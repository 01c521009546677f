package domains

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/domains/spf"
)

// The limits of an SPF record (RFC 7208, Section 4.6.4).
const (
	maxLookups   = 10  // terms that ask the DNS
	maxVoid      = 2   // of them, without an answer
	maxExchanger = 10  // hosts of one mechanism mx
	maxDepth     = 10  // records within each other; each costs a lookup
	maxRecords   = 100 // that are walked through; records that include each other have many paths
)

// SPF is what the record of a domain says of its senders.
type SPF struct {
	Text    string `json:"text"`
	Lookups int    `json:"lookups"` // terms that ask the DNS, over all records; counted up to the end, also past the limit
	Void    int    `json:"void"`    // of them, without an answer
	// Fault is why receivers stop with an error, "" if they do not: "permerror" or "temperror"
	// (RFC 7208, Section 2.6).
	Fault string `json:"fault,omitempty"`
	// Open are the terms for which the senders are not known without a message.
	Open []string `json:"notEnumerable,omitempty"`
	pass *netipx.IPSet
}

// Passes reports whether the record is known to allow the address to send.
func (s *SPF) Passes(a netip.Addr) bool { return s.pass != nil && s.pass.Contains(a) }

// senders walks through the records of one domain.
type senders struct {
	*walk
	spf    *SPF
	stack  []string // the domains of the records from the outermost to this one
	walked int      // records that were walked through
	via    []string // the terms that lead there
}

// spf finds the hosts and networks that may send mail for the domain.
func (k *walk) spf() {
	text, record, state := k.record(k.domain.Name)
	if state == absent {
		return
	}
	k.domain.SPF = &SPF{Text: text}
	s := &senders{walk: k, spf: k.domain.SPF}
	if state == unusable {
		s.fault("permerror")
		return
	}
	if state == unanswered {
		k.domain.SPF = nil // the gap says so
		return
	}
	s.spf.pass = s.evaluate(record, k.domain.Name)
	switch {
	case s.spf.Lookups > maxLookups:
		k.wrong(FaultSPFLookups, k.domain.Name, dns.TypeTXT, "SPF of %s needs %d DNS lookups, receivers stop after %d", k.domain.Name, s.spf.Lookups, maxLookups)
	case s.spf.Void > maxVoid:
		k.wrong("spf-void-lookups", k.domain.Name, dns.TypeTXT, "SPF of %s has %d DNS lookups without an answer, receivers stop after %d", k.domain.Name, s.spf.Void, maxVoid)
	}
}

// A recordState is what there is at a name.
type recordState int

// The states of records.
const (
	present recordState = iota
	absent
	unusable   // not exactly one, or invalid
	unanswered // the DNS did not say
)

// record looks up the SPF record of a domain (RFC 7208, Section 4.4 and 4.5).
func (k *walk) record(domain string) (string, *spf.Record, recordState) {
	a := k.lookup(domain, dns.TypeTXT, "SPF")
	if !a.Outcome.Known() {
		return "", nil, unanswered
	}
	records := texts(a.Records, spf.Is)
	switch len(records) {
	case 0:
		return "", nil, absent
	case 1:
	default:
		k.wrong("spf-several", domain, dns.TypeTXT, "%s has %d SPF records, receivers use none of them", display(domain), len(records))
		return "", nil, unusable
	}
	r, err := spf.Parse(records[0])
	if err != nil {
		k.wrong("spf-syntax", domain, dns.TypeTXT, "SPF of %s is invalid: %v", display(domain), err)
		return records[0], nil, unusable
	}
	return records[0], r, present
}

// texts returns the TXT records that are wanted. The strings of one record are joined without
// spaces (RFC 7208, Section 3.3).
func texts(records []dns.RR, want func(string) bool) []string {
	var all []string
	for _, rr := range records {
		if txt, ok := rr.(*dns.TXT); ok {
			if s := unescape(strings.Join(txt.Txt, "")); want(s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// unescape undoes the escapes of package dns: a backslash before a character, or before the three
// decimal digits of a byte (RFC 1035, Section 5.1).
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if i+3 < len(s) && digit(s[i+1]) && digit(s[i+2]) && digit(s[i+3]) {
				b = append(b, (s[i+1]-'0')*100+(s[i+2]-'0')*10+s[i+3]-'0')
				i += 3
				continue
			}
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// fault notes why receivers stop. The first fault counts: they do not get to a second one.
func (s *senders) fault(kind string) {
	if s.spf.Fault == "" {
		s.spf.Fault = kind
	}
}

// everything is all addresses.
var everything = func() *netipx.IPSet {
	var b netipx.IPSetBuilder
	b.AddPrefix(netip.MustParsePrefix("0.0.0.0/0"))
	b.AddPrefix(netip.MustParsePrefix("::/0"))
	all, _ := b.IPSet() // of two valid prefixes
	return all
}()

// evaluate adds what the record of domain names, and returns the addresses that it allows. An
// address is decided by the first term that matches it (RFC 7208, Section 4.6.2).
func (s *senders) evaluate(r *spf.Record, domain string) *netipx.IPSet {
	s.stack = append(s.stack, domain)
	defer func() { s.stack = s.stack[:len(s.stack)-1] }()
	var pass, decided netipx.IPSetBuilder
	for i := range r.Directives {
		d := &r.Directives[i]
		matched := s.directive(d, domain)
		if s.spf.Fault == "" && d.Qualifier == '+' {
			pass.AddSet(minus(matched, &decided))
		}
		decided.AddSet(matched)
		if d.Mechanism == spf.All {
			return finished(&pass) // what follows is never reached (RFC 7208, Section 5.1)
		}
	}
	if r.Redirect != "" {
		s.count()
		target := s.include("redirect="+r.Redirect, r.Redirect, domain)
		if s.spf.Fault == "" {
			pass.AddSet(minus(target, &decided))
		}
	}
	return finished(&pass)
}

// minus returns what is in set and not in b.
func minus(set *netipx.IPSet, b *netipx.IPSetBuilder) *netipx.IPSet {
	var left netipx.IPSetBuilder
	left.AddSet(set)
	left.RemoveSet(finished(b))
	return finished(&left)
}

// finished returns the set of a builder, to which only valid prefixes and sets were added.
func finished(b *netipx.IPSetBuilder) *netipx.IPSet {
	set, err := b.IPSet()
	if err != nil {
		return &netipx.IPSet{}
	}
	return set
}

// directive adds what one directive names, and returns the addresses that match it.
func (s *senders) directive(d *spf.Directive, domain string) *netipx.IPSet {
	if d.Mechanism.Looks() {
		s.count()
	}
	switch d.Mechanism {
	case spf.All:
		return everything
	case spf.IP4, spf.IP6:
		s.network(d.Prefix, s.path(d.Text))
		var b netipx.IPSetBuilder
		b.AddPrefix(d.Prefix.Masked())
		return finished(&b)
	case spf.Include:
		return s.include(d.Text, d.Domain, domain)
	case spf.A:
		return s.hostsOf(d, domain)
	case spf.MX:
		return s.exchangers(d, domain)
	case spf.Exists:
		return s.exists(d, domain)
	case spf.PTR: // which names an address has is not known without it
		s.open(d.Text)
	}
	return &netipx.IPSet{}
}

// count counts a term that asks the DNS.
func (s *senders) count() {
	if s.spf.Lookups++; s.spf.Lookups > maxLookups {
		s.fault("permerror")
	}
}

// countVoid counts a question that has no answer.
func (s *senders) countVoid() {
	if s.spf.Void++; s.spf.Void > maxVoid {
		s.fault("permerror")
	}
}

// open notes a term that names no host without a message.
func (s *senders) open(term string) {
	s.spf.Open = append(s.spf.Open, strings.Join(append(s.via[:len(s.via):len(s.via)], term), " → "))
}

// expand returns the domain that a domain-spec names, if it names one.
func (s *senders) expand(term, spec, domain string) (string, bool) {
	if spec == "" {
		return domain, true
	}
	name, err := spf.Expand(spec, domain, s.domain.Name)
	if err != nil {
		s.open(term)
		return "", false
	}
	return name, true
}

// path is the way to what a term names.
func (s *senders) path(term string) Way {
	p := Way{Kind: KindSPF, Owner: s.domain.Name, Type: "TXT",
		Text: "spf " + strings.Join(append(s.via[:len(s.via):len(s.via)], term), " → ") + " of " + s.domain.Name}
	for _, domain := range s.stack {
		p.Foreign = p.Foreign || !below(domain, s.domain.Name)
	}
	return p
}
