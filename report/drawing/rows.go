// Package drawing draws how mail flows through a host: as a tree of text, as SVG and as
// Mermaid. What it draws may be hostile: each text is escaped for its form.
package drawing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/result"
)

// A row is one step where it stands in the tree, with the edge that leads to it.
type row struct {
	depth  int
	step   *result.PathStep
	edge   *result.PathEdge // nil for one where mail enters the host
	last   bool             // no further row follows below the same step
	again  bool             // the step, and what follows it, is drawn above
	above  int              // index of the row from which the edge leads
	inside bool             // the path is that of a machine that was looked at from inside
}

// rowsOf returns the rows of a path: the steps where mail enters, each followed by those to
// which it goes. What is in a cycle, or has several ways to it, is drawn once and referred to.
func rowsOf(p *result.Path) []row {
	t := tree{path: p, drawn: make([]bool, len(p.Steps))}
	led := make([]bool, len(p.Steps))
	for _, e := range p.Edges {
		led[e.To] = true
	}
	for rank := range 3 {
		for i := range p.Steps {
			if !led[i] && rankOf(&p.Steps[i]) == rank {
				t.add(i, nil, 0, -1)
			}
		}
	}
	for i := range p.Steps {
		if !t.drawn[i] { // in a cycle to which nothing leads
			t.add(i, nil, 0, -1)
		}
	}
	for i := range t.rows {
		t.rows[i].last = !slices.ContainsFunc(t.rows[i+1:], func(r row) bool { return r.above == t.rows[i].above })
	}
	return t.rows
}

// rankOf orders the steps where mail enters: the public ones, those that should not be open,
// and those that nobody outside reaches.
func rankOf(s *result.PathStep) int {
	switch {
	case !s.Open:
		return 2
	case s.Internal:
		return 1
	}
	return 0
}

// A tree is the rows of a path under construction.
type tree struct {
	path  *result.Path
	drawn []bool
	rows  []row
}

// maxDepth is how deep steps are indented; deeper ones are not at more.
const maxDepth = 6

// add adds a step and those that follow it. The depth of the recursion is at most the number
// of steps.
func (t *tree) add(at int, e *result.PathEdge, depth, above int) {
	r := row{depth: min(depth, maxDepth), step: &t.path.Steps[at], edge: e, above: above, inside: t.path.IP.IsValid() && t.path.IP.IsUnspecified()}
	var edges []*result.PathEdge // those to which mail goes first
	for _, asks := range []bool{false, true} {
		for i := range t.path.Edges {
			if e := &t.path.Edges[i]; e.From == at && e.Asks == asks {
				edges = append(edges, e)
			}
		}
	}
	r.again = t.drawn[at] && len(edges) > 0
	mine := len(t.rows)
	t.rows = append(t.rows, r)
	if t.drawn[at] {
		return
	}
	t.drawn[at] = true
	for _, e := range edges {
		t.add(e.To, e, depth+1, mine)
	}
}

// exposed reports whether a step is one that only the mail system should reach, and is open.
func exposed(s *result.PathStep) bool { return s.Open && s.Internal }

// about returns what the step of a row does, "" if that is not known.
func (r *row) about() string {
	switch role := r.step.Role; {
	case r.again:
		return "drawn above"
	case role != "" && role != result.RoleUnknown:
		return strings.ReplaceAll(string(role), "-", " ")
	}
	return ""
}

// mark returns who reaches the step of a row, if that is worth a word.
func (r *row) mark() string {
	switch s := r.step; {
	case r.again, s.Kind != result.StepPort:
	case exposed(s):
		return "internal, but open"
	case s.Unreached && r.inside:
		return "nothing listens"
	case s.Unreached:
		return "not reached"
	case !s.Open && (s.Anchor != nil || r.inside && s.Port != 0):
		return "loopback only"
	}
	return ""
}

// basis returns in few words how the edge to a row is known, "" if that goes without saying;
// file returns what is shown of the path of a file.
func (r *row) basis(file func(string) string) string {
	if r.edge == nil {
		return ""
	}
	word := map[result.EdgeBasis]string{result.BasisDialogue: "likely", result.BasisTable: "expected"}[r.edge.Basis]
	if a := r.edge.Anchor; a != nil {
		word = fmt.Sprintf("%s:%d", file(a.File), a.Line)
	}
	if r.edge.Asks {
		word = strings.TrimSuffix("asks, "+word, ", ")
	}
	return word
}

// Title returns of what a path is: the address and name of the host, or the folder of the
// files.
func Title(p *result.Path) string {
	switch {
	case p.IP.IsValid() && p.IP.IsUnspecified() && p.Host != "": // a machine, by all its addresses
		return p.Host
	case p.IP.IsValid() && p.Host != "":
		return p.IP.String() + " " + p.Host
	case p.IP.IsValid():
		return p.IP.String()
	case p.Host != "":
		return p.Host
	}
	return "the configuration files"
}

// Legend explains the words and lines of the drawings of some paths, one sentence each.
func Legend(paths []result.Path) []string {
	used := make(map[result.EdgeBasis]bool)
	for i := range paths {
		for _, e := range paths[i].Edges {
			used[e.Basis] = true
		}
	}
	var list []string
	if used[result.BasisDialogue] {
		list = append(list, "likely: the port passes on what the next one says")
	}
	if used[result.BasisTable] {
		list = append(list, "expected: these daemons usually are set up so; the edge was not observed")
	}
	return list
}

// Outside returns who is outside, by the vantage point of a run.
func Outside(vantage string) string {
	switch vantage {
	case "internet":
		return "internet"
	case "config", "sockets": // of files, and of what listens on a machine
		return "other hosts"
	}
	return "vantage point " + vantage
}

// whole returns the path of a file as it is.
func whole(file string) string { return file }

// name returns the name of the step of a row.
func (r *row) name() string { return mailpath.Name(r.step) }

// left says how many ports a path leaves out, "" if none.
func left(p *result.Path) string {
	if p.Left == 0 {
		return ""
	}
	return fmt.Sprintf("%d more ports are left out", p.Left)
}
