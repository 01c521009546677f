package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// DefaultFailOn is the default of what fails a run.
const DefaultFailOn = "any:high"

// A FailOn determines which findings fail a run. The zero FailOn is
// DefaultFailOn.
type FailOn struct {
	triggers []trigger
	none     bool
}

// A trigger is one part of a FailOn: a rule, or a drift state ("" is any) and the
// minimum severity.
type trigger struct {
	rule     string
	drift    result.Drift
	severity result.Severity
}

// drifts are the states that may precede a severity. A fixed finding never fails
// a run.
var drifts = []result.Drift{result.DriftNew, result.DriftUnchanged, result.DriftUpdated, result.DriftUnverified, result.DriftExpired, result.DriftReopened}

// ParseFailOn parses a list such as "new:high,any:critical,rule:MXS1002" or the
// word "none". A severity includes all higher ones. "" is DefaultFailOn. If rules
// is not nil, it must have the rules in the list. The error joins one
// *userfile.Error for each part that is wrong, with the part as its Text.
func ParseFailOn(list string, rules *exposure.RuleSet) (FailOn, error) {
	switch strings.TrimSpace(list) {
	case "":
		list = DefaultFailOn
	case "none":
		return FailOn{none: true}, nil
	}
	var f FailOn
	var errs []error
	for part := range strings.SplitSeq(list, ",") {
		t, err := parseTrigger(strings.TrimSpace(part), rules)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !slices.Contains(f.triggers, t) {
			f.triggers = append(f.triggers, t)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return FailOn{}, err
	}
	return f, nil
}

// parseTrigger parses one part of the list.
func parseTrigger(part string, rules *exposure.RuleSet) (trigger, error) {
	before, after, found := strings.Cut(part, ":")
	if !found {
		return trigger{}, failOnError(part, "it needs a colon", meantWithoutColon(part))
	}
	if before == "rule" {
		if rules != nil && rules.Lookup(after) == nil {
			return trigger{}, &userfile.Error{Text: part, Problem: fmt.Sprintf("no rule %q", after),
				Hint: spelling.Hint(rules.IDs(), after, `"mxsweep rules" lists all rules`)}
		}
		if !exposure.ValidRuleID(after) {
			return trigger{}, failOnError(part, fmt.Sprintf("%q is not a rule id", after), "")
		}
		return trigger{rule: after}, nil
	}
	t := trigger{drift: result.Drift(before)}
	if before == "any" {
		t.drift = ""
	} else if !slices.Contains(drifts, t.drift) {
		return trigger{}, failOnError(part, fmt.Sprintf("%q is not a drift state", before), spelling.Nearest(triggerWords(), before))
	}
	severity, ok := result.ParseSeverity(after)
	if !ok {
		return trigger{}, failOnError(part, fmt.Sprintf("unknown severity %q", after), spelling.Nearest(result.SeverityWords(), after))
	}
	t.severity = severity
	return t, nil
}

// meantWithoutColon returns what a part without a colon probably means: other
// tools accept a severity without a drift state.
func meantWithoutColon(part string) string {
	word := strings.ToLower(part)
	if severity := spelling.Nearest(result.SeverityWords(), word); severity != "" {
		return "any:" + severity
	}
	return spelling.Nearest([]string{"none"}, word)
}

// triggerWords returns the words that may precede the colon.
func triggerWords() []string {
	words := []string{"any", "rule"}
	for _, d := range drifts {
		words = append(words, string(d))
	}
	return words
}

// failOnError returns the error for a part that cannot be parsed; meant is the
// likely intended word, "" if there is none.
func failOnError(part, why, meant string) error {
	hint := ""
	if meant != "" {
		hint = fmt.Sprintf("did you mean %q? ", meant)
	}
	if part == "" {
		why = "an empty entry"
	}
	return &userfile.Error{
		Text: part, Problem: why,
		Hint: hint + "write drift:severity or rule:ID, separated by commas, or none; drift is any, new, unchanged, updated, unverified, expired or reopened, " +
			"severity is info, low, medium, high or critical, for example new:high,any:critical",
	}
}

// None reports whether no finding fails a run.
func (f FailOn) None() bool { return f.none }

// Drifts returns the conditions of the list that depend on drift, in its order:
// they can hold only if there is a baseline.
func (f FailOn) Drifts() []string {
	var list []string
	for _, t := range f.triggers {
		if t.drift != "" {
			list = append(list, string(t.drift)+":"+t.severity.String())
		}
	}
	return list
}

// String returns the list as written on the command line.
func (f FailOn) String() string {
	if f.none {
		return "none"
	}
	if len(f.triggers) == 0 {
		return DefaultFailOn
	}
	var parts []string
	for _, t := range f.triggers {
		switch {
		case t.rule != "":
			parts = append(parts, "rule:"+t.rule)
		case t.drift == "":
			parts = append(parts, "any:"+t.severity.String())
		default:
			parts = append(parts, string(t.drift)+":"+t.severity.String())
		}
	}
	return strings.Join(parts, ",")
}

// Match reports whether the finding fails a run. Accepted, expected and fixed
// findings never do.
func (f FailOn) Match(finding *exposure.Violation) bool {
	if f.none || finding.Status != result.StatusOpen || finding.Drift == result.DriftFixed {
		return false
	}
	triggers := f.triggers
	if len(triggers) == 0 {
		triggers = []trigger{{severity: result.SeverityHigh}}
	}
	return slices.ContainsFunc(triggers, func(t trigger) bool { return t.matches(finding) })
}

// matches reports whether the trigger applies. Without a baseline each finding
// counts as new, and so does one whose acceptance expired or that was fixed and
// came back.
func (t trigger) matches(f *exposure.Violation) bool {
	if t.rule != "" {
		return f.Rule != nil && f.Rule.ID == t.rule
	}
	if f.Severity < t.severity {
		return false
	}
	switch f.Drift {
	case result.DriftNone, "", result.DriftExpired, result.DriftReopened:
		if t.drift == result.DriftNew {
			return true
		}
	}
	return t.drift == "" || t.drift == f.Drift
}
