// Package fault sorts errors by who can do something about them, and keeps what
// that is. The command makes exit codes and hints of it; package run says which.
package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A Kind says who can do something about an error.
type Kind int

const (
	// Failed is an error of this machine, a file or the network.
	Failed Kind = iota
	// Usage is a mistake in what the user wrote.
	Usage
	// Refused is what must not be done as long as nobody allows it.
	Refused
)

// An Error is an error with its kind, and what to do about it.
type Error struct {
	Kind Kind
	Err  error  // what went wrong, in full
	Hint string // "" if there is nothing to advise
}

// Error implements error: it is that of the error within.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error within.
func (e *Error) Unwrap() error { return e.Err }

// ErrorHint says what to do about it, "" if nothing is known.
func (e *Error) ErrorHint() string { return e.Hint }

// As gives err a kind; nil stays nil.
func As(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// Usagef is a mistake in what the user wrote, with what to do about it.
func Usagef(hint, format string, args ...any) error {
	return &Error{Usage, fmt.Errorf(format, args...), hint}
}

// Refusef is a run that must not take place, with what would allow it.
func Refusef(hint, format string, args ...any) error {
	return &Error{Refused, fmt.Errorf(format, args...), hint}
}

// Hintf is an error of this machine, a file or the network, with what to do about it.
func Hintf(hint, format string, args ...any) error {
	return &Error{Failed, fmt.Errorf(format, args...), hint}
}

// WriteError says what could not be written; nil stays nil.
func WriteError(name string, err error) error {
	if err == nil {
		return nil
	}
	return As(Failed, fmt.Errorf("writing %s: %w", name, WithoutPath(err)))
}

// WithoutPath takes the operation and path off an error of package os, for
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

// Parts are the errors that errors.Join, or the list of all mistakes in a file, holds;
// of any other error, which may wrap several in one sentence, it alone. Of nil they are
// none.
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
