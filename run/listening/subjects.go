package listening

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/programs"
	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/configured"
	"github.com/mxsweep/mxsweep/scan"
)

// A place is where connections reach a port. Sockets of one address and port differ by the
// network interface to which they are bound.
type place struct {
	target netip.AddrPort
	device string
}

// placeOf returns where connections reach a port.
func placeOf(p *exposure.Subject) place { return place{p.Target, p.Socket.Interface()} }

// subjects returns what is judged and reported of the sockets and forwards: each place once. A socket of a container whose namespace has no known address is left
// out, unless it is published.
func (a *Audit) subjects() []exposure.Subject {
	a.bound, a.lines = map[place]*sockets.Socket{}, map[place]*listeners.Listener{}
	var list []exposure.Subject
	done := map[place]bool{}
	add := func(p exposure.Subject) {
		if at := placeOf(&p); !done[at] {
			done[at] = true
			list = append(list, p)
		}
	}
	note := func(p *exposure.Subject, s *sockets.Socket, line *listeners.Listener) {
		if at := placeOf(p); a.bound[at] == nil {
			a.bound[at], a.lines[at] = s, line
		}
	}
	for i := range a.snapshot.Sockets {
		s := &a.snapshot.Sockets[i]
		switch {
		case s.Own() && !forwarded(s):
			p := a.subject(s, netip.AddrPortFrom(s.Address, s.Port))
			note(&p, s, a.line(s))
			add(p)
		case s.Own():
			p := a.published(a.forward(s), s)
			note(&p, s, nil)
			add(p)
		case len(s.Namespace.Addresses) > 0 && !s.Loopback():
			p := a.subject(s, netip.AddrPortFrom(s.Namespace.Addresses[0], s.Port))
			p.Host, p.Socket.Through = "", result.SocketContainer
			if s.Namespace.Container == "" && s.Container == "" {
				p.Socket.Through = result.SocketNamespace
			}
			add(p)
		}
	}
	for i := range a.snapshot.Forwards {
		if f := &a.snapshot.Forwards[i]; f.To.Addr().IsValid() {
			p := a.published(f, nil)
			note(&p, &sockets.Socket{Address: p.Target.Addr(), Port: f.Port, Dual: sockets.DualNo}, nil)
			add(p)
		}
	}
	slices.SortStableFunc(list, func(x, y exposure.Subject) int {
		return cmp.Or(cmp.Compare(x.Target.Port(), y.Target.Port()), x.Target.Addr().Compare(y.Target.Addr()))
	})
	return list
}

// forwarded reports whether a socket is held for a container.
func forwarded(s *sockets.Socket) bool { return slices.ContainsFunc(s.Owners, programs.Forwarder) }

// forward returns the forward of a socket that is held for a container; one without a
// target if none is known.
func (a *Audit) forward(s *sockets.Socket) *sockets.Forward {
	for i := range a.snapshot.Forwards {
		f := &a.snapshot.Forwards[i]
		if f.Port == s.Port && (!f.Address.IsValid() || s.All() || f.Address == s.Address.Unmap()) {
			return f
		}
	}
	return &sockets.Forward{Address: s.Address, Port: s.Port}
}

// subject returns what is judged of a socket.
func (a *Audit) subject(s *sockets.Socket, target netip.AddrPort) exposure.Subject {
	line := a.line(s)
	p := exposure.Subject{
		Result:  scan.Result{Target: target, State: result.StateOpen, Time: a.start},
		Host:    a.Name,
		Service: a.identify(s, line),
		Socket:  socketOf(s),
	}
	if line != nil {
		at := line.At
		p.Anchor = &at
	}
	return p
}

// published returns what is judged of a port that is passed on to a container. holder is
// the socket of the program that does so; nil if address translation does.
func (a *Audit) published(f *sockets.Forward, holder *sockets.Socket) exposure.Subject {
	at := f.Address
	if holder != nil {
		at = holder.Address
	}
	if !at.IsValid() {
		at = netip.IPv4Unspecified()
		if f.To.Addr().Is6() {
			at = netip.IPv6Unspecified()
		}
	}
	target := netip.AddrPortFrom(at, f.Port)
	inner := a.inner(f)
	if inner == nil {
		inner = &sockets.Socket{Address: at, Port: f.Port, Dual: sockets.DualNo}
		if holder != nil {
			inner = holder
		}
	}
	p := a.subject(inner, target)
	outer := sockets.Socket{Address: at, Port: f.Port, Dual: sockets.DualNo}
	if holder != nil {
		outer = *holder
	}
	p.Socket.Bound, p.Socket.Through = outer.String(), result.SocketPublished
	if f.To.IsValid() {
		p.Socket.To = f.To.String()
	}
	return p
}

// inner returns the socket to which a forward passes connections on; nil if none is seen.
func (a *Audit) inner(f *sockets.Forward) *sockets.Socket {
	for i := range a.snapshot.Sockets {
		s := &a.snapshot.Sockets[i]
		if f.Namespace != nil && s.Namespace == f.Namespace && s.Port == f.To.Port() && !s.Loopback() {
			return s
		}
	}
	return nil
}

// socketOf returns what a report says of a socket: of its owner that is a known daemon,
// else of the first one.
func socketOf(s *sockets.Socket) *result.Listening {
	w := &result.Listening{Bound: s.String(), Unit: s.Unit, Container: s.Container}
	if s.Namespace != nil {
		w.Namespace = s.Namespace.Name
	}
	if len(s.Owners) == 0 {
		return w
	}
	owner := s.Owners[0]
	for _, p := range s.Owners {
		if _, known := programs.Of(&sockets.Socket{Owners: []*sockets.Process{p}}); known {
			owner = p
			break
		}
	}
	w.PID, w.Process, w.Executable, w.Package = owner.PID, owner.Name, owner.Executable, owner.Package
	w.Command = strings.Join(owner.Command, " ")
	w.Unit, w.Container = cmp.Or(owner.Unit, w.Unit), cmp.Or(owner.Container, w.Container)
	return w
}

// identify returns what listens on a socket: by the line that configures it, or by the
// process that holds it. The number of the port alone names nothing.
func (a *Audit) identify(s *sockets.Socket, line *listeners.Listener) *fingerprint.Identification {
	l := listeners.Listener{Port: s.Port}
	if line != nil {
		l = *line
	}
	program, known := programs.Of(s)
	switch {
	case known && line != nil && exposure.HasProduct(l.Product, program.Product):
		l.Product = program.Product // as a scan names it
	case known && line == nil:
		l.Product, l.Protocol, l.Role = program.Product, program.Protocol, program.Role
		if l.Role == "" {
			l.Protocol = a.protocol(s.Port, program)
		}
	}
	files := a.files
	if files == nil {
		files = &configured.Audit{Ports: a.Ports}
	}
	id := files.Identify(&l)
	if id.Method == result.MethodConfigured {
		id.Method = result.MethodListening
	}
	return id
}

// protocol returns what a daemon speaks on a port: as the table of ports has it for that
// daemon, else what it always speaks.
func (a *Audit) protocol(port uint16, program programs.Program) string {
	known, _ := a.Ports.Lookup(port)
	for _, use := range known.Uses {
		if exposure.HasProduct(use.Product, program.Product) {
			return use.Protocol
		}
	}
	return program.Protocol
}

// line returns the listener of the configuration files that a socket is; nil if none, or
// more than one, can be.
func (a *Audit) line(s *sockets.Socket) *listeners.Listener {
	if a.files == nil || !s.Own() {
		return nil
	}
	program, known := programs.Of(s)
	var found *listeners.Listener
	list := a.files.Listeners()
	for i := range list {
		l := &list[i]
		if l.Port != s.Port || l.Through != listeners.ThroughHost || !binds(l, s) {
			continue
		}
		if known && l.Product != "" && !exposure.HasProduct(l.Product, program.Product) && !exposure.HasProduct(program.Product, l.Product) {
			continue
		}
		if found != nil && found.At != l.At {
			return nil
		}
		found = l
	}
	return found
}

// binds reports whether a listener of a file opens a socket on the address of this one.
func binds(l *listeners.Listener, s *sockets.Socket) bool {
	switch {
	case l.Interface != "" && l.Interface != s.Interface:
		return false
	case l.Doubt != "" && !l.Address.IsValid():
		return true // a name that the files do not resolve
	case !l.Address.IsValid():
		return s.All()
	}
	return l.Address.WithZone("") == s.Address
}
