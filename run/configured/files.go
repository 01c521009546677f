package configured

import (
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/join"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// Files are the configuration files of the hosts of a scan, and what the scan saw of the
// ports that they open. It is not safe for concurrent use.
type Files struct {
	hosts []*hostFiles
	ports map[uint16]bool                // which the files open
	seen  map[netip.AddrPort]scan.Result // of these ports, those that are not open
}

// hostFiles are the files of one host.
type hostFiles struct {
	host      string // as the user named it; "" if it is the only host that is up
	audit     *Audit
	addresses []netip.Addr // of the host; nil if they are not known

	listeners []join.Listener // those of audit, by index
	pairs     []join.Pair
	view      join.View
}

// ReadFiles reads the files of --config: each is PATH, or HOST=PATH for the files of one of
// several hosts. like has the rules, the policy and the limits. addresses returns the
// addresses of a host that the scan probes, none if it is none of its hosts. All mistakes are
// returned at once.
func ReadFiles(args []string, like Audit, addresses func(host string) []netip.Addr) (*Files, error) {
	f := &Files{ports: map[uint16]bool{}, seen: map[netip.AddrPort]scan.Result{}}
	paths := map[string][]string{}
	for _, arg := range args {
		host, path := splitHost(arg)
		if _, known := paths[host]; !known {
			h := &hostFiles{host: host}
			if host != "" {
				if h.addresses = addresses(host); len(h.addresses) == 0 {
					return nil, fault.Usagef("write --config HOST=PATH with a HOST that is a target: its address, or its name as in the scope", "reading flag \"--config\": %q of %q is no host of this scan", host, arg)
				}
			}
			f.hosts = append(f.hosts, h)
		}
		paths[host] = append(paths[host], path)
	}
	if paths[""] != nil && len(paths) > 1 {
		return nil, fault.Usagef("write --config HOST=PATH each time", "reading flag \"--config\": it names the host of some files, and not that of %q", paths[""][0])
	}
	for _, h := range f.hosts {
		audit := like
		h.audit = &audit
		if err := audit.Read(paths[h.host]); err != nil {
			return nil, err
		}
		for i := range audit.read.Listeners {
			l := &audit.read.Listeners[i]
			h.listeners = append(h.listeners, join.Listener{
				Address: l.Address, V6Only: l.V6Only, Port: l.Port, Local: l.Loopback() || l.Through == listeners.ThroughContainer, Doubtful: l.Doubt != "" || l.Interface != "",
			})
			f.ports[l.Port] = true
		}
	}
	return f, nil
}

// splitHost splits HOST=PATH. A file whose name has an equals sign is no host.
func splitHost(arg string) (host, path string) {
	host, path, ok := strings.Cut(arg, "=")
	if _, err := os.Stat(arg); err == nil || !ok {
		return "", arg
	}
	return host, path
}

// Names returns the files that were read.
func (f *Files) Names() []string {
	var list []string
	for _, h := range f.hosts {
		list = append(list, h.audit.Files()...)
	}
	return list
}

// maxSeen is the maximum number of pairs that are kept until it is known which host the files
// describe. The others are unknown.
const maxSeen = 1 << 20

// Add records the result of one port; a later one replaces it.
func (f *Files) Add(r scan.Result) {
	if f == nil || !f.ports[r.Target.Port()] {
		return
	}
	at := netip.AddrPortFrom(r.Target.Addr().Unmap().WithZone(""), r.Target.Port())
	if _, known := f.seen[at]; known || len(f.seen) < maxSeen {
		f.seen[at] = scan.Result{Target: at, State: r.State, Attempts: r.Attempts}
	}
}

// Forget undoes Add for a port that is to be probed again.
func (f *Files) Forget(target netip.AddrPort) {
	if f != nil {
		delete(f.seen, netip.AddrPortFrom(target.Addr().Unmap().WithZone(""), target.Port()))
	}
}

// A Sweep is what Join needs to know of a scan.
type Sweep struct {
	Open    []exposure.Subject
	Up      func(netip.Addr) bool
	Hosts   []netip.Addr // addresses that were up, the first ones if there are many
	Loss    float64      // share of the probes that were lost, 0 to 1
	Vantage func(netip.Addr) exposure.Vantage
	Names   func(netip.Addr) []string
}

// Join puts the files and the scan together. It returns a notice for files of which it is not
// known which host they describe.
func (f *Files) Join(s *Sweep) []result.Notice {
	if f == nil {
		return nil
	}
	var notices []result.Notice
	for _, h := range f.hosts {
		if h.host == "" {
			var others int
			if h.addresses, others = onlyHost(s); others > 0 {
				notices = append(notices, exposure.NewNotice(exposure.NoticeWhichHost, "", nil, "The files of --config describe one host, but %d are up.", others))
			}
		}
		f.join(h, s)
	}
	return notices
}

// onlyHost returns the addresses of the only host that is up, or how many hosts are.
func onlyHost(s *Sweep) (list []netip.Addr, others int) {
	names := map[string]bool{}
	for _, a := range s.Hosts {
		name := a.String()
		if all := s.Names(a); len(all) > 0 {
			name = exposure.CanonicalName(all[0])
		}
		names[name] = true
	}
	if len(names) > 1 {
		return nil, len(names)
	}
	return s.Hosts, 0
}

// join puts the files of one host and the scan together.
func (f *Files) join(h *hostFiles, s *Sweep) {
	var outside []join.Address
	for _, ip := range h.addresses {
		ip = ip.Unmap().WithZone("")
		a := join.Address{IP: ip, States: map[uint16]result.State{}}
		for port := range f.ports {
			r, known := f.seen[netip.AddrPortFrom(ip, port)]
			if known && (r.State != result.StateFiltered || s.Up(ip) && drift.SilenceShows(s.Loss, r.Attempts)) {
				a.States[port] = r.State
			}
		}
		for i := range s.Open {
			if p := &s.Open[i]; p.Target.Addr().Unmap().WithZone("") == ip {
				a.States[p.Target.Port()] = result.StateOpen
			}
		}
		outside = append(outside, a)
	}
	h.view = join.View{Files: true, Bound: h.bound}
	if len(h.addresses) > 0 {
		h.view.From = s.Vantage(h.addresses[0]).String()
		h.pairs = join.Join(h.listeners, outside)
	}
}

// bound says where a listener is bound.
func (h *hostFiles) bound(i int) string {
	l := &h.audit.read.Listeners[i]
	at := l.Address
	if !at.IsValid() {
		at = netip.IPv4Unspecified()
	}
	return exposure.BoundTo(at.WithZone(""), string(l.Through))
}

// Of reports whether the files of the host of an address were read.
func (f *Files) Of(a netip.Addr) bool { return f.Config(a) != nil }

// Config returns what the files of the host of an address configure; nil if none were read.
func (f *Files) Config(a netip.Addr) *listeners.Config {
	if f == nil {
		return nil
	}
	for _, h := range f.hosts {
		if slices.Contains(h.addresses, a.Unmap().WithZone("")) {
			return &h.audit.read
		}
	}
	return nil
}

// find returns the pair of an address and port; nil if there is none.
func (f *Files) find(target netip.AddrPort) (*hostFiles, *join.Pair) {
	target = netip.AddrPortFrom(target.Addr().Unmap().WithZone(""), target.Port())
	for _, h := range f.hosts {
		if i := slices.IndexFunc(h.pairs, func(p join.Pair) bool { return p.Target == target }); i >= 0 {
			return h, &h.pairs[i]
		}
	}
	return nil, nil
}

// Explain returns an open port with the line that opens it, and a sentence about it if no
// listener of the files is what answers, but one has the port.
func (f *Files) Explain(p exposure.Subject) (with exposure.Subject, why string) {
	if f == nil {
		return p, ""
	}
	h, pair := f.find(p.Target)
	switch {
	case pair == nil || pair.Listener < 0:
	case pair.State == result.JoinReachable:
		h.open(&p, pair.Listener)
	case pair.State == result.JoinElsewhere:
		return p, h.view.Why(h.listeners, pair)
	case p.Target.Addr().IsLoopback(): // a scan of the machine by itself
		if l := &h.audit.read.Listeners[pair.Listener]; l.All() || l.Address.Unmap() == p.Target.Addr().Unmap() {
			h.open(&p, pair.Listener)
		}
	}
	return p, ""
}

// open adds the line of a listener to a port.
func (h *hostFiles) open(p *exposure.Subject, i int) {
	l := &h.audit.read.Listeners[i]
	at := l.At
	p.Anchor = &at
	p.OpenedBy, p.Fix = h.audit.Line(l)
}

// A FilteredPort is a port that a file opens, and that only a filter protects.
type FilteredPort struct {
	Subject exposure.Subject // as it would be judged if it was open
	Why     string
}

// Filtered returns the ports that the files open, and that only a filter protects. subject
// returns a port with its names.
func (f *Files) Filtered(subject func(scan.Result) exposure.Subject) []FilteredPort {
	if f == nil {
		return nil
	}
	var list []FilteredPort
	for _, h := range f.hosts {
		for i := range h.pairs {
			pair := &h.pairs[i]
			if pair.State != result.JoinFiltered {
				continue
			}
			p := subject(scan.Result{Target: pair.Target, State: result.StateFiltered, Time: h.audit.start})
			p.State = result.StateOpen
			p.Service = h.audit.Identify(&h.audit.read.Listeners[pair.Listener])
			h.open(&p, pair.Listener)
			list = append(list, FilteredPort{p, h.view.Why(h.listeners, pair)})
		}
	}
	return list
}

// Rows returns what a report shows of files and scan together.
func (f *Files) Rows(names func(netip.Addr) []string) []result.Joined {
	if f == nil {
		return nil
	}
	var rows []result.Joined
	for _, h := range f.hosts {
		for i := range h.pairs {
			p := &h.pairs[i]
			if len(rows) == join.MaxRows {
				return rows
			}
			row := result.Joined{IP: p.Target.Addr(), Port: p.Target.Port(), State: p.State, Outside: p.Outside, Why: h.view.Why(h.listeners, p)}
			if all := names(p.Target.Addr()); len(all) > 0 {
				row.Host = all[0]
			}
			if p.Listener >= 0 {
				l := &h.audit.read.Listeners[p.Listener]
				at := l.At
				row.Anchor, row.Product, row.Bound = &at, l.Product, h.listeners[p.Listener].String()
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// Undecided returns notices about what the files do not decide: those that make a run
// incomplete, and the others.
func (f *Files) Undecided() (missing, told []result.Notice) {
	if f == nil {
		return nil, nil
	}
	for _, h := range f.hosts {
		facts, more := h.audit.facts(h.audit.undecided())
		missing, told = append(missing, facts.Incomplete...), append(told, more...)
		if facts.Nothing != nil {
			missing = append(missing, *facts.Nothing)
		}
	}
	return missing, told
}
