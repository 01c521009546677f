package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// severityWords lists the counts with their severities, the heaviest first; "" if all
// are 0.
func severityWords(b result.BySeverity) string {
	var words []string
	for _, s := range result.Severities() {
		if n := *b.Of(s); n > 0 {
			words = append(words, itoa(n)+" "+s.String())
		}
	}
	return strings.Join(words, ", ")
}

// fallbackAnchor is the file that findings point at where no file put their
// host in scope: the name under which a policy file is looked for.
const fallbackAnchor = "mxsweep.yaml"

// anchorOf is where a finding points for tools that want a file: the line
// that put its host in scope, else the policy line that bears on it, else the
// first line of the fallback.
func anchorOf(f *result.Finding, fallback string) *result.Anchor {
	switch {
	case f.Anchor != nil:
		return f.Anchor
	case f.PolicyAnchor != nil:
		return f.PolicyAnchor
	}
	return &result.Anchor{File: fallback, Line: 1}
}

func sortNotices(notices []result.Notice) {
	slices.SortStableFunc(notices, func(a, b result.Notice) int {
		return cmp.Or(
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Target, b.Target),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
