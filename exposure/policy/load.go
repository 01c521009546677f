package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// Context is what a policy is checked against.
type Context struct {
	// Rules must have the rules that the policy names; nil means that they are
	// not checked.
	Rules *exposure.RuleSet

	// Profiles are the known port profiles; nil means none.
	Profiles map[string][]uint16
}

// Load reads a policy file strictly. It returns all errors, each a
// *userfile.Error with file, line, column, the source line and a hint. It does
// not look up names and reads no other file.
func Load(file string, data []byte, c Context) (*Policy, error) {
	return loadParts(file, data, c, longFile)
}

// loadParts reads a policy; files of at least long bytes are read list by list.
func loadParts(file string, data []byte, c Context, long int) (*Policy, error) {
	if len(data) > MaxSize {
		return nil, &userfile.Error{File: file, Problem: fmt.Sprintf("larger than %d MiB", MaxSize>>20), Hint: "keep lists of hosts in scope files"}
	}
	if err := userfile.WrongKind(file, data, userfile.Policy); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	p := &Policy{File: file, SHA256: hex.EncodeToString(sum[:])}
	d, root := parse(file, data, long)
	switch {
	case root != nil:
		l := &loader{Document: d, policy: p, context: c}
		d.Mapping(root, "the policy", l.fields())
	case !d.Failed():
		return nil, &userfile.Error{File: file, Problem: "an empty policy", Hint: "write at least version: 1"}
	}
	if d.Torn && fitsWhole(data) {
		return loadParts(file, data, c, len(data)+1) // it may refer to another part, or was split wrongly
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	if err := p.checkWidth(c.Rules); err != nil {
		return nil, err
	}
	return p, nil
}

// A loader reads one policy.
type loader struct {
	*userfile.Document
	policy  *Policy
	context Context
	kept    int // in bytes
	ids     idIndex
	shared  sharedValues
	reading entryFields
	others  int // lines of the scope that are names or IPv6
}

// fields returns the keys of the file.
func (l *loader) fields() []userfile.Field {
	p := l.policy
	return []userfile.Field{
		userfile.Required("version", func(n *yaml.Node) {
			if n.Value != "1" {
				l.Fail(n, "write version: 1", "version is %s, expected 1", userfile.Shown(n))
			}
		}),
		userfile.Optional("scope", l.scope),
		userfile.Optional("ports", func(n *yaml.Node) {
			p.Ports = strings.Join(l.Texts(n, "ports"), ",")
			l.ports(n, p.Ports)
		}),
		userfile.Optional("identity", func(n *yaml.Node) {
			p.Identity = exposure.Identity(l.OneOf(n, "identity", string(exposure.IdentityName), string(exposure.IdentityAddress)))
		}),
		userfile.Optional("vantages", l.vantages),
		userfile.Optional("gate", l.gate),
		userfile.Optional("canaries", l.each("canaries", func(n *yaml.Node) { p.Canaries = append(p.Canaries, l.canary(n)) })),
		userfile.Optional("expect", func(n *yaml.Node) {
			p.Expect = slices.Grow(p.Expect, l.room(n, expectBytes))
			l.Sequence(n, "expect", func(n *yaml.Node) { p.Expect = append(p.Expect, l.expectation(n)) })
		}),
		userfile.Optional("must_be_closed", func(n *yaml.Node) {
			p.MustBeClosed = slices.Grow(p.MustBeClosed, l.room(n, closedBytes))
			l.Sequence(n, "must_be_closed", func(n *yaml.Node) { p.MustBeClosed = append(p.MustBeClosed, l.prohibition(n)) })
		}),
		userfile.Optional("accept", func(n *yaml.Node) {
			p.Accept = slices.Grow(p.Accept, l.room(n, acceptBytes))
			l.Sequence(n, "accept", func(n *yaml.Node) { p.Accept = append(p.Accept, l.accept(n)) })
		}),
		userfile.Optional("limits", l.limits),
		userfile.Optional("authorization", l.authorization),
	}
}

// each returns a function that reads the items of a list.
func (l *loader) each(what string, read func(*yaml.Node)) func(*yaml.Node) {
	return func(n *yaml.Node) { l.Sequence(n, what, read) }
}

// anchor returns the position of a node, for reports.
func (l *loader) anchor(n *yaml.Node) *result.Anchor {
	return l.place(n).Anchor()
}

// place returns the position of a node.
func (l *loader) place(n *yaml.Node) place { return place{l.Source, int32(n.Line)} }

// cause records an error of another parser at a node, with its hint, at the part
// of the value that is wrong.
func (l *loader) cause(n *yaml.Node, what string, err error) {
	e := &userfile.Error{Err: err}
	var hinted interface{ ErrorHint() string }
	if errors.As(err, &hinted) {
		e.Hint = hinted.ErrorHint()
	}
	var inner *userfile.Error
	if errors.As(err, &inner) && inner.Text != "" {
		e.Column = l.Within(n, inner.Text)
	}
	l.FailWith(n, e, "reading %s", what)
}

// scope reads the scope: files and lines.
func (l *loader) scope(n *yaml.Node) {
	s := &l.policy.Scope
	s.in = l.Source
	lines := func(what, prefix string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			s.Lines.rows = slices.Grow(s.Lines.rows, l.room(n, lineBytes))
			l.Sequence(n, what, func(n *yaml.Node) {
				if what == "targets" && n.Kind == yaml.MappingNode {
					l.lineHosts(n)
					return
				}
				a, hosts := l.scopeLine(n, what, prefix)
				l.addLine(n, a)
				l.countOther(n, hosts)
			})
		}
	}
	l.Mapping(n, "scope", []userfile.Field{
		userfile.Optional("files", l.each("files", func(n *yaml.Node) {
			a, _ := l.scopeLine(n, "files", "")
			a.Text = strings.Clone(a.Text)
			l.weigh(n, anchorBytes+len(a.Text))
			s.Files = append(s.Files, a)
		})),
		userfile.Optional("targets", lines("targets", "")),
		userfile.Optional("exclude", lines("exclude", "!")),
	})
}

// countOther stops reading if a scope has too many lines that are names or IPv6.
func (l *loader) countOther(n *yaml.Node, hosts Selector) {
	if hosts.hosts == nil || len(hosts.hosts.ranges) > 0 && hosts.hosts.ranges[0].From().Is4() {
		return
	}
	if l.others++; l.others > maxOtherLines {
		l.Fail(n, "combine adjacent addresses into prefixes or ranges", "more than %d lines of the scope that are names or IPv6", maxOtherLines)
		l.Stop()
	}
}

// addLine adds the line of the scope at a node.
func (l *loader) addLine(n *yaml.Node, a result.Anchor) {
	lines := &l.policy.Scope.Lines
	odd := len(lines.odd)
	lines.add(l.Source, n, a)
	l.weigh(n, lineBytes+(len(lines.odd)-odd)*(anchorBytes+len(a.Text)))
}

// scopeLine reads one line of the scope.
func (l *loader) scopeLine(n *yaml.Node, what, prefix string) (result.Anchor, Selector) {
	a := &result.Anchor{File: l.File, Line: n.Line, EndColumn: n.Column + len(n.Value), Text: prefix + l.Text(n, what)}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		a.EndColumn++ // the opening quote
	}
	if what == "files" {
		return *a, Selector{}
	}
	s, err := ParseSelector(strings.TrimPrefix(a.Text, "!"))
	if err != nil || a.Text == prefix+"*" {
		l.cause(n, what, cmp.Or(err, error(errEverywhere)))
	}
	return *a, s
}

// lineHosts reads a line of the scope with a minimum number of hosts.
func (l *loader) lineHosts(n *yaml.Node) {
	var h LineHosts
	at := n
	l.Mapping(n, "a target of the scope", []userfile.Field{
		userfile.Required("target", func(n *yaml.Node) {
			h.Anchor, h.Hosts = l.scopeLine(n, "targets", "")
			at = n
		}),
		userfile.Required("hosts", func(n *yaml.Node) { h.Least = uint64(l.Integer(n, "hosts", 0, 1<<31-1)) }),
	})
	if h.Hosts.Single() {
		l.Fail(n, "omit hosts: a single host must be up anyway", "hosts is set for a single host")
	} else if r := h.Hosts.ranges(); len(r) == 1 && width(r[0]).Cmp(new(big.Int).SetUint64(h.Least)) < 0 {
		l.Fail(n, "give the minimum number of hosts that must be up, 0 if there may be none", "%d hosts must be up among %d addresses", h.Least, width(r[0]))
	}
	l.policy.Scope.Hosts = append(l.policy.Scope.Hosts, h)
	h.Anchor.Text = strings.Clone(h.Anchor.Text)
	l.weigh(n, lineUpBytes+hostSetBytes)
	l.addLine(at, h.Anchor)
}

var errEverywhere = &userfile.Error{Problem: `"*" is not allowed here`, Hint: "list addresses, prefixes, ranges and names"}

// ports reads a list of ports.
func (l *loader) ports(n *yaml.Node, text string) PortSelector {
	if s, ok := l.shared.ports[text]; ok {
		return s
	}
	s, err := ParsePortSelector(text, l.context.Profiles)
	if err != nil {
		for _, one := range fault.Parts(err) {
			l.portCause(n, one)
		}
		return s
	}
	l.weigh(n, portsBytes+2*len(text))
	share(&l.shared.ports, text, s)
	return s
}

// portCause records an error about a list of ports, at its item: the columns of err
// are those in the list as [userfile.Document.Joined] returns it.
func (l *loader) portCause(n *yaml.Node, err error) {
	var inner *userfile.Error
	if !errors.As(err, &inner) || inner.Column == 0 {
		l.cause(n, "ports", err) // of the list as a whole
		return
	}
	at := inner.Column - 1 // in the item
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if item.Kind == yaml.AliasNode {
				continue // which has its own error, and is not in the list
			}
			text := ""
			if item.Kind == yaml.ScalarNode && item.Tag != "!!null" {
				text = strings.TrimSpace(item.Value)
			}
			if at > len(text) {
				at -= len(text) + 1
				continue
			}
			if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
				return // as has this one
			}
			n = item
			break
		}
	}
	e := &userfile.Error{Err: err, Hint: inner.Hint}
	if n.Kind == yaml.ScalarNode && !strings.Contains(n.Value, "\n") && l.Find(n, n.Value) >= 0 {
		at = min(at+len(n.Value)-len(strings.TrimLeft(n.Value, " \t")), len(n.Value))
		e.Column = at + max(strings.Index(n.Value[at:], inner.Text), 0)
		if e.Column > 0 && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			e.Column++ // the opening quote
		}
	}
	l.FailWith(n, e, "reading ports")
}

// hosts returns a required key with hosts as its value.
func (l *loader) hosts(key string, to *Selector) userfile.Field {
	return userfile.Required(key, func(n *yaml.Node) {
		text := l.Text(n, key)
		if s, ok := l.shared.hosts[text]; ok {
			*to = s
			return
		}
		s, err := ParseSelector(text)
		if err != nil {
			l.cause(n, key, err)
			return
		}
		if *to = s; s.hosts != nil {
			l.weigh(n, hostSetBytes+2*len(text))
			share(&l.shared.hosts, text, s)
		}
	})
}

// portList returns a required key with ports as its value.
func (l *loader) portList(key string, to *PortSelector) userfile.Field {
	return userfile.Required(key, func(n *yaml.Node) { *to = l.ports(n, l.Joined(n, key)) })
}

// word returns a key with a text as its value.
func (l *loader) word(key string, required bool, to *string) userfile.Field {
	return userfile.Field{Key: key, Required: required, Read: func(n *yaml.Node) {
		if *to = l.Text(n, key); *to == "" && required {
			l.Fail(n, "give a value, or remove the entry", "%s is empty", key)
		}
	}}
}

// protocol returns the optional key with the name of a protocol, in upper or
// lower case.
func (l *loader) protocol(to *string) userfile.Field {
	return userfile.Optional("protocol", func(n *yaml.Node) {
		word := *n
		word.Value = strings.ToLower(strings.TrimSpace(n.Value))
		rest := "leave it out, and write product, for one that only your own signatures know; the others are " + strings.Join(result.Protocols(), ", ")
		*to = l.WordOf(&word, "protocol", rest, result.Protocols())
	})
}

var noticeID = regexp.MustCompile(`^MXS9[0-9]{3}$`)

var vantageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// vantages reads the names of vantage points.
func (l *loader) vantages(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		l.Fail(n, "write name: internet, name: lan or name: host", "vantages is %s, expected a mapping", userfile.KindOf(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		v := exposure.Vantage{Name: key.Value, Class: exposure.VantageClass(l.OneOf(value, "vantage point", "internet", "lan", "host"))}
		if _, err := exposure.ParseVantage(v.Name, l.policy.Vantages); err == nil || v.Name == string(exposure.ClassConfig) || v.Name == exposure.NameSockets || !vantageName.MatchString(v.Name) {
			l.Fail(key, "choose another name of letters, digits, dots, hyphens", "vantage name %q is already used or invalid", v.Name)
		}
		l.policy.Vantages = append(l.policy.Vantages, v)
	}
}
