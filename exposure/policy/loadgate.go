package policy

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/scan"
)

// gate reads the gate section.
func (l *loader) gate(n *yaml.Node) {
	g := &l.policy.Gate
	l.Mapping(n, "gate", []userfile.Field{
		userfile.Optional("fail_on", func(n *yaml.Node) {
			g.FailOn, g.FailOnAt = strings.Join(l.Texts(n, "fail_on"), ","), l.Mark(n)
			items := []*yaml.Node{n}
			if n.Kind == yaml.SequenceNode {
				items = n.Content
			}
			for _, item := range items {
				l.failOn(item)
			}
		}),
		userfile.Optional("min_coverage", func(n *yaml.Node) {
			v := l.Fraction(n, "min_coverage")
			g.MinCoverage = &v
		}),
		userfile.Optional("min_confidence", func(n *yaml.Node) { g.MinConfidence = l.Integer(n, "min_confidence", 0, 10) }),
	})
}

// failOn checks one entry of fail_on, which may have several parts separated by
// commas.
func (l *loader) failOn(n *yaml.Node) {
	_, err := ParseFailOn(n.Value, l.context.Rules)
	for _, one := range fault.Parts(err) {
		l.cause(n, "fail_on", one)
	}
}

// canary reads one canary.
func (l *loader) canary(n *yaml.Node) Canary {
	c := Canary{Anchor: l.anchor(n)}
	if host, port, err := net.SplitHostPort(n.Value); err == nil && n.Kind == yaml.ScalarNode {
		if strings.Contains(host, ":") {
			host = strconv.Quote(host)
		}
		l.Fail(n, fmt.Sprintf("write {target: %s, port: %s}", host, port), "a canary is text, expected a mapping")
		return c
	}
	l.Mapping(n, "a canary", []userfile.Field{
		l.hosts("target", &c.Selector),
		userfile.Required("port", func(n *yaml.Node) { c.Port = uint16(l.Integer(n, "port", 1, 65535)) }),
		l.protocol(&c.Protocol),
	})
	if c.Selector.all() {
		l.Fail(n, "name one host that is always up", "a canary must be a single host")
	}
	return c
}

// limits reads the limits.
func (l *loader) limits(n *yaml.Node) {
	m := &l.policy.Limits
	l.Mapping(n, "limits", []userfile.Field{
		userfile.Optional("rate", func(n *yaml.Node) { m.Rate = l.Integer(n, "rate", 1, scan.MaxRate) }),
		userfile.Optional("concurrency", func(n *yaml.Node) { m.Concurrency = l.Integer(n, "concurrency", 1, scan.MaxConcurrency) }),
		userfile.Optional("per_host", func(n *yaml.Node) { m.PerHost = l.Integer(n, "per_host", 1, scan.MaxPerHost) }),
		userfile.Optional("retries", func(n *yaml.Node) {
			v := l.Integer(n, "retries", 0, scan.MaxRetries)
			m.Retries = &v
		}),
		userfile.Optional("timeout", func(n *yaml.Node) {
			v, err := time.ParseDuration(n.Value)
			if n.Kind != yaml.ScalarNode || err != nil || v <= 0 || v > scan.MaxTimeout {
				l.Fail(n, "write a time such as 3s or 500ms, at most 1h", "timeout is %s", userfile.Shown(n))
			}
			m.Timeout = v
		}),
	})
}

// authorization reads the authorization section.
func (l *loader) authorization(n *yaml.Node) {
	a := &Authorization{Anchor: l.anchor(n)}
	l.policy.Authorization = a
	l.Mapping(n, "authorization", []userfile.Field{
		l.word("ticket", true, &a.Ticket), l.word("contact", false, &a.Contact),
		userfile.Optional("not_before", func(n *yaml.Node) {
			a.NotBefore, a.notBeforeAt = l.moment(n, "not_before", 0), l.Mark(n)
		}),
		userfile.Optional("not_after", func(n *yaml.Node) {
			a.NotAfter, a.notAfterAt = l.moment(n, "not_after", 1), l.Mark(n)
		}),
	})
	if !a.NotAfter.IsZero() && !a.NotBefore.Before(a.NotAfter) {
		l.Fail(n, "not_after must be later than not_before", "the authorization ends before it begins")
	}
}

// moment reads an RFC 3339 time, or a date, which means midnight UTC the given
// number of days later: a last day is included.
func (l *loader) moment(n *yaml.Node, what string, days int) time.Time {
	if t, err := time.Parse(time.RFC3339, n.Value); err == nil {
		return t
	}
	t, err := time.Parse(time.DateOnly, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		l.Fail(n, userfile.DateHint(n.Value, "write 2026-11-20 or 2026-11-20T06:00:00Z"), "%s is %s, expected a time", what, userfile.Shown(n))
		return time.Time{}
	}
	return t.AddDate(0, 0, days)
}
