package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// SeverityWords returns the counts with their severities, the highest first; ""
// if all are 0.
func SeverityWords(b result.BySeverity) string {
	var words []string
	for _, s := range result.Severities() {
		if n := *b.Of(s); n > 0 {
			words = append(words, strconv.Itoa(n)+" "+s.String())
		}
	}
	return strings.Join(words, ", ")
}

// FallbackAnchor is the file for findings of hosts that no file puts in scope:
// the default name of the policy file.
const FallbackAnchor = "mxsweep.yaml"

// AnchorOf returns the location of a finding for tools that need a file: the line
// that puts its host in scope, otherwise the policy line that applies to it,
// otherwise the first line of the fallback.
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

// FindingAnchor returns the id of a finding in an HTML page.
func FindingAnchor(f *result.Finding) string { return "f" + f.ID[:min(16, len(f.ID))] }

// Where returns "file:line", "" without an anchor.
func Where(a *result.Anchor) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", a.File, a.Line)
}

// Category identifies runs whose alerts belong together, so that others do not
// close them: by scope, by targets if only a part of the scope was swept, by
// vantage point and by shard.
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

// Level returns the SARIF level of a severity (3.27.10).
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
