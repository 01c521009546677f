// Package mailpath finds how mail flows through a host: which port hands it to which, and
// which steps lie before and after the one that a stranger can reach.
//
// An edge is never drawn from a port number alone. It is what a configuration file says,
// what a role means, what a dialogue showed, or what the port table says of two daemons
// that dialogues identified; each edge says which of these it is.
package mailpath

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// The limits of what is returned.
const (
	MaxPaths = 500 // paths of a run
	MaxSteps = 100 // steps of a path
	MaxEdges = 400 // edges of a path
)

// OfHost returns the path of one host by its open ports, which are of one address, or of one
// machine that was looked at from inside, and by its configuration files: one path with what
// OfPorts and OfFiles know. nil is that there is nothing to say.
func OfHost(ports []result.Port, c *listeners.Config, known *signatures.Ports) *result.Path {
	machine := len(ports) > 0 && ports[0].Socket != nil
	if machine {
		ports = ownPorts(ports)
	}
	if len(ports) == 0 {
		return nil
	}
	p := ofHost(ports, c, known)
	if p != nil && machine {
		p.IP = netip.IPv4Unspecified()
	}
	return p
}

// OfPorts returns the paths of the hosts of a scan, at most MaxPaths, in the order of the
// ports, which must be sorted by address. A host has one if a port that only the mail system
// should reach is open on it, or if an edge is known. known may be nil: then no edge is from
// the table, and a port is internal only by its role. Of a run that looked at the sockets of
// a machine, the path is that of the machine, whatever addresses its ports have; its IP is
// 0.0.0.0.
func OfPorts(ports []result.Port, known *signatures.Ports) []result.Path {
	if len(ports) > 0 && ports[0].Socket != nil {
		if p := OfHost(ports, nil, known); p != nil {
			return []result.Path{*p}
		}
		return nil
	}
	var list []result.Path
	for len(ports) > 0 && len(list) < MaxPaths {
		n := 1
		for n < len(ports) && ports[n].IP == ports[0].IP {
			n++
		}
		if p := ofHost(ports[:n], nil, known); p != nil && ports[0].Listener == nil {
			list = append(list, *p)
		}
		ports = ports[n:]
	}
	return list
}

// ownPorts returns the ports of a machine, sorted by number. The sockets of its containers,
// which only their networks reach, are not among them.
func ownPorts(ports []result.Port) []result.Port {
	own := slices.DeleteFunc(slices.Clone(ports), func(p result.Port) bool { return p.Socket == nil || p.Socket.Apart() })
	slices.SortStableFunc(own, func(x, y result.Port) int { return cmp.Compare(x.Port, y.Port) })
	return own
}

// Derive is OfPorts with the built-in table, which is read only if a port is open.
func Derive(ports []result.Port) []result.Path {
	if !slices.ContainsFunc(ports, func(p result.Port) bool { return p.State == result.StateOpen }) {
		return nil
	}
	known, err := signatures.DefaultPorts()
	if err != nil {
		known = nil // paths are an addition to a report, not a condition of it
	}
	return OfPorts(ports, known)
}

// A builder builds one path.
type builder struct {
	path  result.Path
	known *signatures.Ports
	ports []*result.Port // of the steps that are ports, by index
	drawn map[[2]int]bool

	queues map[int]string // by the index of a step, the Name of the queue into which it puts mail
}

// ofHost returns the path of one host, whose files are nil if they are not known; nil if there
// is nothing to say.
func ofHost(ports []result.Port, c *listeners.Config, known *signatures.Ports) *result.Path {
	b := &builder{known: known, drawn: make(map[[2]int]bool)}
	b.path.IP = ports[0].IP
	internal := b.addPorts(ports)
	f := newFilesBuilder(b, c)
	f.addAll()
	if !internal && len(b.ports) < 2 && len(b.path.Edges) == 0 {
		return nil
	}
	b.addDialogues()
	b.addTable()
	if !internal && len(b.path.Edges) == 0 {
		return nil
	}
	b.addRoles()
	f.addQueue()
	return &b.path
}

// addPorts adds the open ports of the mail system, and reports whether one of them is
// internal, and not only on loopback. If there are too many, those that are internal come
// first. A daemon that has a port on several addresses of a machine is one step.
func (b *builder) addPorts(ports []result.Port) (internal bool) {
	var list []*result.Port
	inside := make(map[*result.Port]bool)
	for i := range ports {
		p := &ports[i]
		if b.path.Host == "" {
			b.path.Host = p.Host
		}
		if p.State == result.StateOpen && b.carriesMail(p) {
			list = append(list, p)
			inside[p] = b.internal(p)
			internal = internal || inside[p] && reachable(p)
		}
	}
	const room = MaxSteps - 2 // for the queue and the mailboxes
	if len(list) > room {
		slices.SortStableFunc(list, func(x, y *result.Port) int { return cmp.Compare(rank(inside[x]), rank(inside[y])) })
		b.path.Left = len(list) - room
		list = list[:room]
		slices.SortStableFunc(list, func(x, y *result.Port) int { return cmp.Compare(x.Port, y.Port) })
	}
	for _, p := range list {
		s := result.PathStep{Kind: result.StepPort, Port: p.Port, Open: reachable(p), Internal: inside[p]}
		if p.Service != nil {
			s.Product, s.Role = p.Service.KnownProduct(), p.Service.Role
		}
		if p.Socket != nil {
			s.Anchor = p.Anchor
			if at := slices.IndexFunc(b.path.Steps, func(t result.PathStep) bool { return t.Port == s.Port && t.Product == s.Product }); at >= 0 {
				b.path.Steps[at].Open = b.path.Steps[at].Open || s.Open
				continue
			}
		}
		b.path.Steps = append(b.path.Steps, s)
		b.ports = append(b.ports, p)
	}
	return internal
}

// reachable reports whether others than the machine itself can connect to an open port, as far
// as the run shows it.
func reachable(p *result.Port) bool { return p.Socket == nil || !p.Socket.Loopback() }

// rank is 0 for what comes first.
func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// carriesMail reports whether a port belongs to the mail system: by what a dialogue showed,
// or if none showed anything, by its number.
func (b *builder) carriesMail(p *result.Port) bool {
	s := p.Service
	switch {
	case s == nil:
		return b.byNumber(p.Port)
	case s.Inconclusive == result.InconclusiveSkipped, s.Role == result.RoleNotMail:
		return false
	case s.Role == "" || s.Role == result.RoleUnknown:
		return b.byNumber(p.Port)
	}
	return true
}

// internalRoles are those of daemons that no client outside of the mail system needs.
var internalRoles = []result.Role{
	result.RoleContentFilter, result.RoleSigningProxy, result.RoleReinjection, result.RolePolicy, result.RoleMilter,
	result.RoleLMTP, result.RoleIMAPBackend, result.RolePOP3Backend, result.RoleAuth, result.RoleAntispam, result.RoleAntivirus, result.RoleAdmin,
}

// internal reports whether only the mail system has business on a port.
func (b *builder) internal(p *result.Port) bool {
	return p.Service != nil && slices.Contains(internalRoles, p.Service.Role) || b.byNumber(p.Port)
}

// byNumber reports whether the table has a port as internal.
func (b *builder) byNumber(port uint16) bool {
	if b.known == nil {
		return false
	}
	known, ok := b.known.Lookup(port)
	return ok && known.Internal
}

// add adds an edge, unless there is one from and to the same steps already.
func (b *builder) add(e result.PathEdge) {
	if at := [2]int{e.From, e.To}; !b.drawn[at] && e.From != e.To && len(b.path.Edges) < MaxEdges {
		b.drawn[at] = true
		b.path.Edges = append(b.path.Edges, e)
	}
}

// step returns the index of a step, which it adds if it is not there; -1 if there are too
// many.
func (b *builder) step(s result.PathStep) int {
	i := slices.IndexFunc(b.path.Steps, func(t result.PathStep) bool {
		return s.Kind == t.Kind && s.Port == t.Port && s.Name == t.Name && s.Product == t.Product
	})
	if i >= 0 {
		return i
	}
	if len(b.path.Steps) >= MaxSteps {
		return -1
	}
	b.path.Steps = append(b.path.Steps, s)
	return len(b.path.Steps) - 1
}

// identified reports whether a dialogue identified the daemon of a port.
func identified(p *result.Port) bool {
	s := p.Service
	return s != nil && s.Method == result.MethodProbed && s.KnownProduct() != ""
}

// Find returns the path of a host, nil if there is none. The path of a machine is that of each
// of its addresses.
func Find(paths []result.Path, ip netip.Addr) *result.Path {
	for i := range paths {
		if at := paths[i].IP; at == ip || at.IsValid() && at.IsUnspecified() {
			return &paths[i]
		}
	}
	return nil
}
