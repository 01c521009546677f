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

// A Tree is the directory that anchors are written relative to: the root of
// the checkout, so that the paths mean the same on every machine. Empty means
// that anchors are kept as they were named.
type Tree string

// WorkTree is the directory that holds .git, at or above the working directory;
// the working directory itself if there is none.
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

// anchor writes a's file relative to the tree. A file outside of it is named
// by its last element, because a report must not tell where a home directory
// is. The zero Anchor, the command line and standard input give nil.
func (t Tree) anchor(a *result.Anchor) *result.Anchor {
	if a == nil || a.File == "" || a.File == "-" || a.Line < 1 {
		return nil
	}
	w := &result.Anchor{File: t.Path(a.File), Line: a.Line, Text: sanitize.Text(a.Text, sanitize.MaxField)}
	if a.EndColumn >= 2 {
		w.EndColumn = a.EndColumn
	}
	return w
}

// Path is a file's name as reports write it: relative to the tree, with
// slashes. A file outside of the tree is named by its last element.
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

// Clean gives v, of a type of package result, as reports may write it: a copy in
// which every text is sanitized and every anchor is relative to the tree.
// Everything that a report is made of passes here, once; what v points to stays as
// it is.
func Clean[T any](v T, tree Tree) T { return sanitize.Copy(v, tree.anchor) }

// NewCoverageCounts makes the written form of the counts of a coverage.
func NewCoverageCounts(c gate.PairCounts) *result.CoverageCounts {
	return &result.CoverageCounts{Open: c.Open, Closed: c.Closed, Filtered: c.Filtered, Unknown: c.Unknown(),
		Vacant: c.HostsVacant, VacantPairs: &c.VacantPairs, Accepted: &c.Accepted}
}

// MaxHosts is how many ranges and names a report tells of what was asked, and how
// many hosts of those that are up.
const MaxHosts = 1000

// NewHosts is a list of ranges and names as a report tells it: sorted and each
// once; nil if there are more than [MaxHosts]. It orders list itself.
func NewHosts(list []string) []string {
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > MaxHosts {
		return nil
	}
	return list
}

// NewRunID is a random UUID (RFC 9562, Section 5.4: version 4).
func NewRunID() string {
	var b [16]byte
	// crypto/rand.Read never returns an error.
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// GateVerdict is what the gate makes of one finding, in the words of the schema.
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
