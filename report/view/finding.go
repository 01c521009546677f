package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// SeverityWords lists the counts with their severities, the heaviest first; "" if all
// are 0.
func SeverityWords(b result.BySeverity) string {
	var words []string
	for _, s := range result.Severities() {
		if n := *b.Of(s); n > 0 {
			words = append(words, strconv.Itoa(n)+" "+s.String())
		}
	}
	return strings.Join(words, ", ")
}

// FallbackAnchor is the file that findings point at where no file put their
// host in scope: the name under which a policy file is looked for.
const FallbackAnchor = "mxsweep.yaml"

// AnchorOf is where a finding points for tools that want a file: the line
// that put its host in scope, else the policy line that bears on it, else the
// first line of the fallback.
func AnchorOf(f *result.Finding, fallback string) *result.Anchor {
	switch {
	case f.Anchor != nil:
		return f.Anchor
	case f.PolicyAnchor != nil:
		return f.PolicyAnchor
	}
	return &result.Anchor{File: fallback, Line: 1}
}

// SortNotices sorts by code, target and message.
func SortNotices(notices []result.Notice) {
	slices.SortStableFunc(notices, func(a, b result.Notice) int {
		return cmp.Or(
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Target, b.Target),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// FindingAnchor is the id of a finding within an HTML page.
func FindingAnchor(f *result.Finding) string { return "f" + f.ID[:min(16, len(f.ID))] }

// Where is "file:line", "" without an anchor.
func Where(a *result.Anchor) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", a.File, a.Line)
}

// Category tells the runs apart whose alerts must not close each other's: by
// scope and, where not all of it was swept, targets, by vantage and shard.
func Category(r *result.Run) string {
	name := cmp.Or(r.Scope.Name, "run")
	if t := r.Scope.TargetsSHA256; t != "" {
		name += "-" + t[:min(8, len(t))]
	}
	parts := []string{"mxsweep", name}
	if r.Vantage != "" {
		parts = append(parts, strings.ReplaceAll(r.Vantage, "/", "-"))
	}
	if index, count, ok := strings.Cut(r.Shard, "/"); ok {
		parts = append(parts, "shard-"+index+"-of-"+count)
	}
	return strings.Join(parts, "/")
}

// Level is the SARIF level of a severity (3.27.10).
func Level(severity result.Severity) string {
	switch severity {
	case result.SeverityCritical, result.SeverityHigh:
		return "error"
	case result.SeverityMedium:
		return "warning"
	}
	return "note"
}

// ResolvedWhy says why a finding needs no work.
func ResolvedWhy(f *result.Finding) string {
	switch {
	case f.Drift == result.DriftFixed && len(f.Evidence) > 0:
		return "fixed, " + f.Evidence[0]
	case f.Drift == result.DriftFixed:
		return "fixed"
	case f.Status == result.StatusAccepted && f.Acceptance != nil:
		a := f.Acceptance
		by := ""
		if a.Owner != "" {
			by = " by " + a.Owner
		}
		return fmt.Sprintf("accepted%s until %s (%s): %s", by, a.Expires, a.ID, a.Reason)
	}
	return string(f.Status)
}
