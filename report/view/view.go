// Package view arranges a run by host, port and finding, so that all formats for
// people show the same.
package view

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// A View is a run arranged for people: by host, by port, with the findings of
// each. All formats for people use it.
type View struct {
	Tool       result.Tool
	Run        result.Run
	Sum        result.Summary
	Hosts      []HostEntry       // with an open port or a live finding
	Resolved   []*result.Finding // accepted, expected and fixed
	findings   []result.Finding  // all of them
	notices    []result.Notice
	failing    int // number of findings that fail the gate
	reach      reach
	Show       Showing
	hidden     int               // number of findings that are not shown because of show.only
	Folded     []*result.Finding // known findings that are only counted
	rules      map[string]*result.RuleInfo
	unassessed map[string]*unassessed // ports that could not be assessed, by cause
}

// A HostEntry is one address, or one file in a run of files.
type HostEntry struct {
	IP    netip.Addr // the zero Addr for a file
	File  string     // "" for an address
	Name  string
	Stack string
	Ports []PortEntry // the one with the most urgent finding first
}

// Label returns what identifies the entry: the address, or the name of the file.
func (h *HostEntry) Label() string {
	if h.File != "" {
		return h.File
	}
	return h.IP.String()
}

// A PortEntry is one port, with its record if this run saw it.
type PortEntry struct {
	Num      uint16
	Place    string // in the form of FindingPlace
	protocol string
	Port     *result.Port      // nil if there is only a finding of an earlier run
	Findings []*result.Finding // live ones, the most urgent first
	folded   []*result.Finding // known findings that are only counted
}

// repeats reports whether two entries have the same address, port and service, in the same
// way open to others.
func (p *PortEntry) repeats(o *PortEntry) bool {
	return p.Port != nil && o.Port != nil && p.Port.Listener != nil && o.Port.Listener != nil &&
		p.Port.IP == o.Port.IP && p.Num == o.Num && p.protocol == o.protocol &&
		p.Port.Listener.Through == o.Port.Listener.Through && p.Describe() == o.Describe()
}

// A Showing says which findings a report shows. The zero Showing shows all.
type Showing struct {
	Only string // as in format.Options; "" is all
	Fold bool   // whether known findings are only counted
}

// A reach is the extent of the findings of a run, whether they are shown or not.
type reach struct {
	hosts int // number of hosts with an active finding
	ports int // likewise
	open  int // number of open ports
}

// New arranges the content of a collector, which must be finished.
func New(c *Collector, s result.Summary, show Showing) *View {
	v := &View{
		Tool: c.Tool, Run: c.Run, Sum: s, findings: c.Findings, notices: c.Notices, failing: c.failing, Show: show,
		rules:      make(map[string]*result.RuleInfo),
		unassessed: make(map[string]*unassessed),
	}
	for i := range c.Run.Rules {
		v.rules[c.Run.Rules[i].ID] = &c.Run.Rules[i]
	}
	b := viewBuilder{v: v, index: make(map[hostKey]int)}
	for i := range c.Ports {
		b.port(&c.Ports[i])
	}
	for i := range c.Findings {
		b.finding(&c.Findings[i])
	}
	v.dropRepeated()
	v.measure()
	v.restrict()
	v.foldKnown()
	sortHosts(v.Hosts)
	return v
}

// dropRepeated removes listeners of files without a finding that stand for the port of a
// setting with one: the port is listed once, with the finding.
func (v *View) dropRepeated() {
	for i := range v.Hosts {
		h := &v.Hosts[i]
		if h.File == "" {
			continue
		}
		all := slices.Clone(h.Ports)
		h.Ports = slices.DeleteFunc(h.Ports, func(p PortEntry) bool {
			return len(p.Findings) == 0 && slices.ContainsFunc(all, func(q PortEntry) bool { return len(q.Findings) > 0 && q.repeats(&p) })
		})
	}
}

// measure computes the extent of the findings.
func (v *View) measure() {
	for i := range v.Hosts {
		with := v.reach.ports
		for j := range v.Hosts[i].Ports {
			p := &v.Hosts[i].Ports[j]
			if len(p.Findings) > 0 {
				v.reach.ports++
			}
			if p.Port != nil {
				v.reach.open++
			}
		}
		if v.reach.ports > with {
			v.reach.hosts++
		}
	}
}

// restrict removes what is not to be shown: other findings, and the ports and
// hosts that have none left.
func (v *View) restrict() {
	if v.Show.Only == "" {
		return
	}
	v.hidden = len(v.Resolved)
	v.Resolved = nil
	for i := range v.Hosts {
		h := &v.Hosts[i]
		for j := range h.Ports {
			p := &h.Ports[j]
			all := len(p.Findings)
			p.Findings = slices.DeleteFunc(p.Findings, func(f *result.Finding) bool { return !Shows(f, v.Show.Only) })
			v.hidden += all - len(p.Findings)
		}
		h.Ports = slices.DeleteFunc(h.Ports, func(p PortEntry) bool { return len(p.Findings) == 0 })
	}
	v.Hosts = slices.DeleteFunc(v.Hosts, func(h HostEntry) bool { return len(h.Ports) == 0 })
}

// foldKnown removes known findings from their ports.
func (v *View) foldKnown() {
	if !v.Show.Fold {
		return
	}
	for i := range v.Hosts {
		for j := range v.Hosts[i].Ports {
			p := &v.Hosts[i].Ports[j]
			p.Findings = slices.DeleteFunc(p.Findings, func(f *result.Finding) bool {
				if f.Known() {
					p.folded = append(p.folded, f)
				}
				return f.Known()
			})
			v.Folded = append(v.Folded, p.folded...)
		}
	}
}

// Split separates the findings that fail the gate from the rest: the other
// findings, and the ports without any.
func (v *View) Split() (failing, rest []HostEntry) {
	for i := range v.Hosts {
		f, r := v.Hosts[i], v.Hosts[i]
		f.Ports, r.Ports = nil, nil
		for _, p := range v.Hosts[i].Ports {
			n := 0 // those that fail come first
			for n < len(p.Findings) && p.Findings[n].Fails() {
				n++
			}
			q := p
			q.Findings, p.Findings = p.Findings[:n], p.Findings[n:]
			if n > 0 {
				f.Ports = append(f.Ports, q)
			}
			if n == 0 || len(p.Findings) > 0 {
				r.Ports = append(r.Ports, p)
			}
		}
		if len(f.Ports) > 0 {
			failing = append(failing, f)
		}
		if len(r.Ports) > 0 {
			rest = append(rest, r)
		}
	}
	sortHosts(rest)
	return failing, rest
}

// Restriction says that only a part of the findings is shown; "" if all are.
func (v *View) Restriction() string {
	what := map[string]string{format.OnlyNew: "new findings", format.OnlyFailing: "findings that fail the gate"}[v.Show.Only]
	if what == "" {
		return ""
	}
	return fmt.Sprintf("Only %s are shown; %s left out.", what, words.IsAre(v.hidden, "other finding"))
}

// viewBuilder assigns records to hosts.
type viewBuilder struct {
	v     *View
	index map[hostKey]int // into v.hosts
}

// A hostKey identifies a host by its address, or a file by its name.
type hostKey struct {
	addr netip.Addr
	file string
}

// keyOf returns the key of a host; that of a file if it has the listener.
func keyOf(addr netip.Addr, host string, l *result.Configured) hostKey {
	if l != nil {
		return hostKey{file: host}
	}
	return hostKey{addr: addr}
}

func (b *viewBuilder) host(key hostKey, name string) *HostEntry {
	i, ok := b.index[key]
	if !ok {
		i = len(b.v.Hosts)
		b.index[key] = i
		b.v.Hosts = append(b.v.Hosts, HostEntry{IP: key.addr, File: key.file})
	}
	h := &b.v.Hosts[i]
	if h.File != "" {
		return h
	}
	h.Name = cmp.Or(h.Name, name)
	return h
}

// ShownNames returns the names of a host for people, at most four of them.
func ShownNames(host string, aliases []string) string {
	const most = 3
	names := append([]string{host}, aliases[:min(len(aliases), most)]...)
	text := strings.Join(names, ", ")
	if more := len(aliases) - most; more > 0 {
		text += " and " + wording.Plural(more, "more name")
	}
	return text
}

func (b *viewBuilder) port(p *result.Port) {
	switch p.State {
	case result.StateOpen:
	case result.StateUnknown:
		b.v.countUnassessed(p)
		return
	default:
		return
	}
	if Inconclusive(p.Service) != "" {
		b.v.countUnassessed(p)
	}
	h := b.host(keyOf(p.IP, p.Host, p.Listener), ShownNames(p.Host, p.Aliases))
	if p.Service != nil {
		h.Stack = cmp.Or(h.Stack, p.Service.Stack)
	}
	h.Ports = append(h.Ports, PortEntry{Num: p.Port, Place: PortPlace(p), protocol: p.Protocol, Port: p})
}

func (b *viewBuilder) finding(f *result.Finding) {
	if !f.Active() {
		b.v.Resolved = append(b.v.Resolved, f)
		return
	}
	b.findingAt(f, f.IP)
	if f.Listener != nil {
		return
	}
	for _, addr := range f.Addresses {
		if addr != f.IP {
			b.findingAt(f, addr)
		}
	}
}

// findingAt adds a live finding to one address of its host.
func (b *viewBuilder) findingAt(f *result.Finding, addr netip.Addr) {
	h := b.host(keyOf(addr, f.Host, f.Listener), ShownNames(f.Host, f.Aliases))
	place := placeOf(addr, f.Port, f.Host, f.Listener)
	i := slices.IndexFunc(h.Ports, func(p PortEntry) bool { return p.Place == place && p.protocol == f.Protocol })
	if i < 0 {
		i = len(h.Ports)
		h.Ports = append(h.Ports, PortEntry{Num: f.Port, Place: place, protocol: f.Protocol})
	}
	h.Ports[i].Findings = append(h.Ports[i].Findings, f)
}

// Rule returns the rule of a finding; if the run does not have it, it is made
// from the finding itself.
func (v *View) Rule(f *result.Finding) *result.RuleInfo {
	if r := v.rules[f.Rule]; r != nil {
		return r
	}
	r := RuleOf(f)
	v.rules[f.Rule] = &r
	return &r
}

// RuleOf returns what a finding says about its rule.
func RuleOf(f *result.Finding) result.RuleInfo {
	return result.RuleInfo{
		ID: f.Rule, Title: f.Title, Severity: f.Severity, Score: f.Score,
		References: f.References, CWE: f.CWE, Tags: f.Tags,
	}
}

// Why returns a short reason why the finding matters.
func (v *View) Why(f *result.Finding) string { return Summarize(v.Rule(f).Why) }

// Fix returns the lines of the fix, nil if there is none. The first one is the edit, the
// others are about it.
func (v *View) Fix(f *result.Finding) []string {
	text := strings.TrimSpace(cmp.Or(f.Remediation, v.Rule(f).Fix))
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// Summarize returns as many whole sentences of s as are needed: at least one, and
// a second if the first only says what the port is.
func Summarize(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const enough = 130
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '.' && s[i+1] == ' ' && s[i+2] >= 'A' && s[i+2] <= 'Z' && i >= enough {
			return s[:i+1]
		}
	}
	return s
}
