package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
)

// How a listener passes connections on, in the words of result.Configured.
const (
	throughPublished = "published"
	throughCluster   = "cluster"
)

// boundTo says in words where a listener of a file, or of this machine, is bound: neither
// says who can reach it.
func (p *Subject) boundTo() string { return BoundTo(p.Target.Addr(), p.through()) }

// through says what passes connections on to a listener.
func (p *Subject) through() string {
	switch {
	case p.Listener != nil:
		return p.Listener.Through
	case p.Socket != nil:
		return p.Socket.Through
	}
	return ""
}

// BoundTo says in words where something is bound, and through what, in the words of
// result.Configured, connections reach it.
func BoundTo(addr netip.Addr, through string) string {
	all := addr.IsUnspecified()
	switch {
	case through == throughCluster && all:
		return "open outside of the cluster"
	case through == throughPublished && all:
		return "published on all addresses"
	case through == throughPublished:
		return "published on " + addr.String()
	case all:
		return "bound to all addresses"
	}
	return "bound to " + addr.String()
}

// TitleOf returns the title of the rule for a listener of a file with an address. That of a
// rule about a setting says nothing about the address.
func (r *Rule) TitleOf(addr netip.Addr, l *result.Configured) string {
	if r.OfSetting() {
		return r.Title
	}
	return boundTitle(r.Title, BoundTo(addr, l.Through))
}

// boundTitle returns the title of a rule for a listener that is bound so.
func boundTitle(title, bound string) string {
	for _, seen := range []string{" exposed", " is open", " open"} {
		if before, after, ok := strings.Cut(title, seen); ok && (after == "" || after[0] == ',') {
			if seen == " is open" {
				bound = "is " + bound
			}
			return before + " " + bound + after
		}
	}
	return title + " (" + bound + ")"
}

// listenerEvidence returns the evidence for a listener of a file: the token, why it is as
// wide as it is, and what is known of the daemon.
func (p *Subject) listenerEvidence() []string {
	if p.Setting != nil {
		return p.settingEvidence()
	}
	list := []string{fmt.Sprintf("%q opens port %d/tcp, %s", p.Listener.Name, p.Target.Port(), p.boundTo())}
	causes := p.causes(p.Listener)
	list = append(list, causes[:min(len(causes), maxEvidence-2)]...)
	s := p.Service
	if s == nil || s.Method == result.MethodTable {
		return append(list, "only the port number is known; the file does not say which daemon it is")
	}
	return append(list, "the file configures "+daemon(s))
}

// daemon says what a service is that was not asked.
func daemon(s *fingerprint.Identification) string {
	what := cmp.Or(ProductOf(s), s.Name, "a daemon")
	if s.Name != "" && s.Name != what {
		what += " (" + s.Name + ")"
	}
	if s.Role != "" && s.Role != result.RoleUnknown {
		what += ", in the role " + string(s.Role)
	}
	if s.RoleByPort {
		what += "; role guessed from the port number"
	}
	return what
}

// binds reports whether binding the listener to loopback closes a finding of the rule.
func (r *Rule) binds() bool {
	return r.Kind == KindListener || r.Kind == KindPolicy || r.Kind == KindJoined
}

// bindsAt is binds for a port. A public port that takes a PROXY header is there for a load
// balancer, which loopback would cut off, and with it all of its clients.
func (r *Rule) bindsAt(public bool) bool {
	return r.binds() && !(public && slices.ContainsFunc(proxyObservations, r.asksFor))
}

// proxyObservations are the observations of a listener that takes a PROXY header.
var proxyObservations = []string{"proxy-expected", "proxy-trusted"}

// lineOf returns what a file says as a finding of the rule has it: with the edit only if
// that closes the finding.
func (r *Rule) lineOf(line *result.Configured, public bool) *result.Configured {
	if r.bindsAt(public) || r.OfSetting() || line.Edit == nil { // a setting has its own edit
		return line
	}
	l := *line
	l.Edit = nil
	return &l
}

// lineEvidence returns the evidence of the line that opens a port that was scanned, and why
// it is as wide as it is.
func (p *Subject) lineEvidence() []string {
	text := fmt.Sprintf("%q opens it", p.OpenedBy.Name)
	if p.Anchor != nil {
		text = fmt.Sprintf("%s:%d opens it: %s", p.Anchor.File, p.Anchor.Line, strings.TrimSpace(p.Anchor.Text))
	}
	if list := p.causes(p.OpenedBy); len(list) > 0 {
		text += "; " + list[0]
	}
	return []string{text}
}

// causes returns why a line opens a port as wide as it does.
func (p *Subject) causes(line *result.Configured) []string {
	var list []string
	for _, c := range line.Causes {
		sentence := c.Why
		if c.Anchor != nil && (p.Anchor == nil || *c.Anchor != *p.Anchor) {
			sentence += fmt.Sprintf(" (%s:%d)", c.Anchor.File, c.Anchor.Line)
		}
		list = append(list, sentence)
	}
	return list
}

// adviceOfLine returns how to close a finding of a port that was scanned, or on which the
// machine listens: by the edit of the line that opens it, else as otherwise advised.
func (p *Subject) adviceOfLine(r *Rule, otherwise Advice, vantage string, public bool) Advice {
	e, known := p.OpenedBy.Edit, fix.Builtin().Lookup(p.Fix)
	if e == nil || known == nil || p.Anchor == nil || !r.bindsAt(public) {
		return otherwise
	}
	v := fix.Values{Address: p.Target.Addr(), Port: p.Target.Port(), Vantage: vantage}
	if p.Socket != nil { // a scan of 0.0.0.0 verifies nothing
		v.File, v.Line, v.Root = p.Anchor.File, p.Anchor.Line, p.Root
	}
	_, rest, _ := strings.Cut(fix.Text([]*fix.Fix{known}, v), "\n")
	a := Advice{Text: fmt.Sprintf("%s:%d: %s\n%s", p.Anchor.File, e.StartLine, e.Says(), rest), Fixes: []string{known.ID}}
	if r.Fixes.Also != "" {
		a.Text += "\n" + fillPort(r.Fixes.Also, p.Target.Port())
	}
	return a
}

// advice returns how to close a finding of a listener of a file.
func (p *Subject) advice(r *Rule, public bool) Advice {
	if p.Setting != nil {
		return p.settingAdvice(r)
	}
	v := fix.Values{Address: p.Target.Addr(), Port: p.Target.Port(), File: p.Host, Root: p.Root}
	if p.Anchor != nil {
		v.Line = p.Anchor.Line
	}
	known := fix.Builtin().Lookup(p.Fix)
	if r.binds() && !r.bindsAt(public) && p.Service != nil {
		if own := fix.Choose(r.Fixes.Known(), p.Service.KnownProduct(), "", HasProduct); len(own) == 1 {
			return Advice{Text: fix.Text(own, v), Fixes: []string{own[0].ID}}
		}
	}
	if known == nil || !r.bindsAt(public) {
		return Advice{Text: fillPort(r.Fixes.Default, v.Port) + "\n" + fix.VerifyFile(v.Root+v.File)}
	}
	a := Advice{Text: fix.Text([]*fix.Fix{known}, v), Fixes: []string{known.ID}}
	if e := p.Listener.Edit; e != nil {
		_, rest, _ := strings.Cut(a.Text, "\n")
		a.Text = fmt.Sprintf("%s:%d: %s\n%s", v.File, e.StartLine, e.Says(), rest)
	}
	if r.Fixes.Also != "" {
		a.Text += "\n" + fillPort(r.Fixes.Also, v.Port)
	}
	return a
}
