package records

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// A Sweep is what the records are compared with.
type Sweep struct {
	Open    []exposure.Subject                   // the open ports
	Subject func(r scan.Result) exposure.Subject // of a port that is not open
	Up      func(netip.Addr) bool                // whether an address sent a packet of its own; nil means that all did
	Now     time.Time                            // at which certificates must be valid
}

// A judgement compares the records of domains with a sweep.
type judgement struct {
	*Domains
	judge *exposure.Judge
	sweep *Sweep
	open  map[netip.AddrPort]*exposure.Subject
	list  []exposure.Violation
}

// Judge returns the findings about the domains: what is wrong in their records, and where these and
// the sweep contradict each other. A fault of several domains at one port is one finding.
func (d *Domains) Judge(j *exposure.Judge, s *Sweep) []exposure.Violation {
	if d == nil {
		return nil
	}
	g := &judgement{Domains: d, judge: j, sweep: s, open: map[netip.AddrPort]*exposure.Subject{}}
	for i := range s.Open {
		p := &s.Open[i]
		g.open[netip.AddrPortFrom(p.Target.Addr().Unmap(), p.Target.Port())] = p
	}
	d.open = g.open
	for _, domain := range d.found {
		g.records(domain)
		for _, h := range domain.Hosts {
			g.host(domain, h)
		}
	}
	return g.list
}

// ruleOf are the rules of the faults of records that have one.
var ruleOf = map[string]string{
	domains.FaultMXWithoutAddress: exposure.RuleMXWithoutAddress,
	domains.FaultMTASTSMX:         exposure.RuleMTASTSLeavesOutMX,
	domains.FaultSPFLookups:       exposure.RuleSPFTooManyLookups,
}

// recordConfidence is the confidence, 0 to 10, of what the DNS says.
const recordConfidence = 10

// records adds the findings of what is wrong in the records alone.
func (g *judgement) records(d *domains.Domain) {
	for _, f := range d.Faults {
		rule := ruleOf[f.ID]
		if rule == "" {
			continue // a notice says it
		}
		if f.ID == domains.FaultMTASTSMX && d.MTASTS.Policy.Mode != "enforce" {
			rule = exposure.RuleMTASTSTestLeavesMX
		}
		name := strings.TrimSpace(f.Type + " of " + f.Owner)
		if f.Host != "" {
			name += ", " + f.Host
		}
		p := exposure.Subject{Host: d.Name, Listener: &result.Configured{Name: name, Kind: result.KindRecords}}
		p.Target, p.Time = noPort, g.sweep.Now
		about := f.Host
		if f.ID == domains.FaultSPFLookups {
			about = spfVersion
		}
		g.add(d, rule, record{f.Owner, f.Type, about}, p, recordConfidence, f.Text)
	}
}

// noPort is in the place of a port where a finding is about records alone: the schema of reports needs
// one.
var noPort = netip.AddrPortFrom(netip.IPv4Unspecified(), smtpPort)

// A record is the record that a finding is about: the first one of the type at the owner in which the
// text about occurs, or else the first one.
type record struct{ owner, kind, about string }

// recordOf returns the first record of a path to a host.
func recordOf(w domains.Way, host string) record {
	if w.Kind == domains.KindSPF {
		host = spfVersion
	}
	return record{w.Owner, w.Type, host}
}

// spfVersion is in each SPF record (RFC 7208, Section 4.5).
const spfVersion = "v=spf1"

// add adds a finding.
func (g *judgement) add(d *domains.Domain, rule string, r record, p exposure.Subject, confidence int, why ...string) {
	fault := exposure.DomainFault{Rule: rule, Domain: d.Name, Why: why, Confidence: confidence}
	if fault.Line = g.zones.Find(r.owner, r.kind, r.about); fault.Line != nil {
		fault.Record = &result.Configured{Name: r.kind + " of " + r.owner, Kind: result.KindRecords}
	}
	found := g.judge.Domain(fault, p)
	for _, f := range found {
		same := func(o exposure.Violation) bool { return o.ID == f.ID && o.Target == f.Target }
		if i := slices.IndexFunc(g.list, same); i >= 0 {
			for _, sentence := range f.Evidence {
				if !slices.Contains(g.list[i].Evidence, sentence) {
					g.list[i].Evidence = append(g.list[i].Evidence, sentence)
				}
			}
			continue
		}
		g.list = append(g.list, f)
	}
}

// host adds the findings of one host of a domain.
func (g *judgement) host(d *domains.Domain, h *domains.Host) {
	var addrs []netip.Addr
	for _, a := range h.Addresses {
		if g.scope.Allows(a) {
			addrs = append(addrs, a)
		}
	}
	for _, port := range publicPorts(h) {
		g.declared(d, h, addrs, port)
	}
	for _, a := range addrs {
		p := g.open[netip.AddrPortFrom(a, smtpPort)]
		if p == nil || p.Service == nil || !exposure.Identified(p.Service) || p.Service.Name != "smtp" {
			continue
		}
		if h.Accepts() {
			g.enforced(d, h, p)
			g.dane(d, h, p)
		} else if !g.receives(a) {
			g.noMX(d, h, p)
		}
	}
}

// receives reports whether mail of one of the domains is delivered to the address.
func (g *judgement) receives(a netip.Addr) bool {
	return slices.ContainsFunc(g.ways[a], func(w domains.Way) bool { return w.Port == smtpPort })
}

// declared adds the findings of a port that the records declare as public, and that is not open on all
// addresses of the host.
func (g *judgement) declared(d *domains.Domain, h *domains.Host, addrs []netip.Addr, port uint16) {
	var open, shut [2]int // by family: IPv4, IPv6
	for _, a := range addrs {
		switch g.seen[netip.AddrPortFrom(a, port)] {
		case result.StateOpen:
			open[family(a)]++
		case result.StateClosed, result.StateFiltered:
			shut[family(a)]++
		}
	}
	for _, a := range addrs {
		at := netip.AddrPortFrom(a, port)
		state := g.seen[at]
		if state != result.StateClosed && (state != result.StateFiltered || !g.silenceCounts(at)) {
			continue
		}
		p := g.sweep.Subject(scan.Result{Target: at, State: state, Time: g.sweep.Now})
		way := wayTo(h, port)
		named := recordOf(way, h.Name)
		why := fmt.Sprintf("%s leads to %s, where port %d/tcp of %s is %s", way.Text, cmp.Or(h.Name, a.String()), port, a, state)
		switch mine := family(a); {
		case open[1-mine] > 0 && open[mine] == 0:
			g.add(d, exposure.RuleOneFamily, named, p, recordConfidence, why, fmt.Sprintf("the same port of %s is open over %s", h.Name, families[1-mine]))
		case port == smtpPort && h.Accepts():
			g.add(d, exposure.RuleMXClosed, named, p, recordConfidence, why)
		default:
			g.add(d, exposure.RuleServiceClosed, named, p, recordConfidence, why)
		}
	}
}

// family is 0 for IPv4 and 1 for IPv6.
func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// families are the names of the families.
var families = [...]string{"IPv4", "IPv6"}

// silenceCounts reports whether the silence of a port shows something about the other side: the address
// itself answered, or a port is open on another one of its family, so that packets of the family get
// there. Many networks drop connections of their own clients to port 25, which must be open on some host.
func (g *judgement) silenceCounts(pair netip.AddrPort) bool {
	up := g.sweep.Up == nil || g.sweep.Up(pair.Addr())
	for at := range g.open {
		if (up || family(at.Addr()) == family(pair.Addr())) && (pair.Port() != smtpPort || at.Port() == smtpPort) {
			return true
		}
	}
	return up && pair.Port() != smtpPort
}

// wayTo is the first path to a host that declares the port.
func wayTo(h *domains.Host, port uint16) domains.Way {
	for _, w := range h.Paths {
		if w.Port == int(port) {
			return w
		}
	}
	return domains.Way{}
}
