package report

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
)

// A Tree is the directory to which the paths of anchors are made relative: the
// root of the checkout, so that they are the same on every machine. If empty,
// paths stay as they are.
type Tree string

// WorkTree returns the directory that contains .git, at or above the working
// directory; the working directory itself if there is none.
func WorkTree() Tree {
	dir, err := filepath.Abs(".")
	if err != nil {
		return ""
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return Tree(at)
		}
		if at == filepath.Dir(at) {
			return Tree(dir)
		}
	}
}

// anchor returns a with its file relative to the tree. A file outside of it is
// reduced to its last element, because a report must not reveal the path of a
// home directory. For a without a file (command line, standard input) it returns
// nil.
func (t Tree) anchor(a *result.Anchor) *result.Anchor {
	if a == nil || a.File == "" || a.File == "-" || a.Line < 1 {
		return nil
	}
	w := &result.Anchor{File: t.Path(a.File), Line: a.Line, Text: sanitize.Text(a.Text, sanitize.MaxField)}
	if a.EndColumn >= 2 {
		w.Column, w.EndColumn = a.Column, a.EndColumn
	}
	return w
}

// Path returns the path of a file as reports show it: relative to the tree, with
// slashes. A file outside of the tree is reduced to its last element.
func (t Tree) Path(file string) string {
	rel := filepath.Clean(file)
	if t != "" {
		if abs, err := filepath.Abs(file); err == nil {
			if r, err := filepath.Rel(string(t), abs); err == nil {
				rel = r
			}
		}
	}
	if !filepath.IsLocal(rel) {
		rel = filepath.Base(rel)
	}
	rel = strings.ReplaceAll(filepath.ToSlash(rel), `\`, "/")
	return sanitize.Text(strings.TrimLeft(rel, "/"), sanitize.MaxField)
}

// Clean returns a copy of v, a type of package result, that is safe to write:
// every text is sanitized and every anchor is relative to the tree. All input of
// a report passes here, once. What v points to is not changed.
func Clean[T any](v T, tree Tree) T { return sanitize.Copy(v, tree.anchor) }

// NewCoverageCounts returns the counts of a coverage as reports have them.
func NewCoverageCounts(c gate.PairCounts) *result.CoverageCounts {
	return &result.CoverageCounts{Open: c.Open, Closed: c.Closed, Filtered: c.Filtered, Unknown: c.Unknown(),
		Vacant: c.HostsVacant, VacantPairs: &c.VacantPairs, Accepted: &c.Accepted}
}

// MaxHosts is the maximum number of ranges and names in Scope.Asked, and of
// ranges in Coverage.Up.
const MaxHosts = 1000

// NewHosts sorts a list of ranges and names and removes duplicates; it returns
// nil if there are more than [MaxHosts]. It modifies list.
func NewHosts(list []string) []string {
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > MaxHosts {
		return nil
	}
	return list
}

// NewRunID returns a random UUID (RFC 9562, Section 5.4: version 4).
func NewRunID() string {
	var b [16]byte
	// crypto/rand.Read never returns an error.
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// GateVerdict returns the decision of the gate about one finding.
func GateVerdict(criteria *gate.Criteria, f *exposure.Violation) result.Verdict {
	switch {
	case criteria.Fails(f):
		return result.VerdictFail
	case f.Status != result.StatusOpen || f.Drift == result.DriftFixed:
		return result.VerdictPass
	default:
		return result.VerdictWarn
	}
}
