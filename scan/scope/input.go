package scope

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/internal/excerpt"
)

// An InputError is a mistake in what the user wrote: a target, a scope line, a
// port. It says where it stands and what would be right.
type InputError struct {
	// File is the file that holds the mistake, or empty for the command line.
	File string

	// Line and Column count from 1; Column counts bytes. Zero means unknown.
	Line, Column int

	// Text is the piece that is wrong. It is quoted in the message.
	Text string

	// Source is the line itself, without its comment, or empty.
	Source string

	// Problem is what is wrong with it: "port 0 is reserved".
	Problem string

	// Hint is what to write instead, or empty.
	Hint string

	// Err is the cause, or nil.
	Err error
}

// Error gives the place, the text and the problem on one line.
func (e *InputError) Error() string {
	var b strings.Builder
	if e.File != "" {
		fmt.Fprintf(&b, "%s:", e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, "%d:", e.Line)
		}
		if e.Line > 0 && e.Column > 0 {
			fmt.Fprintf(&b, "%d:", e.Column)
		}
		b.WriteByte(' ')
	}
	if e.Text != "" {
		fmt.Fprintf(&b, "%q: ", clip(e.Text))
	}
	b.WriteString(e.Problem)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Hint returns the advice, which may be empty.
func (e *InputError) ErrorHint() string { return e.Hint }

// Excerpt shows the source line with a mark under the column, "" where the
// line is not known.
func (e *InputError) Excerpt() string { return excerpt.Of(e.Source, e.Line, e.Column) }

// clip shortens user input for a message: a line may be thousands of bytes.
func clip(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "..."
}
