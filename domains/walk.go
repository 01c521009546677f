package domains

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"

	"github.com/mxsweep/mxsweep/domains/query"
)

// MaxQuestions is how many questions are asked about one domain.
const MaxQuestions = 100

// A Walker walks through the records of domains. Several goroutines may use it.
type Walker struct {
	Asker query.Asker
	// Trusted reports whether the AD bit of the server can be trusted: it validates, and nobody
	// is between it and this program (RFC 4035, Section 4.9.3). Else nothing is authenticated.
	Trusted bool
	// MaxQuestions limits the questions about one domain; 0 means [MaxQuestions].
	MaxQuestions int
	// Fetch returns the documents that a domain offers over HTTPS; nil means that none is fetched.
	Fetch Fetcher
	// Classify decides which hosts are one's own; nil leaves it to the names.
	Classify Classifier
}

// A walk is the way through the records of one domain.
type walk struct {
	*Walker
	ctx    context.Context
	ask    *query.Budget
	domain *Domain
	hosts  map[string]*Host // by name in canonical form; those that have none by their address
	gaps   map[Gap]bool
	err    error // of ctx
}

// Walk returns what the DNS says of the domain. An error is one of the name, or the cause of the
// end of ctx; what the DNS does not say is among the gaps.
func (w *Walker) Walk(ctx context.Context, name string) (*Domain, error) {
	ascii, err := ToASCII(name)
	if err != nil {
		return nil, err
	}
	most := cmp.Or(w.MaxQuestions, MaxQuestions)
	d := &Domain{Name: ascii, Hosts: []*Host{}, Networks: []*Network{}, Faults: []Fault{}, Gaps: []Gap{}}
	k := &walk{Walker: w, ctx: ctx, domain: d, ask: &query.Budget{Asker: w.Asker, Most: most},
		hosts: map[string]*Host{}, gaps: map[Gap]bool{}}
	k.mail()
	k.spf()
	k.services()
	k.automatic()
	k.mtasts()
	k.tlsrpt()
	k.dmarc()
	k.dane()
	k.finish()
	return d, k.err
}

// ToASCII returns the canonical form of a domain name, without the dot at the end: lower case, and
// labels that are not ASCII as A-labels (RFC 5891, Section 4). It accepts underscores.
func ToASCII(name string) (string, error) {
	if _, err := netip.ParseAddr(name); err == nil {
		return "", fmt.Errorf("domain %q: an address, not a domain name", name)
	}
	ascii, err := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false)).ToASCII(strings.TrimSuffix(name, "."))
	if err != nil {
		return "", fmt.Errorf("domain %q: %w", name, err)
	}
	if _, ok := dns.IsDomainName(ascii); !ok || ascii == "" || strings.ContainsAny(ascii, "\\\"();@$/:") || strings.ContainsFunc(ascii, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return "", fmt.Errorf("domain %q: not a domain name", name)
	}
	return ascii, nil
}

// lookup asks a question. An answer that does not say what the DNS contains leaves a gap. If the
// walk is to end, it returns an answer without records.
func (k *walk) lookup(name string, qtype uint16, purpose string) *query.Answer {
	if k.err == nil {
		a, err := k.ask.Ask(k.ctx, name, qtype)
		if err == nil {
			if !a.Outcome.Known() {
				k.gap(newGap(a, purpose))
			}
			return a
		}
		k.err = err
	}
	return &query.Answer{Name: dns.CanonicalName(name), Type: qtype, Outcome: query.Limit}
}

// gap notes a gap once.
func (k *walk) gap(g Gap) {
	if !k.gaps[g] {
		k.gaps[g] = true
		k.domain.Gaps = append(k.domain.Gaps, g)
	}
}

// wrong notes a fault of the records of owner once.
func (k *walk) wrong(id, owner string, qtype uint16, format string, args ...any) {
	k.domain.wrong(id, "", owner, qtype, format, args...)
}

// wrong notes a fault of the records of owner, and of a host if it is about one, once.
func (d *Domain) wrong(id, host, owner string, qtype uint16, format string, args ...any) {
	n := Fault{ID: id, Text: fmt.Sprintf(format, args...), Host: host, Owner: display(owner), Type: typeName(qtype)}
	if !slices.Contains(d.Faults, n) {
		d.Faults = append(d.Faults, n)
	}
}

// finish sorts what belongs to no order of the records.
func (k *walk) finish() {
	k.domain.Questions = k.ask.Asked()
	for _, h := range k.domain.Hosts {
		slices.Sort(h.Ports)
		h.Ports = slices.Compact(h.Ports)
	}
	k.classify(k.domain)
}

// display is a name as people write it: without the dot at the end. The root stays a dot.
func display(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// typeName is the name of a record type, such as "MX".
func typeName(qtype uint16) string {
	return cmp.Or(dns.TypeToString[qtype], fmt.Sprintf("TYPE%d", qtype))
}
