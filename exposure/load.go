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
	"sync"
	"time"

	gocvss40 "github.com/pandatix/go-cvss/40"
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

//go:embed rules/*.yaml
var builtinRules embed.FS

// RulesVersion is the version of the built-in rules: the month of their last
// change.
const RulesVersion = "2026.11"

// Builtin returns the built-in rules, which are read at the first call. That the
// fixes they refer to exist is left to a test: reading the fixes takes as long as
// reading the rules, and most runs need none.
func Builtin() (*RuleSet, error) { return readBuiltin() }

var readBuiltin = sync.OnceValues(loadBuiltin)

// loadBuiltin reads the built-in rules.
func loadBuiltin() (*RuleSet, error) {
	set, err := readRules(builtinRules, "rules", nil)
	if err != nil {
		return nil, fmt.Errorf("loading the built-in rules: %w", err)
	}
	set.Version = RulesVersion
	return set, nil
}

// readRules strictly reads the rules of all YAML files in a directory. An unknown
// key, a duplicate id, a vector whose score is outside the band of the severity
// without a reason, a review date after RulesVersion and a rule without a fix are
// errors. It returns all of them, each a *userfile.Error with file, line and
// column. fixes are the fixes that rules may refer to; nil means any.
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
		return nil, &userfile.Error{File: dir, Problem: "no rules in it", Hint: "write rules: and a list of them"}
	}
	for _, r := range set.rules {
		for _, id := range r.Replaces {
			if set.byID[id] == nil || id == r.ID {
				errs = append(errs, &userfile.Error{File: dir, Problem: fmt.Sprintf("rule %q replaces %q, which is not another rule", r.ID, id),
					Hint: "name a rule that exists"})
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
	parsed, root := userfile.ParseYAML(file, data)
	d := ruleLoader{parsed}
	if root != nil {
		d.Mapping(root, "the rules file", []userfile.Field{
			userfile.Required("rules", func(n *yaml.Node) {
				d.Sequence(n, "rules", func(item *yaml.Node) { d.addRule(s, item, fixes) })
			}),
		})
	}
	return d.Err()
}

var (
	ruleID   = regexp.MustCompile(`^MXS[0-8][0-9]{3}$`)
	ruleName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{2,59}$`)
	tagText  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// A ruleLoader reads the rules of one file.
type ruleLoader struct{ *userfile.Document }

// ValidRuleID reports whether a text has the form of a rule id.
func ValidRuleID(id string) bool { return ruleID.MatchString(id) }

// addRule reads one rule and checks it as a whole.
func (d ruleLoader) addRule(set *RuleSet, n *yaml.Node, fixes *fix.Set) {
	r := &Rule{}
	d.Mapping(n, "a rule", d.ruleFields(r, fixes))
	r.explain()
	switch {
	case !ValidRuleID(r.ID):
		d.Fail(n, "ids are MXS and four digits, from MXS0000 to MXS8999", "rule id %q is not valid", r.ID)
	case set.byID[r.ID] != nil:
		d.Fail(n, "take the next free number", "duplicate rule id %q", r.ID)
	default:
		set.byID[r.ID] = r
		set.rules = append(set.rules, r)
	}
	if !ruleName.MatchString(r.Name) {
		d.Fail(n, "names are PascalCase", "name %q of rule %q is not valid", r.Name, r.ID)
	}
	switch inBand := r.Severity.Has(r.Score); {
	case !r.Severity.Valid(): // reported above
	case !inBand && r.OffBand == "":
		lowest, highest := r.Severity.Scores()
		d.Fail(n, fmt.Sprintf("%s is %.1f to %.1f; under off_band, explain why another severity is right", r.Severity, lowest, highest),
			"score %.1f of rule %q does not fit its severity", r.Score, r.ID)
	case inBand && r.OffBand != "":
		d.Fail(n, "omit off_band", "score %.1f of rule %q fits its severity", r.Score, r.ID)
	}
	if len(r.When) == 0 && r.Kind != KindPolicy && r.Kind != KindJoined && r.Kind != KindDomain {
		d.Fail(n, "add a condition, or make the kind policy", "rule %q never matches", r.ID)
	}
}

// ruleFields returns the keys of a rule.
func (d ruleLoader) ruleFields(r *Rule, fixes *fix.Set) []userfile.Field {
	return []userfile.Field{
		userfile.Required("id", func(n *yaml.Node) { r.ID = d.Text(n, "id") }),
		userfile.Required("name", func(n *yaml.Node) { r.Name = d.Text(n, "name") }),
		userfile.Required("kind", func(n *yaml.Node) {
			r.Kind = RuleKind(d.OneOf(n, "kind", "listener", "trust", "disclosure", "policy", "joined", "domain"))
		}),
		userfile.Required("title", func(n *yaml.Node) { r.Title = d.Text(n, "title") }),
		userfile.Required("severity", func(n *yaml.Node) {
			r.Severity, _ = result.ParseSeverity(d.OneOf(n, "severity", result.SeverityWords()...))
		}),
		userfile.Required("cvss", func(n *yaml.Node) { r.CVSS, r.Score = d.vector(n) }),
		userfile.Optional("off_band", func(n *yaml.Node) { r.OffBand = d.Text(n, "off_band") }),
		userfile.Required("reviewed", func(n *yaml.Node) { r.Reviewed = d.reviewed(n) }),
		userfile.Optional("fallback", func(n *yaml.Node) { r.Fallback = d.Boolean(n, "fallback") }),
		userfile.Optional("opt_in", func(n *yaml.Node) { r.OptIn = d.Boolean(n, "opt_in") }),
		userfile.Optional("replaces", func(n *yaml.Node) { r.Replaces = d.Texts(n, "replaces") }),
		userfile.Required("when", func(n *yaml.Node) {
			d.Sequence(n, "when", func(item *yaml.Node) { r.When = append(r.When, d.condition(item)) })
		}),
		userfile.Required("why", func(n *yaml.Node) { r.Why = d.Text(n, "why") }),
		userfile.Required("fix", func(n *yaml.Node) { r.Fixes = d.fixes(n, fixes) }),
		userfile.Required("references", func(n *yaml.Node) { r.References = d.uris(n) }),
		userfile.Required("cwe", func(n *yaml.Node) {
			d.Sequence(n, "cwe", func(item *yaml.Node) { r.CWE = append(r.CWE, d.Integer(item, "cwe", 1, 9999)) })
		}),
		userfile.Required("tags", func(n *yaml.Node) {
			r.Tags = d.Texts(n, "tags")
			for _, tag := range r.Tags {
				if !tagText.MatchString(tag) {
					d.Fail(n, "lower case, digits and hyphens", "tag %q is not valid", tag)
				}
			}
		}),
	}
}

// condition reads one condition.
func (d ruleLoader) condition(n *yaml.Node) Condition {
	var c Condition
	list := func(key string, to *[]string) userfile.Field {
		return userfile.Optional(key, func(n *yaml.Node) { *to = d.Texts(n, key) })
	}
	d.Mapping(n, "a condition", []userfile.Field{
		list("protocol", &c.Protocols), list("role", &c.Roles), list("product", &c.Products),
		list("stack", &c.Stacks), list("observed", &c.Observed), list("absent", &c.Absent),
		userfile.Optional("tunnel", func(n *yaml.Node) {
			d.Sequence(n, "tunnel", func(item *yaml.Node) {
				c.Tunnels = append(c.Tunnels, d.OneOf(item, "tunnel", "none", "ssl", "starttls"))
			})
		}),
		userfile.Optional("ports", func(n *yaml.Node) {
			d.Sequence(n, "ports", func(item *yaml.Node) {
				c.Ports = append(c.Ports, uint16(d.Integer(item, "port", 1, 65535)))
			})
		}),
		userfile.Optional("place", func(n *yaml.Node) {
			c.Place = Place(d.OneOf(n, "place", "any", "public", "nonpublic", "internal"))
		}),
		userfile.Optional("vantage", func(n *yaml.Node) {
			d.Sequence(n, "vantage", func(item *yaml.Node) {
				c.Vantages = append(c.Vantages, VantageClass(d.OneOf(item, "vantage", "internet", "lan", "host")))
			})
		}),
		userfile.Optional("certificate", func(n *yaml.Node) {
			d.Sequence(n, "certificate", func(item *yaml.Node) {
				c.Certificate = append(c.Certificate, CertificateFault(d.OneOf(item, "certificate", "expired", "expiring", "wrong-name", "weak")))
			})
		}),
		userfile.Optional("setting", func(n *yaml.Node) {
			d.Sequence(n, "setting", func(item *yaml.Node) {
				c.Settings = append(c.Settings, SettingFault(d.OneOf(item, "setting", settingFaults...)))
			})
		}),
		userfile.Optional("only_ipv6", func(n *yaml.Node) { c.OnlyIPv6 = d.Boolean(n, "only_ipv6") }),
		userfile.Optional("unidentified", func(n *yaml.Node) { c.Unidentified = d.Boolean(n, "unidentified") }),
		userfile.Optional("unfiltered", func(n *yaml.Node) { c.Unfiltered = d.Boolean(n, "unfiltered") }),
		userfile.Optional("intrusive", func(n *yaml.Node) { c.Intrusive = d.Boolean(n, "intrusive") }),
	})
	return c
}

// fixes reads the fixes of a rule, which must be in known; nil means any.
func (d ruleLoader) fixes(n *yaml.Node, known *fix.Set) Fixes {
	var f Fixes
	d.Mapping(n, "fix", []userfile.Field{
		userfile.Required("default", func(n *yaml.Node) { f.Default = d.Text(n, "default") }),
		userfile.Optional("also", func(n *yaml.Node) { f.Also = d.Text(n, "also") }),
		userfile.Optional("use", func(n *yaml.Node) {
			for _, id := range d.Texts(n, "use") {
				if known != nil && known.Lookup(id) == nil {
					d.Fail(n, "the fixes are in exposure/fix/data", "unknown fix %q", id)
				}
				f.IDs = append(f.IDs, id)
			}
		}),
	})
	return f
}

// uris reads a list of absolute URLs.
func (d ruleLoader) uris(n *yaml.Node) []string {
	list := d.Texts(n, "references")
	for _, s := range list {
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
			d.Fail(n, "give the full address, beginning with https://", "reference %q is not a web address", s)
		}
	}
	return list
}

// vector reads a CVSS 4.0 vector and computes its score (CVSS 4.0 specification,
// Section 8). Each metric occurs once, in the order of Section 7, so that equal
// vectors are spelled alike.
func (d ruleLoader) vector(n *yaml.Node) (vector string, score float64) {
	text := d.Text(n, "cvss")
	v, err := gocvss40.ParseVector(text)
	if err != nil {
		d.Fail(n, "write CVSS:4.0/AV:N/... with all base metrics in the order of the specification",
			"cvss is %s, expected a CVSS 4.0 vector: %s", userfile.Shown(n), strings.ToLower(err.Error()))
		return "", 0
	}
	return v.Vector(), v.Score()
}

// reviewed reads the month in which a rule was last reviewed. It must not be
// after RulesVersion.
func (d ruleLoader) reviewed(n *yaml.Node) string {
	t := d.Date(n, "write the day of the last review as YYYY-MM-DD", "reviewed")
	month, err := time.Parse("2006.01", RulesVersion)
	if err == nil && !t.Before(month.AddDate(0, 1, 0)) {
		d.Fail(n, "raise RulesVersion together with the rules", "reviewed is %s, after the rules of %s", userfile.Shown(n), RulesVersion)
	}
	return result.NewDate(t).String()
}
