package policy

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// expectation reads an entry of expect.
func (l *loader) expectation(n *yaml.Node) Expectation {
	e, service := &l.reading.expect, &l.reading.service
	*e, *service = Expectation{place: l.place(n)}, expectedService{}
	if l.reading.expectFields == nil {
		l.reading.expectFields = []userfile.Field{
			l.hosts("target", &e.Hosts), l.portList("ports", &e.Ports),
			l.protocol(&service.protocol), l.word("product", false, &service.product),
		}
	}
	l.Mapping(n, "an expected service", l.reading.expectFields)
	if e.Hosts.all() && e.Ports.all() && *service == (expectedService{}) {
		l.Fail(n, "name the hosts, the ports or the service", "an expectation without hosts, ports or service covers everything")
	}
	e.service = l.service(n, *service)
	l.weigh(n, expectBytes)
	return *e
}

// service returns the service of an entry, shared by entries with equal services.
func (l *loader) service(n *yaml.Node, s expectedService) *expectedService {
	if s == (expectedService{}) {
		return nil
	}
	if known, ok := l.shared.services[s]; ok {
		return known
	}
	s = expectedService{strings.Clone(s.protocol), strings.Clone(s.product)}
	l.weigh(n, serviceBytes+2*len(s.protocol)+2*len(s.product))
	share(&l.shared.services, s, &s)
	return &s
}

// prohibition reads an entry of must_be_closed.
func (l *loader) prohibition(n *yaml.Node) Prohibition {
	m := &l.reading.closed
	*m = Prohibition{place: l.place(n)}
	if l.reading.closedFields == nil {
		l.reading.closedFields = []userfile.Field{l.hosts("target", &m.Hosts), l.portList("ports", &m.Ports)}
	}
	l.Mapping(n, "an entry of must_be_closed", l.reading.closedFields)
	if m.Hosts.OfFiles() {
		l.Fail(n, "write target: '*'", "files cannot be a target of must_be_closed")
	}
	l.weigh(n, closedBytes)
	return *m
}

// acceptFields returns the keys of an accepted risk.
func (l *loader) acceptFields(a *AcceptedRisk) []userfile.Field {
	return []userfile.Field{
		l.word("id", true, &a.ID),
		userfile.Required("rule", func(n *yaml.Node) { a.Rule = l.ruleID(n) }),
		l.hosts("target", &a.Hosts),
		userfile.Optional("port", func(n *yaml.Node) {
			l.reading.port = true
			a.Ports = l.ports(n, l.Joined(n, "port"))
		}),
		userfile.Required("reason", func(n *yaml.Node) {
			a.Reason = l.Text(n, "reason")
			if utf8.RuneCountInString(a.Reason) < 10 {
				l.Fail(n, "say why the risk is acceptable, in at least 10 characters", "reason %q is too short", a.Reason)
			}
		}),
		l.word("owner", true, &a.Owner),
		userfile.Required("expires", func(n *yaml.Node) { a.Expires = result.NewDate(l.day(n, "expires")) }),
	}
}

// accept reads an entry of accept.
func (l *loader) accept(n *yaml.Node) AcceptedRisk {
	a := &l.reading.accept
	*a = AcceptedRisk{place: l.place(n)}
	if l.reading.acceptFields == nil {
		l.reading.acceptFields = l.acceptFields(a)
	}
	l.reading.port = false
	l.Mapping(n, "an accepted risk", l.reading.acceptFields)
	if a.Rule == "*" && a.Hosts.all() {
		l.Fail(n, "name the rule or the target", "an acceptance of every rule on every target accepts everything")
	}
	switch {
	case !l.reading.port && !a.isNotice():
		l.Fail(n, `name the ports, or "*"`, `an accepted risk lacks the key "port"`)
	case l.reading.port && a.isNotice():
		l.Fail(n, "omit the port", "notice %s is about a whole host", a.Rule)
	}
	if line := l.ids.line(l.policy.Accept, a.ID); line > 0 {
		l.Fail(n, "give each acceptance an id of its own", "id %q is already used in line %d", a.ID, line)
	} else if a.ID != "" {
		l.ids.add(a.ID, len(l.policy.Accept))
	}
	a.ID, a.Rule, a.Reason, a.Owner = strings.Clone(a.ID), l.sharedText(n, a.Rule), l.sharedText(n, a.Reason), l.sharedText(n, a.Owner)
	l.weigh(n, acceptBytes+16+len(a.ID))
	return *a
}

// ruleID reads the id of a rule, the code of a notice that can be accepted, or
// "*".
func (l *loader) ruleID(n *yaml.Node) string {
	id := l.Text(n, "rule")
	known := l.context.Rules == nil || l.context.Rules.Lookup(id) != nil
	switch {
	case id == "*" || slices.Contains(acceptableNotices, id):
	case noticeID.MatchString(id):
		l.Fail(n, "the notices about a host are "+strings.Join(acceptableNotices, ", "), "notice %q cannot be accepted", id)
	case !exposure.ValidRuleID(id) || !known:
		rest := `"mxsweep rules" lists all rules`
		if l.context.Rules != nil {
			rest = spelling.Hint(l.context.Rules.IDs(), id, rest)
		}
		l.Fail(n, rest, "no rule %q", id)
	}
	return id
}

// day reads a date, YYYY-MM-DD; what names it in errors.
func (l *loader) day(n *yaml.Node, what string) time.Time {
	return l.Date(n, "write the last day on which it is valid as YYYY-MM-DD", what)
}
