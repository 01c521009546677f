package scope

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/internal/pool"
)

// A Resolver finds the addresses of a host name. A *net.Resolver is one; with
// StrictErrors set it never passes half an answer off as a whole one.
type Resolver interface {
	// LookupNetIP returns the addresses of host; network is "ip4" or "ip6".
	// Addresses of the other family are ignored. A *net.DNSError with
	// IsNotFound set says that host has none of that family, an [*AbsentError]
	// also why.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// A LookupError says why a name has no addresses, or not all of them.
type LookupError struct {
	Name   string
	Reason string // which lookup failed and how: "AAAA: SERVFAIL"
}

// Error gives the reason, which does not hold the name.
func (e *LookupError) Error() string { return e.Reason }

// lookups is how many questions are asked at once.
const lookups = 32

// lookupTimeout is how long to wait for one answer by default: the system's
// resolver asks twice with 5 seconds each, and one lost datagram is no failure.
const lookupTimeout = 12 * time.Second

// A question is one name with one family of addresses.
type question struct{ network, name string }

// A lookup is the outcome of a question.
type lookup struct {
	question
	addrs    []netip.Addr
	unusable []netip.Addr // addresses that no single host has, or link-local ones, whose link is not known
	mapped   []netip.Addr // IPv4-mapped ones in AAAA records
	absent   string       // "NXDOMAIN" or "NODATA" where that is known
	misfit   bool         // what was found is of the other family, like ::ffff:192.0.2.1 in an AAAA record
	err      error        // anything but an answer, NXDOMAIN or NODATA
}

// An answer is what is known of a name after all of its lookups.
type answer struct {
	ranges   []netipx.IPRange
	unusable []netip.Addr // sorted
	err      *LookupError // some lookup failed, or there is no address
}

// resolve fills in the addresses of every target that is a name. A name of
// which any lookup failed, or that has no address, gets an Err, or fails the
// whole if must is set. All addresses of a name are taken: a finding on any of
// them is the name's. Each name is looked up once in the life of p, so that the
// scope, the targets and the excludes of a run see the same addresses.
func (p *Parser) resolve(ctx context.Context, targets []Target, must bool) error {
	if err := p.lookUp(ctx, targets); err != nil {
		return err
	}
	for i := range targets {
		t := &targets[i]
		if t.Name == "" {
			continue
		}
		a := p.answers[t.Name]
		t.Ranges, t.Unusable = a.ranges, a.unusable
		if a.err == nil {
			continue
		}
		failed := &InputError{File: t.Anchor.File, Line: t.Anchor.Line, Text: t.Name,
			Problem: "the name does not resolve", Err: a.err,
			Advice: "check the spelling and the resolver, or write the address"}
		if t.Anchor.EndColumn > 0 {
			failed.Column = t.Anchor.EndColumn - len(t.Anchor.Text)
		}
		if must {
			failed.Problem = "the excluded name does not resolve"
			return failed
		}
		t.Err = failed
	}
	return nil
}

// lookUp asks for the names of targets that were not asked for before.
func (p *Parser) lookUp(ctx context.Context, targets []Target) error {
	if p.answers == nil {
		p.answers = map[string]answer{}
	}
	found := map[string][]lookup{}
	var questions []question
	for _, t := range targets {
		if _, known := p.answers[t.Name]; known || t.Name == "" || found[t.Name] != nil {
			continue
		}
		found[t.Name] = []lookup{}
		for _, network := range p.Family.networks() {
			questions = append(questions, question{network, t.Name})
		}
	}
	for l := range pool.Map(ctx, lookups, slices.Values(questions), p.lookup) {
		found[l.name] = append(found[l.name], l)
	}
	if err := ctx.Err(); err != nil && len(questions) > 0 {
		return err
	}
	for name, list := range found {
		p.answers[name] = answerOf(name, list)
	}
	return nil
}

// lookup asks one question.
func (p *Parser) lookup(ctx context.Context, q question) lookup {
	wait := p.LookupTimeout
	if wait == 0 {
		wait = lookupTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var r Resolver = &DNS{}
	if p.Resolver != nil {
		r = p.Resolver
	}
	addrs, err := r.LookupNetIP(ctx, q.network, q.name)
	out := lookup{question: q, misfit: errors.As(err, new(*net.AddrError))}
	if absent := new(AbsentError); errors.As(err, &absent) {
		out.absent = absent.Error()
	}
	if err != nil && !noAddress(err) {
		out.err = err
		return out
	}
	for _, a := range addrs {
		if a.Is4In6() && q.network == "ip6" {
			out.mapped = append(out.mapped, a)
		}
		a = a.Unmap()
		switch {
		case a.Is4() != (q.network == "ip4"):
			out.misfit = true
		case a.Zone() != "" || never.Contains(a):
			out.unusable = append(out.unusable, a)
		default:
			out.addrs = append(out.addrs, a)
		}
	}
	return out
}

// noAddress reports whether err says that a name has no address of the family
// asked for: NXDOMAIN or NODATA (RFC 2308, Section 2). A name of the hosts file with addresses of the other
// family alone gives a *net.AddrError, as do AAAA records with nothing but
// IPv4-mapped addresses (RFC 4291, Section 2.5.5.2).
func noAddress(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	return errors.As(err, new(*net.AddrError))
}

// answerOf puts the lookups of a name together.
func answerOf(name string, list []lookup) answer {
	slices.SortFunc(list, func(a, b lookup) int { return strings.Compare(a.network, b.network) })
	var a answer
	var addrs []netip.Addr
	var mapped []netip.Addr
	var reasons, misfits []string
	for _, l := range list {
		addrs = append(addrs, l.addrs...)
		a.unusable = append(a.unusable, l.unusable...)
		mapped = append(mapped, l.mapped...)
		if l.misfit {
			misfits = append(misfits, recordType(l.network)+" gives "+otherFamily(l.network)+" only")
		}
		if l.err != nil {
			reasons = append(reasons, lookupReason(l.err))
		}
	}
	a.ranges = rangesOf(addrs)
	if len(addrs) > 0 {
		a.unusable = append(a.unusable, mapped...)
	}
	slices.SortFunc(a.unusable, netip.Addr.Compare)
	a.unusable = slices.Compact(a.unusable)
	switch {
	case len(reasons) == 2 && reasons[0] == reasons[1]:
		a.err = &LookupError{Name: name, Reason: "A and AAAA: " + reasons[0]}
	case len(reasons) > 0:
		for i, l := range slices.DeleteFunc(list, func(l lookup) bool { return l.err == nil }) {
			reasons[i] = recordType(l.network) + ": " + reasons[i]
		}
		a.err = &LookupError{Name: name, Reason: strings.Join(reasons, ", ")}
	case len(addrs) == 0 && len(a.unusable) > 0:
		a.err = &LookupError{Name: name, Reason: "no usable address, only " + a.unusable[0].String()}
	case len(addrs) == 0 && len(misfits) > 0:
		a.err = &LookupError{Name: name, Reason: "no usable address, " + strings.Join(misfits, ", ")}
	case len(addrs) == 0:
		a.err = &LookupError{Name: name, Reason: absence(list)}
	}
	return a
}

// absence says why there is no address where no lookup failed. A name of the
// hosts file, and the resolvers of some systems, do not tell.
func absence(list []lookup) string {
	var types, each []string
	same := true
	for _, l := range list {
		types = append(types, recordType(l.network))
		each = append(each, recordType(l.network)+": "+l.absent)
		same = same && l.absent == list[0].absent
	}
	none := "no " + strings.Join(types, " and no ") + " record"
	switch {
	case slices.ContainsFunc(list, func(l lookup) bool { return l.absent == "" }):
		return "NXDOMAIN, or " + none
	case !same: // a server that breaks RFC 8020
		return strings.Join(each, ", ")
	case list[0].absent == "NODATA":
		return "NODATA: the name exists, with " + none
	}
	return list[0].absent
}

// recordType is the type of record that holds the addresses of a family.
func recordType(network string) string {
	if network == "ip6" {
		return "AAAA"
	}
	return "A"
}

// otherFamily is what the answer to a question must not hold.
func otherFamily(network string) string {
	if network == "ip6" {
		return "IPv4 addresses"
	}
	return "IPv6 addresses"
}

// lookupReason says in a few words how a lookup failed.
func lookupReason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case !errors.As(err, &dns):
		return err.Error()
	case dns.IsTimeout:
		return "timeout"
	case dns.Err == "server misbehaving" && dns.IsTemporary:
		return "SERVFAIL" // the only response code for which the net package says so
	case dns.Err == "server misbehaving":
		return "REFUSED, or another error of the server"
	}
	return dns.Err // the name is in our message already
}

// rangesOf makes a range of each address, sorted and without repeats.
func rangesOf(addrs []netip.Addr) []netipx.IPRange {
	addrs = slices.Clone(addrs)
	slices.SortFunc(addrs, netip.Addr.Compare)
	var out []netipx.IPRange
	for _, a := range slices.Compact(addrs) {
		out = append(out, netipx.IPRangeFrom(a, a))
	}
	return out
}
