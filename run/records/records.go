// Package records puts together what the records of mail domains say and what a scan shows: which
// hosts are targets, which of their ports are public, by which records they are found, and what is
// wrong.
package records

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"go4.org/netipx"
	"golang.org/x/sync/errgroup"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/domains/query"
	"github.com/mxsweep/mxsweep/domains/zonefile"
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A Lookup says which domains are looked up, and how.
type Lookup struct {
	Names    []string
	Resolver string     // HOST:PORT of the DNS server; "" is those of the system
	Scope    *scope.Set // what may be contacted
	Family   scope.Family

	// Zones are zone files, "ORIGIN=FILE" or "FILE" for that of the only domain: they answer what
	// they have in place of the DNS server, and their lines are the places of findings.
	Zones []string

	// Asker answers the questions in place of Resolver; nil unless a test sets it.
	Asker query.Asker
	// Log, if not nil, is told how far a long list is.
	Log func(format string, args ...any)
}

// Domains are the domains of a scan, what their records say, and what the scan saw of the ports that
// these declare. A nil Domains has none. It is not safe for concurrent use.
type Domains struct {
	found  []*domains.Domain
	scope  *scope.Set
	zones  *zonefile.Asker // nil without zone files
	family scope.Family
	ways   map[netip.Addr][]domains.Way
	ports  map[netip.Addr][]uint16         // which the records declare as public
	seen   map[netip.AddrPort]result.State // of ports that the records declare, and of port 25

	trusted bool                                 // TLSA records that the DNS authenticates were looked up
	open    map[netip.AddrPort]*exposure.Subject // the open ports that Judge compared with the records
}

// parallel is how many domains are looked up at once, each with one question at a time.
const parallel = 32

// ParseNames returns the canonical forms of domains, once each. All that are none are told at once.
func ParseNames(names []string) ([]string, error) {
	var list []string
	var errs []error
	for _, name := range names {
		ascii, err := domains.ToASCII(name)
		switch {
		case err != nil:
			errs = append(errs, fault.Usagef("give a domain such as example.org", "reading flag \"--domain\": %w", err))
		case !slices.Contains(list, ascii):
			list = append(list, ascii)
		}
	}
	return list, errors.Join(errs...)
}

// Look looks up the domains. What the DNS does not answer is no error; see [Domains.Gaps].
func Look(ctx context.Context, l Lookup) (*Domains, error) {
	w, err := l.walker()
	if err != nil {
		return nil, err
	}
	zones, err := zonefile.ReadAll(l.Zones, l.Names, w.Asker)
	if err != nil {
		return nil, err
	}
	if zones != nil {
		w.Asker = zones
	}
	found, err := w.All(ctx, l.Names, parallel, nil, l.progress())
	if err != nil {
		return nil, fault.As(fault.Failed, fmt.Errorf("looking up domains: %w", err))
	}
	d := &Domains{found: found, zones: zones, trusted: w.Trusted && zones == nil, scope: l.Scope, family: l.Family, ways: map[netip.Addr][]domains.Way{}, ports: map[netip.Addr][]uint16{}, seen: map[netip.AddrPort]result.State{}}
	for h, a := range d.own() {
		for _, way := range h.Paths {
			if !slices.Contains(d.ways[a], way) {
				d.ways[a] = append(d.ways[a], way)
			}
		}
		d.ports[a] = append(d.ports[a], publicPorts(h)...)
	}
	return d, nil
}

// walker returns the walker for the domains.
func (l *Lookup) walker() (*domains.Walker, error) {
	w := &domains.Walker{Asker: l.Asker,
		Classify: func(p netip.Prefix) bool { return l.Scope.AllowsRange(netipx.RangeOfPrefix(p)) }}
	if w.Asker != nil {
		w.Trusted = true
		return w, nil
	}
	client, err := query.System()
	if l.Resolver != "" {
		var server netip.AddrPort
		if server, err = netip.ParseAddrPort(l.Resolver); err == nil {
			client = query.Named(server)
		}
	}
	if err != nil {
		return nil, fault.Usagef("name a DNS server with --resolver", "%w", err)
	}
	w.Asker, w.Trusted = query.NewCache(client, parallel), client.Trusted
	return w, nil
}

// logEach is after how many domains Log is called.
const logEach = 100

// progress returns a function that tells Log how far the lookup is.
func (l *Lookup) progress() func(int) {
	return func(done int) {
		if l.Log != nil && done%logEach == 0 {
			l.Log("looked up %d of %d domains", done, len(l.Names))
		}
	}
}

// own yields the hosts of all domains with each of their addresses that may be contacted.
func (d *Domains) own() func(yield func(*domains.Host, netip.Addr) bool) {
	return func(yield func(*domains.Host, netip.Addr) bool) {
		for _, domain := range d.found {
			for _, h := range domain.Hosts {
				for _, a := range h.Addresses {
					if d.scope.Allows(a) && !yield(h, a) {
						return
					}
				}
			}
		}
	}
}

// publicPorts returns the ports that the paths to a host declare.
func publicPorts(h *domains.Host) []uint16 {
	var list []uint16
	for _, p := range h.Paths {
		if p.Port > 0 && p.Port <= 65535 && !slices.Contains(list, uint16(p.Port)) {
			list = append(list, uint16(p.Port))
		}
	}
	return list
}

// smtpPort is where mail is delivered (RFC 5321, Section 4.5.4.2). It is probed on each host of a
// domain, whatever the records declare.
const smtpPort = 25

// Targets returns the hosts of the domains that may be contacted, each with the ports of the run, and
// once more with those that the records declare.
func (d *Domains) Targets() []scope.Target {
	if d == nil {
		return nil
	}
	var list []scope.Target
	for h, a := range d.own() {
		text := h.Name
		if text == "" {
			text = a.String()
		}
		t := scope.Target{Ranges: []netipx.IPRange{netipx.IPRangeFrom(a, a)}, Name: h.Name, Anchor: result.Anchor{Text: text}}
		declared := t
		declared.Ports = scope.PortSetOf(append(publicPorts(h), smtpPort))
		list = append(list, t, declared)
	}
	return list
}

// Complete reports whether the DNS answered all questions about all domains.
func (d *Domains) Complete() bool {
	return d == nil || !slices.ContainsFunc(d.found, func(domain *domains.Domain) bool { return !domain.Complete() || missing(domain) })
}

// missing reports whether the domain does not exist.
func missing(d *domains.Domain) bool {
	return slices.ContainsFunc(d.Faults, func(f domains.Fault) bool { return f.ID == domains.NoSuchDomain })
}

// NamedBy returns the paths that lead to an address, in words.
func (d *Domains) NamedBy(a netip.Addr) []string {
	if d == nil {
		return nil
	}
	var list []string
	for _, way := range d.ways[a.Unmap()] {
		if !slices.Contains(list, way.Text) {
			list = append(list, way.Text)
		}
	}
	return list
}

// Add records the state of a port; a later one replaces it.
func (d *Domains) Add(r scan.Result) {
	if d == nil {
		return
	}
	at := netip.AddrPortFrom(r.Target.Addr().Unmap(), r.Target.Port())
	if at.Port() == smtpPort || slices.Contains(d.ports[at.Addr()], at.Port()) {
		d.seen[at] = r.State
	}
}

// Forget undoes Add for a port that is to be probed again.
func (d *Domains) Forget(pair netip.AddrPort) {
	if d != nil {
		delete(d.seen, netip.AddrPortFrom(pair.Addr().Unmap(), pair.Port()))
	}
}

// fetches is how many policies are fetched at once.
const fetches = 8

// Fetch fetches the policies of MTA-STS whose hosts may be contacted. What cannot be fetched is in the
// state of the policy.
func (d *Domains) Fetch(ctx context.Context, f domains.Fetcher) {
	if d == nil {
		return
	}
	var g errgroup.Group
	g.SetLimit(fetches)
	for _, domain := range d.found {
		g.Go(func() error {
			domain.FetchPolicy(ctx, f)
			return nil
		})
	}
	_ = g.Wait() // no function returns an error
}
