package zonefile

import (
	"context"
	"strings"
	"unicode/utf16"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/domains/query"
	"github.com/mxsweep/mxsweep/result"
)

// An Asker answers what its zones have, and passes on all other questions.
type Asker struct {
	Zones []*Zone
	Next  query.Asker
}

// maxAliases is how many CNAME records of an answer are followed, in the zones and behind them.
const maxAliases = 16

// Ask implements [query.Asker]. Nothing in a file is authenticated.
func (a *Asker) Ask(ctx context.Context, name string, qtype uint16) (*query.Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	answer := &query.Answer{Name: dns.CanonicalName(name), Type: qtype}
	for len(answer.Aliases) <= maxAliases {
		z := a.zone(answer.Owner())
		if z == nil {
			return a.pass(ctx, answer)
		}
		alias := z.look(answer)
		if alias == "" {
			return answer, nil
		}
		answer.Aliases = append(answer.Aliases, alias)
	}
	answer.Outcome = query.Loop
	return answer, nil
}

// pass asks for what is at the end of the aliases of a zone.
func (a *Asker) pass(ctx context.Context, answer *query.Answer) (*query.Answer, error) {
	if len(answer.Aliases) == 0 {
		return a.Next.Ask(ctx, answer.Name, answer.Type)
	}
	rest, err := a.Next.Ask(ctx, answer.Owner(), answer.Type)
	if err != nil {
		return nil, err
	}
	all := *rest
	all.Name, all.Authenticated = answer.Name, false
	all.Aliases = append(answer.Aliases, rest.Aliases...)
	return &all, nil
}

// zone returns the zone with the longest origin that has the name and delegates it to no other server;
// nil if none has.
func (a *Asker) zone(name string) *Zone {
	var best *Zone
	for _, z := range a.Zones {
		if dns.IsSubDomain(z.Origin, name) && !z.delegates(name) && (best == nil || len(z.Origin) > len(best.Origin)) {
			best = z
		}
	}
	return best
}

// delegates reports whether NS records below the origin say that other servers have the name (RFC 1034,
// Section 4.2.1).
func (z *Zone) delegates(name string) bool {
	for name != z.Origin {
		for _, r := range z.records[name] {
			if r.Header().Rrtype == dns.TypeNS {
				return true
			}
		}
		next, end := dns.NextLabel(name, 0)
		if end {
			return false
		}
		name = name[next:]
	}
	return false
}

// look takes the records of the owner of the answer, and returns the name of which it is an alias, "" if
// it is none.
func (z *Zone) look(answer *query.Answer) (alias string) {
	if alias = z.redirected(answer.Owner()); alias != "" {
		return alias
	}
	owner := z.source(answer.Owner())
	answer.Outcome = query.NXDomain
	if owner == "" {
		return ""
	}
	answer.Outcome = query.NoData
	for _, r := range z.records[owner] {
		if r.Header().Rrtype == answer.Type {
			answer.Records, answer.Outcome = append(answer.Records, r.RR), query.Found
		} else if c, ok := r.RR.(*dns.CNAME); ok {
			alias = dns.CanonicalName(c.Target)
		}
	}
	if answer.Outcome == query.Found {
		return ""
	}
	return alias
}

// redirected returns the name to which a DNAME record above a name leads; "" if there is none (RFC 6672,
// Section 2.2).
func (z *Zone) redirected(name string) string {
	for above := name; above != z.Origin; {
		next, end := dns.NextLabel(above, 0)
		if end {
			return ""
		}
		above = above[next:]
		for _, r := range z.records[above] {
			if d, ok := r.RR.(*dns.DNAME); ok {
				return strings.TrimSuffix(name, above) + strings.TrimPrefix(dns.CanonicalName(d.Target), ".")
			}
		}
	}
	return ""
}

// source returns the owner of the records of a name: the name itself, or the wildcard below its closest
// name that exists (RFC 4592, Section 3.3.1); "" if the name does not exist.
func (z *Zone) source(name string) string {
	if z.exist[name] {
		return name
	}
	for encloser := name; ; {
		next, end := dns.NextLabel(encloser, 0)
		if end {
			return ""
		}
		if encloser = encloser[next:]; z.exist[encloser] {
			if wildcard := "*." + encloser; z.exist[wildcard] {
				return wildcard
			}
			return ""
		}
		if encloser == z.Origin {
			return ""
		}
	}
}

// Find returns the line of a record of a type, such as "MX", at an owner: of several, the first one in
// which the text about occurs, else the first one. It is nil if no zone has any.
func (a *Asker) Find(owner, recordType, about string) *result.Anchor {
	if a == nil {
		return nil
	}
	owner = dns.CanonicalName(owner)
	z := a.zone(owner)
	if z == nil {
		return nil
	}
	best := 0
	for _, r := range z.records[z.source(owner)] {
		if r.Header().Rrtype != dns.StringToType[recordType] {
			continue
		}
		if strings.Contains(strings.ToLower(r.String()), strings.ToLower(about)) {
			return z.anchor(r.Line)
		}
		if best == 0 {
			best = r.Line
		}
	}
	if best == 0 {
		return nil
	}
	return z.anchor(best)
}

// anchor returns a line, for reports.
func (z *Zone) anchor(line int) *result.Anchor {
	if line > len(z.lines) {
		return nil
	}
	text := strings.TrimRight(z.lines[line-1], " \t\r")
	shown := strings.TrimLeft(text, " \t")
	return &result.Anchor{File: z.File, Line: line, Column: len(text) - len(shown) + 1, EndColumn: len(utf16.Encode([]rune(text))) + 1, Text: shown}
}
