// Package fault classifies errors by who can resolve them, and adds hints. The
// command derives exit codes from the kinds (see run.CodeOf).
package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// A Kind says who can resolve an error.
type Kind int

const (
	// Failed is an error of this machine, a file or the network.
	Failed Kind = iota
	// Usage is a mistake in the user's input.
	Usage
	// Refused is an action that is not allowed.
	Refused
)

// An Error is an error with its kind and a hint.
type Error struct {
	Kind Kind
	Err  error  // what went wrong, in full
	Hint string // "" if there is none
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// ErrorHint returns the hint, "" if there is none.
func (e *Error) ErrorHint() string { return e.Hint }

// As returns err with a kind; nil for nil.
func As(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// Usagef returns an error of kind Usage with a hint.
func Usagef(hint, format string, args ...any) error {
	return &Error{Usage, fmt.Errorf(format, args...), hint}
}

// Refusef returns an error of kind Refused; its hint says what would allow the
// action.
func Refusef(hint, format string, args ...any) error {
	return &Error{Refused, fmt.Errorf(format, args...), hint}
}

// Hintf returns an error of kind Failed with a hint.
func Hintf(hint, format string, args ...any) error {
	return &Error{Failed, fmt.Errorf(format, args...), hint}
}

// WriteError adds what could not be written to err; nil for nil.
func WriteError(name string, err error) error {
	if err == nil {
		return nil
	}
	return As(Failed, fmt.Errorf("writing %s: %w", name, WithoutPath(err)))
}

// WithoutPath removes the operation and path from an error of package os, for
// messages that name both themselves.
func WithoutPath(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	default:
		return err
	}
}

// Parts returns the errors joined by errors.Join, or the errors in a file; for
// any other error, which may wrap several in one sentence, only err itself. For
// nil it returns nil.
func Parts(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		parts := joined.Unwrap()
		if len(parts) > 0 && err.Error() == errors.Join(parts...).Error() {
			return parts
		}
	}
	return []error{err}
}

// Walk calls visit for err and for every error that it wraps, outermost first.
func Walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		Walk(e.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			Walk(one, visit)
		}
	}
}

// Details returns the lines that the errors of the chain of err add to its text: that of
// the file that is wrong, with a mark under the place, and the hints.
func Details(err error) (excerpt, hints []string) {
	var said []string
	Walk(err, func(e error) {
		if at, ok := e.(interface{ Excerpt() string }); ok && at.Excerpt() != "" {
			excerpt = append(excerpt, strings.Split(at.Excerpt(), "\n")...)
		}
		if e, ok := e.(interface{ ErrorHint() string }); ok && e.ErrorHint() != "" && !slices.Contains(said, e.ErrorHint()) {
			said = append(said, e.ErrorHint())
			hints = append(hints, strings.Split(e.ErrorHint(), "\n")...)
		}
	})
	return excerpt, hints
}

// Explain returns the text of err, and of each error that is joined in it, with its
// details, for the failures of tests of files that contributors edit.
func Explain(err error) string {
	var b strings.Builder
	for _, one := range Parts(err) {
		excerpt, hints := Details(one)
		b.WriteString("\n" + strings.Join(append([]string{one.Error()}, excerpt...), "\n"))
		for _, hint := range hints {
			b.WriteString("\nhint: " + hint)
		}
	}
	return b.String()
}
