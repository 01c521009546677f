package main

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
)

// maxUnknownRules is how many rules that are not known are named.
const maxUnknownRules = 10

// tellUnknownRules says on standard error which rules of a file's findings this
// version does not know: one of another version has them, or somebody wrote them
// by hand. Each is told once.
func (s *session) tellUnknownRules(file string, known *exposure.RuleSet, ids iter.Seq[string]) {
	var unknown []string
	for id := range ids {
		if known.Lookup(id) == nil && !s.toldRules[id] {
			if s.toldRules == nil {
				s.toldRules = map[string]bool{}
			}
			s.toldRules[id] = true
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return
	}
	slices.Sort(unknown)
	what, are := "rule "+unknown[0], "is"
	if n := len(unknown); n > 1 {
		what, are = "rules "+strings.Join(unknown[:min(n, maxUnknownRules)], ", "), "are"
		if more := n - maxUnknownRules; more > 0 {
			what += fmt.Sprintf(" and %d more", more)
		}
	}
	fmt.Fprintf(s.stderr, "mxsweep: %s of %s %s unknown to this version; what the file says of findings is all that is known of them\n", what, visible(fmt.Sprintf("%q", file)), are)
}
