// Package names finds the addresses of host names, and says why there are none.
package names

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"
	"golang.org/x/sync/errgroup"
)

// A Resolver finds the addresses of a host name. A *net.Resolver is one; with
// StrictErrors set it never returns a partial answer as a complete one.
type Resolver interface {
	// LookupNetIP returns the addresses of host; network is "ip4" or "ip6". Addresses
	// of the other family are ignored. A *net.DNSError with IsNotFound set says that
	// host has none of that family; an [*AbsentError] also says why.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// An Error says why a name has no addresses, or not all of them.
type Error struct {
	Name   string
	Reason string // which lookup failed and how: "AAAA: SERVFAIL"
}

// Error returns the reason, which does not contain the name.
func (e *Error) Error() string { return e.Reason }

// An Answer is the result of all lookups of a name.
type Answer struct {
	// Ranges are its addresses, one range each, sorted and without duplicates.
	Ranges []netipx.IPRange

	// Unusable are its other addresses, sorted: those that [Lookups].Usable rejects,
	// link-local ones with a zone, and, if there are usable addresses, the IPv4-mapped
	// ones of AAAA records.
	Unusable []netip.Addr

	// Err says that a lookup failed, or that there is no address. It is nil if all
	// lookups succeeded.
	Err *Error
}

// lookups is how many questions are sent at once.
const lookups = 32

// lookupTimeout is the default time limit of one answer: the system's resolver sends
// each question twice and waits 5 seconds each time, and one lost datagram is no
// failure.
const lookupTimeout = 12 * time.Second

// Lookups are the settings of name lookups.
type Lookups struct {
	// Resolver is used for lookups. If nil, a [DNS] is used.
	Resolver Resolver

	// Networks are the address families to look up: "ip4", "ip6" or both.
	Networks []string

	// Timeout is the time limit for the addresses of one family of one name. If zero,
	// it is 12 seconds.
	Timeout time.Duration

	// Usable reports whether an address, which has no zone and is not IPv4-mapped, can
	// belong to a host.
	Usable func(netip.Addr) bool
}

// Of looks names up, several at once, and returns the answer for each. All addresses
// of a name are used. It fails only if ctx ends before all lookups have ended.
func (l *Lookups) Of(ctx context.Context, names iter.Seq[string]) (map[string]Answer, error) {
	found := map[string][]lookup{}
	var questions []question
	for name := range names {
		if found[name] != nil {
			continue
		}
		found[name] = []lookup{}
		for _, network := range l.Networks {
			questions = append(questions, question{network, name})
		}
	}
	outcomes := make([]lookup, len(questions))
	group := new(errgroup.Group)
	group.SetLimit(lookups)
	for i, q := range questions {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { outcomes[i] = l.ask(ctx, q); return nil })
	}
	_ = group.Wait() // each lookup contains its error
	if err := ctx.Err(); err != nil && len(questions) > 0 {
		return nil, err
	}
	for _, got := range outcomes {
		found[got.name] = append(found[got.name], got)
	}
	answers := make(map[string]Answer, len(found))
	for name, list := range found {
		answers[name] = answerOf(name, list)
	}
	return answers, nil
}

// A question is one name and one address family.
type question struct{ network, name string }

// A lookup is the result of a question.
type lookup struct {
	question
	addrs    []netip.Addr
	unusable []netip.Addr // addresses that no single host has, or link-local ones of unknown link
	mapped   []netip.Addr // IPv4-mapped ones in AAAA records
	absent   string       // "NXDOMAIN" or "NODATA" if known
	misfit   bool         // the addresses are of the other family, like ::ffff:192.0.2.1 in an AAAA record
	err      error        // any error but NXDOMAIN and NODATA
}

// ask looks up one question.
func (l *Lookups) ask(ctx context.Context, q question) lookup {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(l.Timeout, lookupTimeout))
	defer cancel()
	var r Resolver = &DNS{}
	if l.Resolver != nil {
		r = l.Resolver
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
		case a.Zone() != "" || !l.Usable(a):
			out.unusable = append(out.unusable, a)
		default:
			out.addrs = append(out.addrs, a)
		}
	}
	return out
}

// noAddress reports whether err says that a name has no address of the requested
// family: NXDOMAIN or NODATA (RFC 2308, Section 2). A name of the hosts file with
// addresses of the other family only gives a *net.AddrError, as do AAAA records with
// nothing but IPv4-mapped addresses (RFC 4291, Section 2.5.5.2).
func noAddress(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	return errors.As(err, new(*net.AddrError))
}

// answerOf combines the lookups of a name.
func answerOf(name string, list []lookup) Answer {
	slices.SortFunc(list, func(a, b lookup) int { return strings.Compare(a.network, b.network) })
	var a Answer
	var addrs, mapped []netip.Addr
	var reasons, misfits []string
	for _, l := range list {
		addrs = append(addrs, l.addrs...)
		a.Unusable = append(a.Unusable, l.unusable...)
		mapped = append(mapped, l.mapped...)
		if l.misfit {
			misfits = append(misfits, recordType(l.network)+" gives "+otherFamily(l.network)+" only")
		}
		if l.err != nil {
			reasons = append(reasons, lookupReason(l.err))
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	for _, addr := range slices.Compact(addrs) {
		a.Ranges = append(a.Ranges, netipx.IPRangeFrom(addr, addr))
	}
	if len(addrs) > 0 {
		a.Unusable = append(a.Unusable, mapped...)
	}
	slices.SortFunc(a.Unusable, netip.Addr.Compare)
	a.Unusable = slices.Compact(a.Unusable)
	switch {
	case len(reasons) == 2 && reasons[0] == reasons[1]:
		a.Err = &Error{Name: name, Reason: "A and AAAA: " + reasons[0]}
	case len(reasons) > 0:
		for i, l := range slices.DeleteFunc(list, func(l lookup) bool { return l.err == nil }) {
			reasons[i] = recordType(l.network) + ": " + reasons[i]
		}
		a.Err = &Error{Name: name, Reason: strings.Join(reasons, ", ")}
	case len(addrs) == 0 && len(a.Unusable) > 0:
		a.Err = &Error{Name: name, Reason: "no usable address, only " + a.Unusable[0].String()}
	case len(addrs) == 0 && len(misfits) > 0:
		a.Err = &Error{Name: name, Reason: "no usable address, " + strings.Join(misfits, ", ")}
	case len(addrs) == 0:
		a.Err = &Error{Name: name, Reason: absence(list)}
	}
	return a
}

// absence says why there is no address although no lookup failed. For names of the
// hosts file, and with the resolvers of some systems, the cause is unknown.
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

// recordType is the type of DNS record for the addresses of a family.
func recordType(network string) string {
	if network == "ip6" {
		return "AAAA"
	}
	return "A"
}

// otherFamily is the address family that an answer to a question must not have.
func otherFamily(network string) string {
	if network == "ip6" {
		return "IPv4 addresses"
	}
	return "IPv6 addresses"
}

// lookupReason describes briefly how a lookup failed.
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
		return "SERVFAIL" // the only response code that the net package reports like this
	case dns.Err == "server misbehaving":
		return "REFUSED, or another error of the server"
	}
	return dns.Err // the name is already in our message
}
