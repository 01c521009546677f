package userfile

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/internal/excerpt"
)

// An Error is a mistake in something that a user wrote: a flag or a file.
type Error struct {
	// File, Line and Column say where; Line 0 means that there is no file, or
	// that the mistake is not at one place in it. Both count from 1.
	File         string
	Line, Column int

	// Source is the line itself, "" if not known.
	Source string

	Problem string
	Hint    string // "" if there is nothing to advise
	Err     error  // the cause, nil if Msg says it all
}

// Error gives "file:line:column: message".
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Problem)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says how to fix it, "" if there is nothing to advise.
func (e *Error) ErrorHint() string { return e.Hint }

// Excerpt shows the source line with a mark under the column, "" where the
// line is not known.
func (e *Error) Excerpt() string { return excerpt.Of(e.Source, e.Line, e.Column) }
