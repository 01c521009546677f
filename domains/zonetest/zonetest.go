// Package zonetest has the DNS of tests: records in the syntax of zone files, and names that fail.
package zonetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/domains/query"
)

// A Zone is what a DNS server of a test knows.
type Zone struct {
	// Secure reports whether answers are authenticated.
	Secure  bool
	records map[string][]dns.RR      // by name
	faults  map[string]query.Outcome // the names that fail
}

// New reads the records of text; names without a dot at the end are below example.org. Lines of the
// form "!NAME OUTCOME", such as "!example.org SERVFAIL", are names that fail.
func New(text string) (*Zone, error) {
	z := &Zone{records: map[string][]dns.RR{}, faults: map[string]query.Outcome{}}
	var file strings.Builder
	for line := range strings.Lines(text) {
		if fault, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			name, outcome, _ := strings.Cut(fault, " ")
			for o := query.Found; o <= query.Limit; o++ {
				if o.String() == outcome {
					z.faults[dns.CanonicalName(name)] = o
				}
			}
			if z.faults[dns.CanonicalName(name)] == 0 {
				return nil, fmt.Errorf("no such outcome: %q", outcome)
			}
			continue
		}
		file.WriteString(strings.TrimSpace(line) + "\n")
	}
	p := dns.NewZoneParser(strings.NewReader(file.String()), "example.org.", "")
	p.SetDefaultTTL(60)
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		name := dns.CanonicalName(rr.Header().Name)
		z.records[name] = append(z.records[name], rr)
	}
	return z, p.Err()
}

// Ask implements [query.Asker].
func (z *Zone) Ask(ctx context.Context, name string, qtype uint16) (*query.Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a := &query.Answer{Name: dns.CanonicalName(name), Type: qtype, Outcome: query.NXDomain, Authenticated: z.Secure}
	for range 10 {
		owner := a.Owner()
		if o := z.faults[owner]; o != 0 {
			a.Outcome = o
			return a, nil
		}
		a.Outcome = query.NXDomain
		alias := ""
		for _, rr := range z.records[owner] {
			a.Outcome = query.NoData
			if rr.Header().Rrtype == qtype {
				a.Records = append(a.Records, rr)
			} else if c, ok := rr.(*dns.CNAME); ok {
				alias = dns.CanonicalName(c.Target)
			}
		}
		if len(a.Records) > 0 {
			a.Outcome = query.Found
			return a, nil
		}
		if alias == "" {
			return a, nil
		}
		a.Aliases = append(a.Aliases, alias)
	}
	a.Outcome = query.Loop
	return a, nil
}

// ServeDNS implements [dns.Handler]: it replies as a recursive server does.
func (z *Zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	reply := new(dns.Msg).SetReply(q)
	reply.RecursionAvailable = true
	defer func() { _ = w.WriteMsg(reply) }()
	if len(q.Question) != 1 {
		reply.Rcode = dns.RcodeFormatError
		return
	}
	a, err := z.Ask(context.Background(), q.Question[0].Name, q.Question[0].Qtype)
	if err != nil {
		return
	}
	reply.AuthenticatedData = a.Authenticated
	owner := a.Name
	for _, alias := range a.Aliases {
		reply.Answer = append(reply.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 60}, Target: alias})
		owner = alias
	}
	reply.Answer = append(reply.Answer, a.Records...)
	switch a.Outcome {
	case query.Found, query.NoData:
	case query.NXDomain:
		reply.Rcode = dns.RcodeNameError
	case query.Refused:
		reply.Rcode = dns.RcodeRefused
	default:
		reply.Rcode = dns.RcodeServerFailure
	}
}
