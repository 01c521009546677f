package syn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"go4.org/netipx"
	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A planner finds the route to each address of a Space.
type planner struct {
	netlink *rawnet.Netlink
	links   map[int]rawnet.Link
	only    int // index of the interface that must be used; 0 is any
	scope   *scope.Set
	starts  map[bool][]netip.Addr // by whether it is IPv6: where parts with the same route begin
	asked   int                   // routes
	known   map[netip.Addr]way    // the routes of parts, once many were requested
	hops    map[rawnet.Route]*hop
	refused map[string]*hop // by reason
	out     []rawnet.Link   // interfaces in use, in the numbering of the hops
	local   netipx.IPSetBuilder
	locals  bool
}

func newPlanner(n *rawnet.Netlink, c *Config) (*planner, error) {
	p := &planner{netlink: n, scope: c.Scope, hops: map[rawnet.Route]*hop{}, refused: map[string]*hop{}, starts: map[bool][]netip.Addr{}, known: map[netip.Addr]way{}}
	var err error
	if p.links, err = n.Links(); err != nil {
		return nil, err
	}
	if c.Interface != "" {
		for _, l := range p.links {
			if l.Name == c.Interface {
				p.only = l.Index
			}
		}
		if p.only == 0 {
			return nil, fault.Hintf("omit it: the routing table has the interface", "looking for interface %q: there is no such interface", c.Interface)
		}
	}
	return p, nil
}

// plan makes the view of a Space. Addresses of this machine itself are a LocalError.
func (p *planner) plan(space *scope.Space) (*view, error) {
	v := newViewer(space)
	for r, ports := range space.Ranges() {
		parts, err := p.split(r)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			if err := v.add(part, ports, func() (*hop, error) { return p.hop(part) }); err != nil {
				return nil, err
			}
		}
	}
	for i := range v.ranges {
		q := &v.ranges[i]
		q.allowed = p.scope.AllowsRange(netipx.IPRangeFrom(q.first, q.last))
	}
	if p.locals {
		set, err := p.local.IPSet()
		if err != nil {
			return nil, fmt.Errorf("adding up this machine's addresses: %w", err)
		}
		return nil, fault.Hintf("scan these addresses with full connections", "%w", &LocalError{Ranges: set.Ranges()})
	}
	if len(p.out) == 0 && len(v.ranges) > 0 {
		advice := "see the output of `ip route get`"
		if v.ranges[0].first.Is6() {
			advice = "if there is no IPv6 route, use -4; " + advice
		}
		return nil, fault.Hintf(advice, "looking for a route to %v: %w", v.ranges[0].first, v.ranges[0].hop.err)
	}
	return &v.view, nil
}

// split cuts a range into parts with the same route.
func (p *planner) split(r netipx.IPRange) ([]netipx.IPRange, error) {
	v6 := r.From().Is6()
	starts, ok := p.starts[v6]
	if !ok {
		cuts, err := p.netlink.Prefixes(v6)
		if err != nil {
			return nil, err
		}
		starts = startsOf(cuts)
		p.starts[v6] = starts
	}
	return cut(r, starts), nil
}

// A way is an answer of the kernel.
type way struct {
	rawnet.Route
	err error
}

// maxRoutes is how many routes are requested one by one. In a longer list, each part
// with the same route is requested once.
const maxRoutes = 1 << 12

// route returns the route of the addresses from a on that have the same one.
func (p *planner) route(a netip.Addr) (rawnet.Route, error) {
	if p.asked++; p.asked <= maxRoutes {
		return p.netlink.Route(a, p.only)
	}
	part := netip.IPv4Unspecified() // the first address of its family with the same route
	if a.Is6() {
		part = netip.IPv6Unspecified()
	}
	if i := behind(p.starts[a.Is6()], a); i > 0 {
		part = p.starts[a.Is6()][i-1]
	}
	w, ok := p.known[part]
	if !ok {
		w.Route, w.err = p.netlink.Route(a, p.only)
		p.known[part] = w
	}
	return w.Route, w.err
}

// hop returns how the addresses of r, which have the same route, are reached.
func (p *planner) hop(r netipx.IPRange) (*hop, error) {
	way, err := p.route(r.From())
	var errno unix.Errno
	switch {
	case errors.As(err, &errno):
		return p.refuse("no route: "+errno.Error(), result.ReasonNetUnreach, fmt.Errorf("routing: %w", errno)), nil
	case err != nil:
		return nil, fmt.Errorf("looking up the route to %q: %w", r.From(), err)
	case p.loops(way):
		p.local.AddRange(r)
		p.locals = true
		return p.refuse("local", result.ReasonUnknown, errors.New("an address of this machine")), nil
	case way.Type != unix.RTN_UNICAST:
		return p.refuse("not unicast", result.ReasonNetUnreach, errors.New("a broadcast or multicast address here")), nil
	}
	if h, ok := p.hops[way]; ok {
		return h, nil
	}
	h, err := p.through(way)
	if err != nil {
		return nil, err
	}
	p.hops[way] = h
	return h, nil
}

// loops reports whether a route leads back to this machine.
func (p *planner) loops(way rawnet.Route) bool {
	return way.Type == unix.RTN_LOCAL || p.links[way.Link].Hardware == unix.ARPHRD_LOOPBACK
}

// isLocal adds the addresses of r, which have the same route, to the local ones if
// they belong to this machine.
func (p *planner) isLocal(r netipx.IPRange) error {
	way, err := p.route(r.From())
	var errno unix.Errno
	if err != nil && !errors.As(err, &errno) {
		return fmt.Errorf("looking up the route to %q: %w", r.From(), err)
	}
	if err == nil && p.loops(way) {
		p.local.AddRange(r)
	}
	return nil
}

// refuse returns the hop of addresses that cannot be probed.
func (p *planner) refuse(key string, reason result.Reason, err error) *hop {
	if p.refused[key] == nil {
		p.refused[key] = &hop{err: err, reason: reason}
	}
	return p.refused[key]
}

// through checks the interface of a route. The template does not have the hardware
// address of the next hop yet.
func (p *planner) through(way rawnet.Route) (*hop, error) {
	l := p.links[way.Link]
	if !l.Up {
		return nil, fault.Hintf(fmt.Sprintf("`ip link set %s up`", l.Name), "using interface %q: it is down", l.Name)
	}
	if !way.Source.IsValid() {
		return nil, fault.Hintf("assign one, or omit --mode syn", "using interface %q: it has no address to send from", l.Name)
	}
	h := newHop(way.Source, !way.Gateway.IsValid())
	var local, next net.HardwareAddr
	switch l.Hardware {
	case unix.ARPHRD_ETHER:
		local, next = l.MAC, make(net.HardwareAddr, 6)
		if len(local) != 6 {
			return nil, linkError(l.Name, l.Hardware)
		}
	case unix.ARPHRD_NONE, unix.ARPHRD_PPP, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT:
		h.onLink = false // point-to-point: the peer needs no hardware address
	default:
		return nil, linkError(l.Name, l.Hardware)
	}
	var err error
	if h.template, err = rawnet.NewTemplate(way.Source, local, next); err != nil {
		return nil, err
	}
	h.out = slices.IndexFunc(p.out, func(o rawnet.Link) bool { return o.Index == l.Index })
	if h.out < 0 {
		h.out = len(p.out)
		p.out = append(p.out, l)
	}
	return h, nil
}

// Local returns the addresses of space that belong to this machine, which a Scanner
// refuses and a connect scan probes.
func Local(space *scope.Space) (*netipx.IPSet, error) {
	n, err := rawnet.OpenNetlink()
	if err != nil {
		return nil, err
	}
	defer n.Close()
	p, err := newPlanner(n, &Config{})
	if err != nil {
		return nil, err
	}
	for r := range space.Ranges() {
		parts, err := p.split(r)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			if err := p.isLocal(part); err != nil {
				return nil, err
			}
		}
	}
	return p.local.IPSet()
}
