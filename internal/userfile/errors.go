package userfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxErrors is how many mistakes of one file are told one by one; more do not help.
const MaxErrors = 20

// Errors are all mistakes of a file, in its order: the first MaxErrors, and one
// that counts the others.
type Errors []*Error

// Error gives one line for each mistake.
func (l Errors) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the mistakes.
func (l Errors) Unwrap() []error {
	list := make([]error, len(l))
	for i, e := range l {
		list[i] = e
	}
	return list
}

// A Collector gathers the mistakes of one file. The zero Collector is empty.
type Collector struct {
	list Errors
	more int
}

// Add takes one more mistake.
func (c *Collector) Add(e *Error) {
	if c.full() {
		c.more++
		return
	}
	c.list = append(c.list, e)
}

// Take takes the mistakes of a document, of which those beyond the first ones have
// no text.
func (c *Collector) Take(d *Document) {
	for _, e := range d.errs.list {
		c.Add(e)
	}
	c.more += d.errs.more
}

// full counts what is beyond the first mistakes, which need no text.
func (c *Collector) full() bool { return len(c.list) >= MaxErrors }

// Len is how many mistakes there are.
func (c *Collector) Len() int { return len(c.list) + c.more }

// Reset drops all mistakes.
func (c *Collector) Reset() { *c = Collector{} }

// Err gives the mistakes in the order of the file, or in that in which they were met
// if they are of several; nil if there are none.
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
		list = append(list, &Error{File: list[0].File, Problem: fmt.Sprintf("and %d more mistakes", c.more), Hint: "fix those above first"})
	}
	return list
}
