// Package view arranges a run as people read it, by host, port and finding, so
// that all formats say the same.
package view

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// A View is a run as people read it: by host, by port, with the findings of
// each. The formats for people share it, so that they say the same.
type View struct {
	Tool     result.Tool
	Run      result.Run
	Sum      result.Summary
	Hosts    []HostEntry       // that have an open port or a live finding
	Resolved []*result.Finding // accepted, expected and fixed
	findings []result.Finding  // all of them
	notices  []result.Notice
	failing  int // findings that the gate fails on
	reach    reach
	Show     Showing
	hidden   int               // findings that are not shown because of show.only
	Folded   []*result.Finding // known ones that are only counted
	rules    map[string]*result.RuleInfo
	unjudged map[string]*unjudged // ports that could not be judged, by cause
}

// A HostEntry is one address.
type HostEntry struct {
	IP    netip.Addr
	Name  string
	Stack string
	Ports []PortEntry // the one with the most urgent finding first
}

// A PortEntry is one port, with its record if this run saw it.
type PortEntry struct {
	Num      uint16
	protocol string
	Port     *result.Port      // nil: only a finding of an earlier run
	Findings []*result.Finding // live ones, the most urgent first
	folded   []*result.Finding // known ones that are only counted
}

// A Showing says what a report shows of the findings. The zero showing is all.
type Showing struct {
	Only string // the part that is shown, as in Options; "" is all
	Fold bool   // whether findings that are known are only counted
}

// A reach is how far the findings of a run reach, shown or not.
type reach struct {
	hosts int // with a finding that stands
	ports int // likewise
	open  int // open ports
}

// New arranges what a collector holds, which must be sorted.
func New(c *Collector, s result.Summary, show Showing) *View {
	v := &View{
		Tool: c.Tool, Run: c.Run, Sum: s, findings: c.Findings, notices: c.Notices, failing: c.failing, Show: show,
		rules:    make(map[string]*result.RuleInfo),
		unjudged: make(map[string]*unjudged),
	}
	for i := range c.Run.Rules {
		v.rules[c.Run.Rules[i].ID] = &c.Run.Rules[i]
	}
	b := viewBuilder{v: v, index: make(map[netip.Addr]int)}
	for i := range c.Ports {
		b.port(&c.Ports[i])
	}
	for i := range c.Findings {
		b.finding(&c.Findings[i])
	}
	v.measure()
	v.restrict()
	v.foldKnown()
	sortHosts(v.Hosts)
	return v
}

// measure says how far the findings reach.
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

// restrict leaves out what is not to be shown: other findings, and the ports
// and hosts that have none left.
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

// foldKnown takes the findings that are known out of their ports.
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

// Split parts the hosts into the findings that fail the gate, and the rest: the
// other findings, and the ports that have none.
func (v *View) Split() (failing, rest []HostEntry) {
	for i := range v.Hosts {
		f, r := v.Hosts[i], v.Hosts[i]
		f.Ports, r.Ports = nil, nil
		for _, p := range v.Hosts[i].Ports {
			n := 0 // those that fail are sorted first
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

// Restriction says that only a part of the findings is shown; "" where all
// are.
func (v *View) Restriction() string {
	what := map[string]string{format.OnlyNew: "new findings", format.OnlyFailing: "findings that fail the gate"}[v.Show.Only]
	if what == "" {
		return ""
	}
	return fmt.Sprintf("Only %s are shown; %s left out.", what, words.IsAre(v.hidden, "other finding"))
}

// viewBuilder puts records to their hosts.
type viewBuilder struct {
	v     *View
	index map[netip.Addr]int // into v.hosts
}

func (b *viewBuilder) host(addr netip.Addr, name string) *HostEntry {
	i, ok := b.index[addr]
	if !ok {
		i = len(b.v.Hosts)
		b.index[addr] = i
		b.v.Hosts = append(b.v.Hosts, HostEntry{IP: addr})
	}
	h := &b.v.Hosts[i]
	h.Name = cmp.Or(h.Name, name)
	return h
}

// ShownNames are the names of a host for people, at most four of them.
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
		b.v.unjudgedFor(p)
		return
	default:
		return
	}
	if Inconclusive(p.Service) != "" {
		b.v.unjudgedFor(p)
	}
	h := b.host(p.IP, ShownNames(p.Host, p.Aliases))
	if p.Service != nil {
		h.Stack = cmp.Or(h.Stack, p.Service.Stack)
	}
	h.Ports = append(h.Ports, PortEntry{Num: p.Port, protocol: p.Protocol, Port: p})
}

func (b *viewBuilder) finding(f *result.Finding) {
	if !f.Active() {
		b.v.Resolved = append(b.v.Resolved, f)
		return
	}
	b.findingAt(f, f.IP)
	for _, addr := range f.Addresses {
		if addr != f.IP {
			b.findingAt(f, addr)
		}
	}
}

// findingAt puts a live finding to one address of its host.
func (b *viewBuilder) findingAt(f *result.Finding, addr netip.Addr) {
	h := b.host(addr, ShownNames(f.Host, f.Aliases))
	i := slices.IndexFunc(h.Ports, func(p PortEntry) bool { return p.Num == f.Port && p.protocol == f.Protocol })
	if i < 0 {
		i = len(h.Ports)
		h.Ports = append(h.Ports, PortEntry{Num: f.Port, protocol: f.Protocol})
	}
	h.Ports[i].Findings = append(h.Ports[i].Findings, f)
}

// Rule explains a finding; a rule that the run does not carry is made up from
// the finding itself.
func (v *View) Rule(f *result.Finding) *result.RuleInfo {
	if r := v.rules[f.Rule]; r != nil {
		return r
	}
	r := RuleOf(f)
	v.rules[f.Rule] = &r
	return &r
}

// RuleOf is what a finding tells of its rule.
func RuleOf(f *result.Finding) result.RuleInfo {
	return result.RuleInfo{
		ID: f.Rule, Title: f.Title, Severity: f.Severity, Score: f.Score,
		References: f.References, CWE: f.CWE, Tags: f.Tags,
	}
}

// Why is in short why the finding matters.
func (v *View) Why(f *result.Finding) string { return Summarize(v.Rule(f).Why) }

// Fix is the remedy line by line; in brief its first line, with a mark if
// there is more.
func (v *View) Fix(f *result.Finding, all bool) []string {
	text := strings.TrimSpace(cmp.Or(f.Remediation, v.Rule(f).Fix))
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if len(lines) > 1 && !all {
		return []string{strings.TrimRight(lines[0], " ") + words.MoreMark}
	}
	return lines
}

// Summarize gives as many whole sentences of s as it takes to say something: at
// least one, and a second where the first only says what the port is.
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

// Number is the port with its protocol, like 25/tcp.
func (p *PortEntry) Number() string {
	return strconv.Itoa(int(p.Num)) + "/" + cmp.Or(p.protocol, "tcp")
}

// Describe tells in one line what answers on the port.
func (p *PortEntry) Describe() string {
	if p.Port == nil {
		return "not seen in this run, but in the baseline"
	}
	s := p.Port.Service
	if s == nil {
		return "open, not identified" + assumed(p.Port)
	}
	parts := []string{s.Label()}
	if parts[0] == "" {
		parts[0] = "unknown service"
	}
	switch {
	case s.SelfNamed:
		parts[0] += " (says of itself)"
	case s.Product != "" || len(s.Alternatives) == 0:
	case s.ByNumber():
		parts[0] += " on a port that " + strings.Join(s.Alternatives, " or ") + " uses"
	default:
		parts[0] += ": " + strings.Join(s.Alternatives, " or ")
	}
	if s.ByNumber() {
		// What the table knows of the number says nothing of what answers.
	} else if s.Role != "" && s.Role != "unknown" {
		parts = append(parts, strings.ReplaceAll(string(s.Role), "-", " "))
	} else if s.Product != "" && s.Name != "" {
		parts = append(parts, s.Name)
	}
	if b := s.Behind; b != nil {
		parts = append(parts, "in front of "+strings.TrimSpace(b.Product+" "+b.Version))
	}
	if s.Tunnel == "ssl" {
		parts = append(parts, "TLS")
	}
	if slices.Contains(s.Observations, "acl-refused") {
		parts = append(parts, "its access list refused us")
	}
	if why := Inconclusive(s); why != "" {
		parts = append(parts, why)
	} else if s.Product == "" && p.Port.Banner != nil {
		parts = append(parts, `said "`+words.Shorten(p.Port.Banner.Text, 60)+`"`)
	}
	return strings.Join(parts, ", ") + confidence(s) + assumed(p.Port)
}

// assumed is said where nobody saw from the vantage point that the port can be
// reached.
func assumed(p *result.Port) string {
	if p.Reachability != result.ReachabilityAssumed {
		return ""
	}
	return " (an address of the scanning machine: reachability assumed)"
}

// confidence is said where it is not high.
func confidence(s *result.Service) string {
	if s.Confidence >= 7 || s.Confidence == 0 || s.ByNumber() {
		return ""
	}
	return fmt.Sprintf(" (confidence %d of 10)", s.Confidence)
}

// SeverityLabel is the severity, and the drift where there is a baseline.
func SeverityLabel(f *result.Finding) string {
	if f.Drift == result.DriftNone {
		return f.Severity.String()
	}
	return f.Severity.String() + ", " + string(f.Drift)
}

// Place is "192.0.2.1:25" or "[2001:db8::1]:25".
func Place(addr netip.Addr, port uint16) string { return netip.AddrPortFrom(addr, port).String() }
