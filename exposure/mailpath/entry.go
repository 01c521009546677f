package mailpath

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// Entry returns a sentence, without a full stop, about where in the path whoever connects
// to an internal port enters it: after which steps, which thus are skipped, and before
// which. It is "" for a port that is not internal, and where no edge is known. p may be nil.
func Entry(p *result.Path, port uint16) string {
	if p == nil {
		return ""
	}
	at := slices.IndexFunc(p.Steps, func(s result.PathStep) bool {
		return s.Kind == result.StepPort && s.Port == port && s.Internal && s.Open
	})
	if at < 0 {
		return ""
	}
	w := walk{path: p, basis: result.BasisFile}
	if asked := w.askers(at); asked != "" {
		return "whoever connects here asks what only " + asked + " should ask, " + bases[w.basis]
	}
	before, after := w.reach(at, false), w.reach(at, true)
	parts := w.parts(at, before, after)
	if len(parts) == 0 {
		return ""
	}
	text := "whoever connects here enters the mail path " + strings.Join(parts, ", ")
	if why := bases[w.basis]; why != "" && w.used {
		text += " (" + why + ")"
	}
	return text
}

// A walk follows the edges of a path, and keeps the weakest of those that it followed.
type walk struct {
	path  *result.Path
	basis result.EdgeBasis
	used  bool // an edge that is more than what a role means was followed
}

// follow notes that an edge was followed.
func (w *walk) follow(e *result.PathEdge) {
	if e.Basis != result.BasisRole {
		w.used = true
		w.basis = w.basis.Weaker(e.Basis)
	}
}

// reach returns the steps to which mail goes from one, or from which it comes there, each
// once.
func (w *walk) reach(from int, forward bool) []int {
	var list []int
	todo := []int{from}
	seen := map[int]bool{from: true}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		for i := range w.path.Edges {
			e := &w.path.Edges[i]
			source, target := e.From, e.To
			if !forward {
				source, target = target, source
			}
			if source != at || e.Asks {
				continue
			}
			w.follow(e)
			if seen[target] {
				continue
			}
			seen[target] = true
			list = append(list, target)
			if !forward || w.path.Steps[target].Kind == result.StepPort { // what comes after the queue is for all mail
				todo = append(todo, target)
			}
		}
	}
	return list
}

// askers names the steps that ask a step about mail, "" if none is known.
func (w *walk) askers(at int) string {
	var list []string
	for i := range w.path.Edges {
		if e := &w.path.Edges[i]; e.Asks && e.To == at {
			w.follow(e)
			list = append(list, Name(&w.path.Steps[e.From]))
		}
	}
	return wording.List(few(list))
}

// parts returns the parts of the sentence: after what, at what, before what. What a cycle
// has on both sides is on neither.
func (w *walk) parts(at int, before, after []int) (parts []string) {
	slices.Reverse(before) // the first step first
	past := slices.DeleteFunc(slices.Clone(before), func(i int) bool { return slices.Contains(after, i) })
	skipped := w.works(append(past, w.unasked(past, append(slices.Clone(after), at))...))
	left := slices.DeleteFunc(after, func(i int) bool { return slices.Contains(before, i) })
	rest := w.works(left)
	if skipped != "" {
		parts = append(parts, "after "+skipped)
	}
	self := &w.path.Steps[at]
	does := work(self)
	if does != "" && (skipped != "" || len(left) > 0) {
		parts = append(parts, "at "+does)
	}
	switch end := w.end(left); {
	case rest != "":
		parts = append(parts, "before "+rest)
	case end != "" && does == "":
		parts = append(parts, "directly before the "+end)
	}
	return parts
}

// unasked returns the steps that only what mail has passed asks about it, and not what it
// has still before it: a milter that runs on another port.
func (w *walk) unasked(past, ahead []int) []int {
	var list []int
	asks := func(from []int, to int) bool {
		return slices.ContainsFunc(w.path.Edges, func(e result.PathEdge) bool {
			return e.Asks && e.To == to && slices.Contains(from, e.From)
		})
	}
	for i := range w.path.Edges {
		e := &w.path.Edges[i]
		if e.Asks && slices.Contains(past, e.From) && !slices.Contains(list, e.To) && !asks(ahead, e.To) {
			w.follow(e)
			list = append(list, e.To)
		}
	}
	return list
}

// works names what steps do for mail that passes through them, each with its steps.
func (w *walk) works(steps []int) string {
	var list []string
	names := make(map[string][]string)
	for _, i := range steps {
		s := &w.path.Steps[i]
		does := work(s)
		if does == "" {
			continue
		}
		if names[does] == nil {
			list = append(list, does)
		}
		names[does] = append(names[does], Name(s))
	}
	for i, does := range list {
		list[i] = does + " (" + wording.List(few(names[does])) + ")"
	}
	return wording.List(list)
}

// few returns the first names of a list, and how many more there are.
func few(list []string) []string {
	if more := len(list) - maxNamed; more > 0 {
		return append(list[:maxNamed:maxNamed], fmt.Sprintf("%d more", more))
	}
	return list
}

// maxNamed is how many steps of a kind a sentence names.
const maxNamed = 5

// end returns where the steps end: "queue", "mailboxes", or "" if that is not among them.
func (w *walk) end(steps []int) string {
	for _, i := range steps {
		if k := w.path.Steps[i].Kind; k == result.StepQueue || k == result.StepMailboxes {
			return string(k)
		}
	}
	return ""
}
