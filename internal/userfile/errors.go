package userfile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
)

// MaxErrors is the maximum number of errors of a file that are reported
// individually; more do not help.
const MaxErrors = 20

// Errors are the errors of a file, in its order: the first MaxErrors, and one
// with the number of the others.
type Errors []*Error

// Error returns one line for each error.
func (l Errors) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors.
func (l Errors) Unwrap() []error {
	list := make([]error, len(l))
	for i, e := range l {
		list[i] = e
	}
	return list
}

// A Collector collects the errors of one file. The zero Collector is empty.
type Collector struct {
	list Errors
	more int
}

// Add adds an error.
func (c *Collector) Add(e *Error) {
	if c.full() {
		c.more++
		return
	}
	c.list = append(c.list, e)
}

// Take adds the errors of a document, of which those beyond the first ones have
// no text.
func (c *Collector) Take(d *Document) {
	for _, e := range d.errs.list {
		c.Add(e)
	}
	c.more += d.errs.more
}

// full reports whether further errors are only counted, so that they need no
// text.
func (c *Collector) full() bool { return len(c.list) >= MaxErrors }

// Len returns the number of errors.
func (c *Collector) Len() int { return len(c.list) + c.more }

// Reset removes all errors.
func (c *Collector) Reset() { *c = Collector{} }

// Err returns the errors in the order of the file, or in the order of Add if they
// are of several files; nil if there are none.
func (c *Collector) Err() error {
	if len(c.list) == 0 {
		return nil
	}
	list := slices.Clone(c.list)
	if !slices.ContainsFunc(list, func(e *Error) bool { return e.File != list[0].File }) {
		slices.SortStableFunc(list, func(a, b *Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
	if c.more > 0 {
		list = append(list, &Error{File: list[0].File, Problem: "and " + wording.Plural(c.more, "more mistake"), Hint: "fix those above first"})
	}
	return list
}
