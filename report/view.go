package report

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// A view is a run as people read it: by host, by port, with the findings of
// each. The formats for people share it, so that they say the same.
type view struct {
	tool     result.Tool
	run      result.Run
	sum      result.Summary
	hosts    []hostView        // that have an open port or a live finding
	settled  []*result.Finding // accepted, expected and fixed
	notices  []result.Notice
	failing  int // findings that the gate fails on
	reach    reach
	show     showing
	hidden   int               // findings that are not shown because of show.only
	folded   []*result.Finding // known ones that are only counted
	rules    map[string]*result.Rule
	unjudged map[string]*unjudged // ports that could not be judged, by cause
}

// A hostView is one address.
type hostView struct {
	ip    string
	addr  netip.Addr
	name  string
	stack string
	ports []portView // the one with the most urgent finding first
}

// A portView is one port, with its record if this run saw it.
type portView struct {
	num      uint16
	protocol string
	port     *result.Port      // nil: only a finding of an earlier run
	findings []*result.Finding // live ones, the most urgent first
	folded   []*result.Finding // known ones that are only counted
}

// A showing says what a report shows of the findings. The zero showing is all.
type showing struct {
	only string // the part that is shown, as in Options; "" is all
	fold bool   // whether findings that are known are only counted
}

// A reach is how far the findings of a run reach, shown or not.
type reach struct {
	hosts int // with a finding that stands
	ports int // likewise
	open  int // open ports
}

// newView arranges what a collector holds, which must be sorted.
func newView(c *collector, s result.Summary, show showing) *view {
	v := &view{
		tool: c.tool, run: c.run, sum: s, notices: c.notices, failing: c.failing, show: show,
		rules:    make(map[string]*result.Rule),
		unjudged: make(map[string]*unjudged),
	}
	for i := range c.run.Rules {
		v.rules[c.run.Rules[i].ID] = &c.run.Rules[i]
	}
	b := viewBuilder{v: v, index: make(map[netip.Addr]int)}
	for i := range c.ports {
		b.port(&c.ports[i])
	}
	for i := range c.findings {
		b.finding(&c.findings[i])
	}
	v.measure()
	v.restrict()
	v.foldKnown()
	sortHosts(v.hosts)
	return v
}

// measure says how far the findings reach.
func (v *view) measure() {
	for i := range v.hosts {
		with := v.reach.ports
		for j := range v.hosts[i].ports {
			p := &v.hosts[i].ports[j]
			if len(p.findings) > 0 {
				v.reach.ports++
			}
			if p.port != nil {
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
func (v *view) restrict() {
	if v.show.only == "" {
		return
	}
	v.hidden = len(v.settled)
	v.settled = nil
	for i := range v.hosts {
		h := &v.hosts[i]
		for j := range h.ports {
			p := &h.ports[j]
			all := len(p.findings)
			p.findings = slices.DeleteFunc(p.findings, func(f *result.Finding) bool { return !shows(f, v.show.only) })
			v.hidden += all - len(p.findings)
		}
		h.ports = slices.DeleteFunc(h.ports, func(p portView) bool { return len(p.findings) == 0 })
	}
	v.hosts = slices.DeleteFunc(v.hosts, func(h hostView) bool { return len(h.ports) == 0 })
}

// foldKnown takes the findings that are known out of their ports.
func (v *view) foldKnown() {
	if !v.show.fold {
		return
	}
	for i := range v.hosts {
		for j := range v.hosts[i].ports {
			p := &v.hosts[i].ports[j]
			p.findings = slices.DeleteFunc(p.findings, func(f *result.Finding) bool {
				if f.Known() {
					p.folded = append(p.folded, f)
				}
				return f.Known()
			})
			v.folded = append(v.folded, p.folded...)
		}
	}
}

// split parts the hosts into the findings that fail the gate, and the rest: the
// other findings, and the ports that have none.
func (v *view) split() (failing, rest []hostView) {
	for i := range v.hosts {
		f, r := v.hosts[i], v.hosts[i]
		f.ports, r.ports = nil, nil
		for _, p := range v.hosts[i].ports {
			n := 0 // those that fail are sorted first
			for n < len(p.findings) && p.findings[n].Fails() {
				n++
			}
			q := p
			q.findings, p.findings = p.findings[:n], p.findings[n:]
			if n > 0 {
				f.ports = append(f.ports, q)
			}
			if n == 0 || len(p.findings) > 0 {
				r.ports = append(r.ports, p)
			}
		}
		if len(f.ports) > 0 {
			failing = append(failing, f)
		}
		if len(r.ports) > 0 {
			rest = append(rest, r)
		}
	}
	sortHosts(rest)
	return failing, rest
}

// restriction says that only a part of the findings is shown; "" where all
// are.
func (v *view) restriction() string {
	what := map[string]string{OnlyNew: "new findings", OnlyFailing: "findings that fail the gate"}[v.show.only]
	if what == "" {
		return ""
	}
	return fmt.Sprintf("Only %s are shown; %s left out.", what, isAre(v.hidden, "other finding"))
}

// viewBuilder puts records to their hosts.
type viewBuilder struct {
	v     *view
	index map[netip.Addr]int // into v.hosts
}

func (b *viewBuilder) host(addr netip.Addr, ip, name string) *hostView {
	i, ok := b.index[addr]
	if !ok {
		i = len(b.v.hosts)
		b.index[addr] = i
		b.v.hosts = append(b.v.hosts, hostView{ip: ip, addr: addr})
	}
	h := &b.v.hosts[i]
	h.name = cmp.Or(h.name, name)
	return h
}

// shownNames are the names of a host for people, at most four of them.
func shownNames(host string, aliases []string) string {
	const most = 3
	names := append([]string{host}, aliases[:min(len(aliases), most)]...)
	text := strings.Join(names, ", ")
	if more := len(aliases) - most; more > 0 {
		text += " and " + plural(more, "more name")
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
	if unsettled(p.Service) != "" {
		b.v.unjudgedFor(p)
	}
	h := b.host(p.Address(), p.IP, shownNames(p.Host, p.Aliases))
	if p.Service != nil {
		h.stack = cmp.Or(h.stack, p.Service.Stack)
	}
	h.ports = append(h.ports, portView{num: p.Port, protocol: p.Protocol, port: p})
}

func (b *viewBuilder) finding(f *result.Finding) {
	if !f.Active() {
		b.v.settled = append(b.v.settled, f)
		return
	}
	b.findingAt(f, f.Address(), f.IP)
	for _, ip := range f.Addresses {
		if addr, err := netip.ParseAddr(ip); err == nil && addr != f.Address() {
			b.findingAt(f, addr, ip)
		}
	}
}

// findingAt puts a live finding to one address of its host.
func (b *viewBuilder) findingAt(f *result.Finding, addr netip.Addr, ip string) {
	h := b.host(addr, ip, shownNames(f.Host, f.Aliases))
	i := slices.IndexFunc(h.ports, func(p portView) bool { return p.num == f.Port && p.protocol == f.Protocol })
	if i < 0 {
		i = len(h.ports)
		h.ports = append(h.ports, portView{num: f.Port, protocol: f.Protocol})
	}
	h.ports[i].findings = append(h.ports[i].findings, f)
}

// rule explains a finding; a rule that the run does not carry is made up from
// the finding itself.
func (v *view) rule(f *result.Finding) *result.Rule {
	if r := v.rules[f.Rule]; r != nil {
		return r
	}
	r := ruleOf(f)
	v.rules[f.Rule] = &r
	return &r
}

// ruleOf is what a finding tells of its rule.
func ruleOf(f *result.Finding) result.Rule {
	return result.Rule{
		ID: f.Rule, Title: f.Title, Severity: f.Severity, Score: f.Score,
		References: f.References, CWE: f.CWE, Tags: f.Tags,
	}
}

// why is the gist of the reason why the finding matters.
func (v *view) why(f *result.Finding) string { return gist(v.rule(f).Why) }

// fix is the remedy line by line; in brief its first line, with a mark if
// there is more.
func (v *view) fix(f *result.Finding, all bool) []string {
	text := strings.TrimSpace(cmp.Or(f.Remediation, v.rule(f).Fix))
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if len(lines) > 1 && !all {
		return []string{strings.TrimRight(lines[0], " ") + more}
	}
	return lines
}

// more ends a text of which there is more.
const more = " …"

// gist is as many whole sentences of s as it takes to say something: at
// least one, and a second where the first only says what the port is.
func gist(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const enough = 130
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '.' && s[i+1] == ' ' && s[i+2] >= 'A' && s[i+2] <= 'Z' && i >= enough {
			return s[:i+1]
		}
	}
	return s
}

func (p *portView) number() string { return itoa(int(p.num)) + "/" + cmp.Or(p.protocol, "tcp") }

// says tells in one line what answers on the port.
func (p *portView) says() string {
	if p.port == nil {
		return "not seen in this run; known from the baseline"
	}
	s := p.port.Service
	if s == nil {
		return "open, not identified" + assumed(p.port)
	}
	parts := []string{s.Label()}
	if parts[0] == "" {
		parts[0] = "unknown service"
	}
	switch {
	case s.Product != "" || len(s.Alternatives) == 0:
	case s.ByNumber():
		parts[0] += " on a port that " + strings.Join(s.Alternatives, " or ") + " uses"
	default:
		parts[0] += ": " + strings.Join(s.Alternatives, " or ")
	}
	if s.ByNumber() {
		// What the table knows of the number says nothing of what answers.
	} else if s.Role != "" && s.Role != "unknown" {
		parts = append(parts, strings.ReplaceAll(s.Role, "-", " "))
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
		parts = append(parts, "its own ACL refused us")
	}
	if why := unsettled(s); why != "" {
		parts = append(parts, why)
	} else if s.Product == "" && p.port.Banner != nil {
		parts = append(parts, `said "`+shorten(p.port.Banner.Text, 60)+`"`)
	}
	return strings.Join(parts, ", ") + confidence(s) + assumed(p.port)
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

// grade is the severity, and the drift where there is a baseline.
func grade(f *result.Finding) string {
	if f.Drift == result.DriftNone {
		return f.Severity.String()
	}
	return f.Severity.String() + ", " + string(f.Drift)
}

// place is "192.0.2.1:25" or "[2001:db8::1]:25".
func place(ip string, port uint16) string {
	if strings.Contains(ip, ":") {
		return "[" + ip + "]:" + itoa(int(port))
	}
	return ip + ":" + itoa(int(port))
}
