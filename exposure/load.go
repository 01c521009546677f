package exposure

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	gocvss40 "github.com/pandatix/go-cvss/40"
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/exposure/fix"
)

//go:embed rules/*.yaml
var builtinRules embed.FS

// RulesVersion is the version of the rules that come with the program: the
// month of their last change.
const RulesVersion = "2026.11"

// Builtin loads the rules that come with the program. That the fixes which they
// name are there is for the tests to see: to read the fixes takes as long as the
// rules themselves, and most runs need none.
func Builtin() (*RuleSet, error) {
	set, err := readRules(builtinRules, "rules", nil)
	if err != nil {
		return nil, fmt.Errorf("loading the built-in rules: %w", err)
	}
	set.Version = RulesVersion
	return set, nil
}

// LoadRules reads the rules of all YAML files in a directory strictly: an
// unknown key, a duplicate id, a vector whose score is outside of its
// severity's band without a reason, a review that is later than RulesVersion or
// a rule without a fix is a *UserError that names file, line and column. All
// mistakes are told at once.
func LoadRules(fsys fs.FS, dir string) (*RuleSet, error) {
	return readRules(fsys, dir, fix.Builtin())
}

// readRules is LoadRules with those fixes that rules may name; nil is any.
func readRules(fsys fs.FS, dir string, fixes *fix.Set) (*RuleSet, error) {
	files, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing rules in %q: %w", dir, err)
	}
	set := &RuleSet{byID: map[string]*Rule{}}
	var errs []error
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		errs = append(errs, set.addFile(file, data, fixes))
	}
	if len(set.rules) == 0 && errors.Join(errs...) == nil {
		return nil, &UserError{File: dir, Msg: "no rules in it", HintText: "write rules: and a list of them"}
	}
	for _, r := range set.rules {
		for _, id := range r.Replaces {
			if set.byID[id] == nil || id == r.ID {
				errs = append(errs, &UserError{File: dir, Msg: fmt.Sprintf("rule %q replaces %q, which is not another rule", r.ID, id),
					HintText: "name a rule that exists"})
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(set.rules, func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) })
	return set, nil
}

// addFile reads the rules of one file.
func (s *RuleSet) addFile(file string, data []byte, fixes *fix.Set) error {
	d, root := parseYAML(file, data)
	if root != nil {
		d.mapping(root, "the rules file", []field{
			{"rules", true, func(n *yaml.Node) {
				d.sequence(n, "rules", func(item *yaml.Node) { d.addRule(s, item, fixes) })
			}},
		})
	}
	return d.err()
}

var (
	ruleID   = regexp.MustCompile(`^MXS[0-8][0-9]{3}$`)
	ruleName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{2,59}$`)
	tagText  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// addRule reads one rule and checks it as a whole.
func (d *document) addRule(set *RuleSet, n *yaml.Node, fixes *fix.Set) {
	r := &Rule{}
	d.mapping(n, "a rule", d.ruleFields(r, fixes))
	switch {
	case !ruleID.MatchString(r.ID):
		d.fail(n, "ids are MXS and four digits, from MXS0000 to MXS8999", "rule id %q is not valid", r.ID)
	case set.byID[r.ID] != nil:
		d.fail(n, "take the next free number", "duplicate rule id %q", r.ID)
	default:
		set.byID[r.ID] = r
		set.rules = append(set.rules, r)
	}
	if !ruleName.MatchString(r.Name) {
		d.fail(n, "names are PascalCase", "name %q of rule %q is not valid", r.Name, r.ID)
	}
	switch inBand := r.Severity.has(r.Score); {
	case !inBand && r.OffBand == "":
		lowest, highest := r.Severity.Scores()
		d.fail(n, fmt.Sprintf("%s is %.1f to %.1f; say under off_band why another word is right", r.Severity, lowest, highest),
			"score %.1f of rule %q does not fit its severity", r.Score, r.ID)
	case inBand && r.OffBand != "":
		d.fail(n, "leave off_band out", "score %.1f of rule %q fits its severity", r.Score, r.ID)
	}
	if len(r.When) == 0 && r.Kind != KindPolicy {
		d.fail(n, "add a condition, or make the kind policy", "rule %q never holds", r.ID)
	}
}

// ruleFields reads the keys of a rule.
func (d *document) ruleFields(r *Rule, fixes *fix.Set) []field {
	return []field{
		{"id", true, func(n *yaml.Node) { r.ID = d.text(n, "id") }},
		{"name", true, func(n *yaml.Node) { r.Name = d.text(n, "name") }},
		{"kind", true, func(n *yaml.Node) {
			r.Kind = RuleKind(d.oneOf(n, "kind", "listener", "trust", "disclosure", "policy"))
		}},
		{"title", true, func(n *yaml.Node) { r.Title = d.text(n, "title") }},
		{"severity", true, func(n *yaml.Node) {
			r.Severity, _ = ParseSeverity(d.oneOf(n, "severity", severityNames[:]...))
		}},
		{"cvss", true, func(n *yaml.Node) { r.Vector, r.Score = d.vector(n) }},
		{"off_band", false, func(n *yaml.Node) { r.OffBand = d.text(n, "off_band") }},
		{"reviewed", true, func(n *yaml.Node) { r.Reviewed = d.reviewed(n) }},
		{"fallback", false, func(n *yaml.Node) { r.Fallback = d.boolean(n, "fallback") }},
		{"opt_in", false, func(n *yaml.Node) { r.OptIn = d.boolean(n, "opt_in") }},
		{"replaces", false, func(n *yaml.Node) { r.Replaces = d.texts(n, "replaces") }},
		{"when", true, func(n *yaml.Node) {
			d.sequence(n, "when", func(item *yaml.Node) { r.When = append(r.When, d.condition(item)) })
		}},
		{"why", true, func(n *yaml.Node) { r.Why = d.text(n, "why") }},
		{"fix", true, func(n *yaml.Node) { r.Fix = d.fix(n, fixes) }},
		{"references", true, func(n *yaml.Node) { r.References = d.uris(n) }},
		{"cwe", true, func(n *yaml.Node) {
			d.sequence(n, "cwe", func(item *yaml.Node) { r.CWE = append(r.CWE, d.integer(item, "cwe", 1, 9999)) })
		}},
		{"tags", true, func(n *yaml.Node) {
			r.Tags = d.texts(n, "tags")
			for _, tag := range r.Tags {
				if !tagText.MatchString(tag) {
					d.fail(n, "lower case, digits and hyphens", "tag %q is not valid", tag)
				}
			}
		}},
	}
}

// oneOf reads one of some words.
func (d *document) oneOf(n *yaml.Node, what string, words ...string) string {
	if n.Kind == yaml.ScalarNode && slices.Contains(words, n.Value) {
		return n.Value
	}
	d.fail(n, "write "+strings.Join(words, ", "), "%s is %s", what, shown(n))
	return words[0]
}

// condition reads one condition.
func (d *document) condition(n *yaml.Node) Condition {
	var c Condition
	list := func(key string, to *[]string) field {
		return field{key, false, func(n *yaml.Node) { *to = d.texts(n, key) }}
	}
	d.mapping(n, "a condition", []field{
		list("protocol", &c.Protocols), list("role", &c.Roles), list("product", &c.Products),
		list("stack", &c.Stacks), list("observed", &c.Observed), list("absent", &c.Absent),
		{"tunnel", false, func(n *yaml.Node) {
			d.sequence(n, "tunnel", func(item *yaml.Node) {
				c.Tunnels = append(c.Tunnels, d.oneOf(item, "tunnel", "none", "ssl", "starttls"))
			})
		}},
		{"ports", false, func(n *yaml.Node) {
			d.sequence(n, "ports", func(item *yaml.Node) {
				c.Ports = append(c.Ports, uint16(d.integer(item, "port", 1, 65535)))
			})
		}},
		{"place", false, func(n *yaml.Node) {
			c.Place = Place(d.oneOf(n, "place", "any", "public", "nonpublic", "internal"))
		}},
		{"vantage", false, func(n *yaml.Node) {
			d.sequence(n, "vantage", func(item *yaml.Node) {
				c.Vantages = append(c.Vantages, VantageClass(d.oneOf(item, "vantage", "internet", "lan", "host")))
			})
		}},
		{"certificate", false, func(n *yaml.Node) {
			d.sequence(n, "certificate", func(item *yaml.Node) {
				c.Certificate = append(c.Certificate, CertificateFault(d.oneOf(item, "certificate", "expired", "expiring", "wrong-name", "weak")))
			})
		}},
		{"only_ipv6", false, func(n *yaml.Node) { c.OnlyIPv6 = d.boolean(n, "only_ipv6") }},
		{"unidentified", false, func(n *yaml.Node) { c.Unidentified = d.boolean(n, "unidentified") }},
		{"intrusive", false, func(n *yaml.Node) { c.Intrusive = d.boolean(n, "intrusive") }},
	})
	return c
}

// fix reads the fix of a rule, which may name known fixes; nil is any.
func (d *document) fix(n *yaml.Node, known *fix.Set) Fix {
	var f Fix
	d.mapping(n, "fix", []field{
		{"default", true, func(n *yaml.Node) { f.Default = d.text(n, "default") }},
		{"also", false, func(n *yaml.Node) { f.Also = d.text(n, "also") }},
		{"use", false, func(n *yaml.Node) {
			for _, id := range d.texts(n, "use") {
				if known != nil && known.Lookup(id) == nil {
					d.fail(n, "the fixes are in exposure/fix/data", "fix %q is not known", id)
				}
				f.IDs = append(f.IDs, id)
			}
		}},
	})
	return f
}

// uris reads a list of absolute web addresses.
func (d *document) uris(n *yaml.Node) []string {
	list := d.texts(n, "references")
	for _, s := range list {
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
			d.fail(n, "give the full address, beginning with https://", "reference %q is not a web address", s)
		}
	}
	return list
}

// vector reads a CVSS 4.0 vector and computes its score (CVSS 4.0
// specification, Section 8). Metrics stand in the order of its Section 7, each
// once, so that equal vectors are written alike.
func (d *document) vector(n *yaml.Node) (vector string, score float64) {
	text := d.text(n, "cvss")
	v, err := gocvss40.ParseVector(text)
	if err != nil {
		d.fail(n, "write CVSS:4.0/AV:N/... with all base metrics in the order of the specification",
			"cvss is %s, want a CVSS 4.0 vector: %s", shown(n), strings.ToLower(err.Error()))
		return "", 0
	}
	return v.Vector(), v.Score()
}

// reviewed reads when a rule was last reviewed. Rules of a version can't have
// been reviewed after its month.
func (d *document) reviewed(n *yaml.Node) time.Time {
	t := d.date(n, "write the day of the last review as YYYY-MM-DD", "reviewed")
	month, err := time.Parse("2006.01", RulesVersion)
	if err == nil && !t.Before(month.AddDate(0, 1, 0)) {
		d.fail(n, "raise RulesVersion together with the rules", "reviewed is %s, after the rules of %s", shown(n), RulesVersion)
	}
	return t
}
