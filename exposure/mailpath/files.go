package mailpath

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// OfFiles returns the paths that configuration files describe, one for each host whose files
// they are, with its folder as Host. Files of one name are not of one host. Files without an
// edge have no path. Listeners that are not a part of the mail system, and those that no edge
// and no role concerns, are left out. known may be nil, as in OfPorts.
func OfFiles(c *listeners.Config, known *signatures.Ports) []result.Path {
	folder := foldersOf(c)
	parts := make(map[string]*listeners.Config)
	part := func(file string) *listeners.Config {
		f := folder(file)
		if parts[f] == nil {
			parts[f] = c.Part()
		}
		return parts[f]
	}
	for _, l := range c.Listeners {
		p := part(l.At.File)
		p.Listeners = append(p.Listeners, l)
	}
	for _, e := range c.Edges {
		p := part(e.File)
		p.Edges = append(p.Edges, e)
	}
	var list []result.Path
	for _, f := range slices.Sorted(maps.Keys(parts)) {
		if p := ofFiles(parts[f], known); p != nil && len(list) < MaxPaths {
			p.Host = f
			list = append(list, *p)
		}
	}
	return list
}

// foldersOf returns a function that returns the folder of the host to which a file belongs:
// the highest one below which no two files have the same name; "" is the top.
func foldersOf(c *listeners.Config) func(file string) string {
	files := make(map[string]bool)
	for i := range c.Listeners {
		files[c.Listeners[i].At.File] = true
	}
	for i := range c.Edges {
		files[c.Edges[i].File] = true
	}
	seen, several := make(map[[2]string]bool), make(map[string]bool)
	for file := range files {
		for _, dir := range ancestors(file) {
			key := [2]string{dir, path.Base(file)}
			several[dir] = several[dir] || seen[key]
			seen[key] = true
		}
	}
	return func(file string) string {
		for _, dir := range ancestors(file) {
			if !several[dir] {
				return dir
			}
		}
		return path.Dir(file)
	}
}

// maxFolders is how deep in a tree the folders of hosts are looked for.
const maxFolders = 32

// ancestors returns the folders in which a file is, the top "" first.
func ancestors(file string) []string {
	list := []string{""}
	for i := range file {
		if file[i] == '/' && i > 0 && len(list) < maxFolders {
			list = append(list, file[:i])
		}
	}
	return list
}

// ofFiles returns the path of the files of one host, nil if they have no edge.
func ofFiles(c *listeners.Config, known *signatures.Ports) *result.Path {
	b := &builder{known: known, drawn: make(map[[2]int]bool)}
	f := newFilesBuilder(b, c)
	f.addAll()
	if len(b.path.Edges) == 0 {
		return nil
	}
	b.addRoles()
	f.addQueue()
	return &b.path
}

// newFilesBuilder returns what adds configuration files, which may be nil, to a path that may
// have ports.
func newFilesBuilder(b *builder, c *listeners.Config) *filesBuilder {
	f := &filesBuilder{builder: b, config: c, steps: make(map[stepKey]int), found: len(b.ports)}
	if c != nil {
		f.listeners, f.edges = c.Listeners, c.Edges[:min(len(c.Edges), maxRead)]
	}
	return f
}

// addAll adds the listeners and the edges of the files.
func (f *filesBuilder) addAll() {
	f.addListeners()
	for i := range f.edges {
		f.addEdge(&f.edges[i])
	}
	f.addPublished()
}

// FindFile returns the path in which a file opens a port, nil if there is none.
func FindFile(paths []result.Path, file string) *result.Path {
	for i := range paths {
		if slices.ContainsFunc(paths[i].Steps, func(s result.PathStep) bool { return s.Anchor != nil && s.Anchor.File == file }) {
			return &paths[i]
		}
	}
	return nil
}

// maxRead is how many listeners of the mail system, and how many edges, are looked at.
const maxRead = 2000

// A filesBuilder builds the path of configuration files.
type filesBuilder struct {
	*builder
	config    *listeners.Config
	listeners []listeners.Listener // first all, then those of the mail system
	edges     []listeners.Edge
	steps     map[stepKey]int // of the listeners
	found     int             // how many steps are ports that were found open; they are the first ones
}

// A stepKey identifies a step among those of files: the addresses of one port in a file are
// one step.
type stepKey struct {
	file string
	port uint16
}

// addListeners adds the listeners of the mail system, and those that are the end of an edge.
func (f *filesBuilder) addListeners() {
	ends, sources := make(map[uint16]bool), make(map[[2]string]bool)
	for _, e := range f.edges {
		ends[e.Port], sources[[2]string{e.File, e.From}] = true, true
	}
	var kept []listeners.Listener
	for i := range f.listeners {
		l := &f.listeners[i]
		p := result.Port{Port: l.Port, Service: &result.Service{Name: l.Protocol, Product: l.Product, Role: l.Role}}
		if in := f.config.Inside(l); in != nil { // the port of a container is what its daemon is
			p.Service = &result.Service{Name: in.Protocol, Role: in.Role}
		}
		if !f.carriesMail(&p) && !ends[l.Target()] && !sources[[2]string{l.At.File, l.Service}] {
			continue
		}
		key := stepKey{l.At.File, l.Port}
		at, ok := f.steps[key]
		if !ok {
			if at, ok = f.place(l, &p); !ok {
				f.path.Left++
				continue
			}
			f.steps[key] = at
		}
		if len(kept) < maxRead {
			kept = append(kept, *l)
		}
		s := &f.path.Steps[at]
		reachable := !l.Loopback() && l.Through != listeners.ThroughContainer
		switch {
		case at < f.found: // it was found open, or only on loopback
		case f.found == 0:
			s.Open = s.Open || reachable
		default:
			s.Unreached = s.Unreached || reachable || f.machine() && l.Through != listeners.ThroughContainer
		}
	}
	f.listeners = kept
}

// place returns the step of a listener, which is p: that of a port that was found, or a new
// one. It reports false if there are too many.
func (f *filesBuilder) place(l *listeners.Listener, p *result.Port) (at int, ok bool) {
	anchor := l.At
	if at = slices.IndexFunc(f.ports, func(q *result.Port) bool { return q.Port == l.Port && opens(l, q) }); at >= 0 {
		s := &f.path.Steps[at]
		if s.Anchor == nil {
			s.Anchor = &anchor
		}
		if s.Product == "" || exposure.HasProduct(p.Service.Product, s.Product) { // "Postfix" is "Postfix smtpd"
			s.Product = cmp.Or(p.Service.Product, s.Product)
		}
		if s.Role == "" || s.Role == result.RoleUnknown {
			s.Role = p.Service.Role
		}
		s.Internal = s.Internal || f.internal(p)
	} else {
		if len(f.path.Steps) >= MaxSteps-2 {
			return 0, false
		}
		at = len(f.path.Steps)
		f.path.Steps = append(f.path.Steps, result.PathStep{
			Kind: result.StepPort, Port: l.Port, Product: p.Service.Product, Role: p.Service.Role, Internal: f.internal(p), Anchor: &anchor,
		})
	}
	if q, other := l.Setting(listeners.SettingQueue); other {
		if f.queues == nil {
			f.queues = make(map[int]string)
		}
		f.queues[at] = q.Value
	}
	return at, true
}

// machine reports whether the ports are those of a machine that was looked at from inside: what
// is not among them does not listen.
func (f *filesBuilder) machine() bool { return f.found > 0 && f.ports[0].Socket != nil }

// opens reports whether a listener of the files is what opens a port that was found: any of
// the machine on which it was found, and for a port that others reach, one that they can reach.
func opens(l *listeners.Listener, p *result.Port) bool {
	if l.Through == listeners.ThroughContainer || l.Through == listeners.ThroughCluster {
		return false
	}
	return p.Socket != nil || !l.Loopback()
}

// addPublished adds that the published port of a container leads to its daemon.
func (f *filesBuilder) addPublished() {
	for i := range f.listeners {
		l := &f.listeners[i]
		in := f.config.Inside(l)
		if in == nil {
			continue
		}
		from, ok := f.steps[stepKey{l.At.File, l.Port}]
		to, known := f.steps[stepKey{in.At.File, in.Port}]
		if ok && known {
			at := l.At
			f.add(result.PathEdge{From: from, To: to, Basis: result.BasisFile, Anchor: &at})
		}
	}
}

// addEdge adds an edge of a file.
func (f *filesBuilder) addEdge(e *listeners.Edge) {
	to := f.target(e)
	if to < 0 {
		return
	}
	at := e.At
	for _, from := range f.sources(e) {
		f.add(result.PathEdge{From: from, To: to, Asks: asks(e.Kind), Basis: result.BasisFile, Anchor: &at})
	}
	if s := &f.path.Steps[to]; s.Role == "" || s.Role == result.RoleUnknown {
		s.Role = askedRoles[e.Kind]
	}
}

// askedRoles are the roles of daemons that are asked about mail, by what they are asked.
var askedRoles = map[listeners.EdgeKind]result.Role{listeners.EdgeMilter: result.RoleMilter, listeners.EdgePolicy: result.RolePolicy}

// asks reports whether the mail stays where it is.
func asks(k listeners.EdgeKind) bool {
	return k == listeners.EdgeMilter || k == listeners.EdgePolicy || k == listeners.EdgeLookup
}

// sources returns the steps from which an edge leads: the listener that it names; else the
// queue, if it is an edge of a mail server, and all listeners of the file if it is one of a
// filter or a proxy.
func (f *filesBuilder) sources(e *listeners.Edge) []int {
	var list []int
	for i := range f.listeners {
		l := &f.listeners[i]
		if l.At.File != e.File || e.From != "" && l.Service != e.From {
			continue
		}
		if e.From == "" && serves(l.Role) {
			list = nil
			break
		}
		if at, ok := f.steps[stepKey{l.At.File, l.Port}]; ok && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	if len(list) > 0 || e.From != "" {
		return list
	}
	if at := f.step(result.PathStep{Kind: result.StepQueue}); at >= 0 {
		return []int{at}
	}
	return nil
}

// serves reports whether a role is one of a mail server with a queue.
func serves(r result.Role) bool {
	return r == result.RoleMTA || r == result.RoleSubmission || r == result.RoleReinjection
}

// target returns the step to which an edge leads: a listener of the files, a port of the
// same host that none of them opens, or another host; -1 if there are too many.
func (f *filesBuilder) target(e *listeners.Edge) int {
	published := -1
	for i := range f.listeners {
		l := &f.listeners[i]
		at, ok := f.steps[stepKey{l.At.File, l.Port}]
		switch {
		case !ok || !f.reaches(e, l):
		case f.config.Inside(l) == nil:
			return at
		case published < 0:
			published = at // unless the daemon of the container is among the steps
		}
	}
	if published >= 0 {
		return published
	}
	if onHost(e.Host) {
		if at := slices.IndexFunc(f.ports, func(p *result.Port) bool { return p.Port == e.Port }); at >= 0 {
			return at // no file says who listens, but somebody does
		}
		return f.step(result.PathStep{Kind: result.StepPort, Port: e.Port, Unreached: f.machine()})
	}
	return f.step(result.PathStep{Kind: result.StepElsewhere, Name: net.JoinHostPort(bare(e.Host), strconv.Itoa(int(e.Port)))})
}

// bare returns a host without the brackets around it.
func bare(host string) string { return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]") }

// onHost reports whether the name or address of an edge is that of the host itself.
func onHost(host string) bool {
	host = bare(host)
	a, err := netip.ParseAddr(host)
	return host == "" || strings.EqualFold(host, "localhost") || err == nil && a.Unmap().IsLoopback()
}

// reaches reports whether an edge leads to a listener: on the same host, in the same
// container, or in the container whose service the edge names.
func (f *filesBuilder) reaches(e *listeners.Edge, l *listeners.Listener) bool {
	from, contained := f.config.InContainer(e.File)
	switch l.Through {
	case listeners.ThroughContainer:
		to, _ := f.config.InContainer(l.At.File)
		to = append(slices.Clone(l.Services), to...)
		switch {
		case l.Port != e.Port:
			return false
		case onHost(e.Host):
			return contained && slices.ContainsFunc(from, func(s string) bool { return slices.Contains(to, s) })
		}
		return !l.Loopback() && slices.Contains(to, bare(e.Host))
	case listeners.ThroughPublished:
		return l.Target() == e.Port && slices.Contains(l.Services, bare(e.Host))
	}
	return l.Port == e.Port && !contained && local(e.Host, l)
}

// local reports whether a connection to a host, as an edge has it, reaches the listener: the
// host is this one, or the very address of the listener. A container is another host.
func local(host string, l *listeners.Listener) bool {
	if l.Through == listeners.ThroughContainer || l.Through == listeners.ThroughCluster {
		return false
	}
	if onHost(host) {
		return l.All() || l.Loopback()
	}
	a, err := netip.ParseAddr(bare(host))
	return err == nil && l.Address.IsValid() && a.Unmap() == l.Address.Unmap()
}

// addQueue adds that mail servers which hand mail to nothing else put it into their queue.
func (f *filesBuilder) addQueue() {
	if f.config == nil {
		return
	}
	for i := range f.path.Steps {
		s := &f.path.Steps[i]
		leads := slices.ContainsFunc(f.path.Edges, func(e result.PathEdge) bool { return e.From == i && !e.Asks })
		if s.Kind != result.StepPort || leads || s.Role != result.RoleMTA && s.Role != result.RoleSubmission {
			continue
		}
		if to := f.step(result.PathStep{Kind: result.StepQueue, Name: f.queues[i]}); to >= 0 {
			f.add(result.PathEdge{From: i, To: to, Basis: result.BasisRole})
		}
	}
}
