package scan

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"go4.org/netipx"

	"mxsweep/internal/pool"
)

// A Resolver finds the addresses of a host name. A *net.Resolver is one.
type Resolver interface {
	// LookupNetIP returns the addresses of host; network is "ip".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// lookups is how many names are looked up at once.
const lookups = 16

// A lookup is the outcome of one name's lookup.
type lookup struct {
	name  string
	addrs []netip.Addr
	err   error
}

// resolve fills in the addresses of every target that is a name. A name that
// has none gets an Err, or fails the whole if must is set. All addresses of a
// name are taken: a finding on any of them is the name's.
func (p *Parser) resolve(ctx context.Context, targets []Target, must bool) error {
	found := map[string]lookup{}
	var names []string
	for _, t := range targets {
		if _, ok := found[t.Name]; t.Name != "" && !ok {
			found[t.Name] = lookup{}
			names = append(names, t.Name)
		}
	}
	for l := range pool.Map(ctx, lookups, slices.Values(names), p.lookup) {
		found[l.name] = l
	}
	if err := ctx.Err(); err != nil && len(names) > 0 {
		return err
	}
	for i := range targets {
		t := &targets[i]
		if t.Name == "" {
			continue
		}
		l := found[t.Name]
		if l.err == nil {
			t.Ranges = rangesOf(l.addrs)
			continue
		}
		failed := &InputError{File: t.Anchor.File, Line: t.Anchor.Line, Text: t.Name,
			Problem: "the name does not resolve", Err: l.err,
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

// lookup finds the addresses of one name.
func (p *Parser) lookup(ctx context.Context, name string) lookup {
	wait := p.LookupTimeout
	if wait == 0 {
		wait = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var r Resolver = net.DefaultResolver
	if p.Resolver != nil {
		r = p.Resolver
	}
	addrs, err := r.LookupNetIP(ctx, "ip", name)
	var dns *net.DNSError
	if errors.As(err, &dns) {
		err = errors.New(dns.Err) // the name is in our message already
	}
	out := lookup{name: name, err: err}
	for _, a := range addrs {
		if a = a.Unmap(); a.Zone() == "" && !never.Contains(a) {
			out.addrs = append(out.addrs, a)
		}
	}
	if err == nil && len(out.addrs) == 0 {
		out.err = errors.New("no usable address")
	}
	return out
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
