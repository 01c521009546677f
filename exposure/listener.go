package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
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
func (p *Subject) boundTo() string { return boundTo(p.Target.Addr(), p.through()) }

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

func boundTo(addr netip.Addr, through string) string {
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
	return boundTitle(r.Title, boundTo(addr, l.Through))
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
	for _, c := range p.Listener.Causes {
		sentence := c.Why
		if c.Anchor != nil && (p.Anchor == nil || *c.Anchor != *p.Anchor) {
			sentence += fmt.Sprintf(" (%s:%d)", c.Anchor.File, c.Anchor.Line)
		}
		if len(list) < maxEvidence-1 {
			list = append(list, sentence)
		}
	}
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
func (r *Rule) binds() bool { return r.Kind == KindListener || r.Kind == KindPolicy }

// listenerOf returns the listener as a finding of the rule has it: with the edit only if
// that closes the finding.
func (p *Subject) listenerOf(r *Rule) *result.Configured {
	if r.binds() || p.Listener.Edit == nil {
		return p.Listener
	}
	l := *p.Listener
	l.Edit = nil
	return &l
}

// advice returns how to close a finding of a listener of a file.
func (p *Subject) advice(r *Rule) Advice {
	v := fix.Values{Address: p.Target.Addr(), Port: p.Target.Port(), File: p.Host}
	if p.Anchor != nil {
		v.Line = p.Anchor.Line
	}
	known := fix.Builtin().Lookup(p.Fix)
	if known == nil || !r.binds() {
		return Advice{Text: fillPort(r.Fixes.Default, v.Port) + "\n" + fix.VerifyFile(v.File)}
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
